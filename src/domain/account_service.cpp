#include "otpgate/domain/account_service.h"

#include "otpgate/domain/account_limits.h"
#include "otpgate/domain/audit_store.h"
#include "otpgate/domain/username.h"

namespace otpgate::domain {

User makeUser(const Uuid& id, const Destination& destination, Timestamp now) {
    User user;
    user.id = id;
    (destination.channel() == Channel::Email ? user.email : user.phoneNumber) = destination.value();
    user.joinedAt = now;
    return user;
}

AccountService::AccountService(AccountStore& store, const Clock& clock, Random& random)
    : store_(store),
      clock_(clock),
      random_(random) {}

std::optional<User> AccountService::create(User user, std::optional<std::string> passwordHash, const Client& client) {
    const Timestamp now = clock_.now();
    user.id = Uuid::makeV7(now, random_);
    user.joinedAt = now;
    user.emailVerified = user.email.has_value();
    user.phoneVerified = user.phoneNumber.has_value();
    user.hasPassword = passwordHash.has_value();
    NewAccount account;
    account.user = user;
    account.passwordHash = std::move(passwordHash);
    account.now = now;
    account.auditId = Uuid::makeV7(now, random_);
    account.client = client;
    if (store_.create(account).outcome != AccountCreation::Outcome::Created) return std::nullopt;
    return user;
}

ProfileUpdate AccountService::updateProfile(const Uuid& userId, const ProfileFields& fields, NameGiver giver,
                                            const Client& client) {
    const bool isReserved = fields.username && isReservedUsername(*fields.username);
    if (isReserved && giver == NameGiver::Owner) {
        const auto user = store_.find(userId);
        // Who was given one may say it again.
        if (user && user->username != fields.username) return {ProfileUpdate::Outcome::NameTaken, user};
    }
    const Timestamp now = clock_.now();
    return store_.updateProfile({.userId = userId,
                                 .username = fields.username,
                                 .displayName = fields.displayName,
                                 .firstName = fields.firstName,
                                 .lastName = fields.lastName,
                                 .locale = fields.locale,
                                 .giver = giver,
                                 .now = now,
                                 .auditId = Uuid::makeV7(now, random_),
                                 .client = client});
}

std::vector<ExportSection> AccountService::exportOf(const User& user) {
    return store_.exportOf(user.id, ownAuditScope(user).addresses);
}

bool AccountService::remove(const User& user, const std::optional<Uuid>& actor) {
    const Timestamp now = clock_.now();
    return store_.remove({user, limitBucketsOf(user), now, Uuid::makeV7(now, random_), actor});
}

bool AccountService::setStatus(const Uuid& userId, UserStatus status, const Client& client) {
    const Timestamp now = clock_.now();
    return store_.setStatus({userId, status, now, Uuid::makeV7(now, random_), client});
}

bool AccountService::setRole(const Uuid& userId, Role role, const Client& client) {
    const Timestamp now = clock_.now();
    return store_.setRole({userId, role, now, Uuid::makeV7(now, random_), client});
}

}  // namespace otpgate::domain
