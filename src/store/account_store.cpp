#include "store/account_store.h"

#include "otpgate/domain/audit_rules.h"
#include "otpgate/domain/username.h"
#include "store/audit_events.h"
#include "store/otp_requests.h"
#include "store/rate_limits.h"
#include "store/session_store.h"
#include "store/user_rows.h"
#include "store/users.h"

#include <array>

namespace otpgate::store {

using domain::AuditEvent;
using CreationOutcome = domain::AccountCreation::Outcome;

namespace {

// False: the name is, or was, another account's.
bool giveUsername(db::Connection& connection, std::string_view name, const Uuid& userId, Timestamp now) {
    if (!claimUsername(connection, name, userId, now)) return false;
    connection.execute("UPDATE users SET unique_name = ? WHERE id = ?", {name, userId});
    return true;
}

domain::Destination firstAddressOf(const domain::User& user) {
    if (user.email) return domain::Destination::fromStored(domain::Channel::Email, *user.email);
    return domain::Destination::fromStored(domain::Channel::Sms, user.phoneNumber.value_or(""));
}

// {"fields":["first_name","locale"]}, with those that a row tells of already; nothing where nothing is another.
std::optional<std::string> changedFields(const domain::User& before, const domain::User& after, std::string_view told) {
    const std::array<std::pair<const char*, bool>, 5> fields{{{"username", before.username != after.username},
                                                              {"display_name", before.displayName != after.displayName},
                                                              {"first_name", before.firstName != after.firstName},
                                                              {"last_name", before.lastName != after.lastName},
                                                              {"locale", before.locale != after.locale}}};
    std::string names;
    bool isAnyChanged = false;
    for (const auto& [name, isChanged] : fields) {
        const std::string quoted = '"' + std::string{name} + '"';
        isAnyChanged = isAnyChanged || isChanged;
        if (isChanged || told.find(quoted) != std::string_view::npos) names += (names.empty() ? "" : ",") + quoted;
    }
    if (!isAnyChanged) return std::nullopt;
    return R"({"fields":[)" + names + "]}";
}

// Inside the transaction that has changed the user, whose row others wait for.
void auditProfile(db::Connection& connection, const domain::ProfileChange& change, const domain::User& before,
                  const domain::User& after) {
    const auto rows = connection.query(
        "SELECT id, ip_address, metadata FROM audit_events"
        " WHERE user_id = ? AND event = 'PROFILE_UPDATED' AND id >= ? ORDER BY id DESC LIMIT ?",
        {change.userId, Uuid::lowestV7(change.now - domain::kToldTogether), unsigned{domain::kMostToldApart}});
    std::vector<domain::ToldChange> recent;
    recent.reserve(rows.size());
    for (const db::Row& row : rows) recent.push_back({row.uuid(0), row.optionalText(1).value_or("")});
    const auto place = domain::rowToAddTo(recent, change.client.address);
    std::string told;
    for (const db::Row& row : rows) {
        if (row.uuid(0) == place) told = row.optionalText(2).value_or("");
    }
    const auto fields = changedFields(before, after, told);
    if (!fields) return;
    const AuditRow row{
        change.auditId, AuditEvent::ProfileUpdated, change.userId, std::nullopt, change.client, change.now, fields};
    if (!place) {
        insertAuditEvent(connection, row);
        return;
    }
    if (fields != told) connection.execute("UPDATE audit_events SET metadata = ? WHERE id = ?", {*fields, *place});
    tellWebhooks(connection, row);
}

}  // namespace

void AccountTable::keepRegistration(const Uuid& otpId, const domain::PendingRegistration& registration) {
    const std::string packed = domain::packRegistration(registration);
    connection_.execute(
        "UPDATE otp_requests SET registration = ? WHERE id = ? AND registration IS NOT NULL AND consumed_at_us IS NULL",
        {db::Param::blob(packed), otpId});
}

domain::AccountCreation AccountTable::create(const domain::NewAccount& account) {
    const auto work = [&]() -> domain::AccountCreation {
        const domain::Destination address = firstAddressOf(account.user);
        const auto audit = [&](AuditEvent event, std::optional<Uuid> userId) {
            return AuditRow{account.auditId, event, userId, address.value(), account.client, account.now};
        };
        if (account.otpId) {
            Buckets buckets(connection_, {account.clientBucket});
            domain::Bucket& client = buckets.at(account.clientBucket);
            const bool isAccepted = client.take(account.clientRule, account.now);
            if (!isAccepted && client.noteRefusal(account.now)) {
                insertAuditEvent(connection_, audit(AuditEvent::OtpRateLimited, std::nullopt));
            }
            buckets.write(connection_);
            if (!isAccepted) return {CreationOutcome::ClientLimited, client.hits()};
            const auto proved = findProved(connection_, *account.otpId, domain::Purpose::Register);
            if (proved != address || !spendReceipt(connection_, *account.otpId, domain::Purpose::Register, account.now))
                return {CreationOutcome::ReceiptSpent, {}};
        }
        const bool isCreated = insertUser(connection_, account.user, account.passwordHash);
        // Asked in either case, so that both cost the same; an owner learns from the audit trail who tried.
        const auto owner = findUser(connection_, address);
        std::optional<Uuid> userId;
        if (owner) userId = owner->id;
        insertAuditEvent(connection_,
                         audit(isCreated ? AuditEvent::UserRegistered : AuditEvent::RegistrationRefused, userId));
        return {isCreated ? CreationOutcome::Created : CreationOutcome::Taken, {}};
    };
    return connection_.transact(work, db::RetryOn::DeadlockOrDuplicate);
}

std::optional<domain::User> AccountTable::find(const Uuid& id) {
    return findUser(connection_, id);
}

std::optional<domain::User> AccountTable::find(const domain::Destination& destination) {
    return findUser(connection_, destination);
}

std::optional<domain::User> AccountTable::findNamed(std::string_view username) {
    static const std::string sql = "SELECT " + std::string{kUserColumns} + " FROM users u WHERE u.unique_name = ?";
    const auto row = connection_.queryOne(sql, {username});
    if (!row) return std::nullopt;
    return readUser(*row, 0);
}

std::vector<domain::User> AccountTable::list(const Uuid& after, unsigned limit) {
    static const std::string sql =
        "SELECT " + std::string{kUserColumns} + " FROM users u WHERE u.id > ? ORDER BY u.id LIMIT ?";
    std::vector<domain::User> users;
    for (const db::Row& row : connection_.query(sql, {after, limit})) users.push_back(readUser(row, 0));
    return users;
}

domain::ProfileUpdate AccountTable::updateProfile(const domain::ProfileChange& change) {
    using Outcome = domain::ProfileUpdate::Outcome;
    return connection_.transact([&]() -> domain::ProfileUpdate {
        const auto before = lockUser(connection_, change.userId);
        if (!before) return {Outcome::NoSuchUser, std::nullopt};
        if (change.username && change.username != before->username) {
            if (before->username && change.giver == domain::NameGiver::Owner) return {Outcome::NamedBefore, before};
            if (!giveUsername(connection_, *change.username, change.userId, change.now)) {
                return {Outcome::NameTaken, before};
            }
        }
        connection_.execute(
            "UPDATE users SET display_name = COALESCE(?, display_name), first_name = COALESCE(?, first_name),"
            " last_name = COALESCE(?, last_name), locale = COALESCE(?, locale) WHERE id = ?",
            {change.displayName, change.firstName, change.lastName, change.locale, change.userId});
        auto after = findUser(connection_, change.userId);
        if (!after) return {Outcome::NoSuchUser, std::nullopt};
        auditProfile(connection_, change, *before, *after);
        return {Outcome::Updated, std::move(after)};
    });
}

bool AccountTable::setStatus(const domain::StatusChange& change) {
    return connection_.transact([&] {
        const std::string_view status = domain::toString(change.status);
        const auto changed = connection_.execute("UPDATE users SET status = ? WHERE id = ? AND status <> ?",
                                                 {status, change.userId, status});
        if (changed == 0) return false;
        const bool isDisabled = change.status == domain::UserStatus::Disabled;
        if (isDisabled) endSessions(connection_, change.userId, std::nullopt, "account_disabled", change.now);
        insertAuditEvent(connection_, {change.auditId, isDisabled ? AuditEvent::UserDisabled : AuditEvent::UserEnabled,
                                       change.userId, std::nullopt, change.client, change.now});
        return true;
    });
}

bool AccountTable::setRole(const domain::RoleChange& change) {
    return connection_.transact([&] {
        const std::string_view role = domain::toString(change.role);
        const auto changed =
            connection_.execute("UPDATE users SET role = ? WHERE id = ? AND role <> ?", {role, change.userId, role});
        if (changed == 0) return false;
        insertAuditEvent(connection_, {change.auditId, AuditEvent::RoleChanged, change.userId, std::nullopt,
                                       change.client, change.now, R"({"role":")" + std::string{role} + R"("})"});
        return true;
    });
}

}  // namespace otpgate::store
