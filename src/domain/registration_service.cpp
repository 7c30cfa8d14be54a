#include "otpgate/domain/registration_service.h"

#include "otpgate/domain/account_service.h"

namespace otpgate::domain {

using RegistrationOutcome = RegistrationResult::Outcome;

namespace {

// Its address is not proved.
User userOf(const Registration& registration, const Uuid& id, Timestamp now) {
    User user = makeUser(id, registration.destination, now);
    user.firstName = registration.firstName;
    user.lastName = registration.lastName;
    user.locale = registration.locale;
    user.hasPassword = registration.password.has_value();
    return user;
}

}  // namespace

RegistrationService::RegistrationService(AccountStore& store, OtpService& otp, PasswordService& passwords,
                                         const Clock& clock, Random& random, const OtpSettings& settings)
    : store_(store),
      otp_(otp),
      passwords_(passwords),
      clock_(clock),
      random_(random),
      disclosure_(settings.disclosure),
      requestsPerClient_(settings.requestsPerClient) {}

std::optional<std::string> RegistrationService::reasonToRefuse(const Registration& registration) const {
    if (!registration.password) return std::nullopt;
    return passwords_.reasonToRefuse(*registration.password, userOf(registration, {}, {}));
}

RegistrationResult RegistrationService::registerUser(const Registration& registration, const Asker& asker) {
    return registration.otpId ? registerProved(registration, asker) : registerUnproved(registration, asker);
}

RegistrationResult RegistrationService::registerUnproved(const Registration& registration, const Asker& asker) {
    // The code first: its limits are those of the registration, and what they refuse costs no hash.
    auto code = otp_.request({.destination = registration.destination,
                              .purpose = Purpose::Verify,
                              .locale = registration.locale,
                              .isRegistration = true},
                             asker);
    if (code.outcome != OtpRequestResult::Outcome::Accepted)
        return {RegistrationOutcome::Limited, code.limit, {}, code};
    if (code.delivery == Delivery::Failed) return {RegistrationOutcome::SendFailed, std::nullopt, {}, {}};
    PendingRegistration form;
    form.userId = Uuid::makeV7(clock_.now(), random_);
    if (registration.password) form.passwordHash = passwords_.hash(*registration.password);
    form.firstName = registration.firstName;
    form.lastName = registration.lastName;
    form.locale = registration.locale;
    if (disclosure_ == Disclosure::Reveal && store_.find(registration.destination)) {
        return {RegistrationOutcome::Taken, std::nullopt, {}, {}};
    }
    store_.keepRegistration(code.id, form);
    return {RegistrationOutcome::Registered, std::nullopt, userOf(registration, form.userId, clock_.now()), code};
}

RegistrationResult RegistrationService::registerProved(const Registration& registration, const Asker& asker) {
    const Timestamp now = clock_.now();
    NewAccount account;
    account.user = userOf(registration, Uuid::makeV7(now, random_), now);
    (registration.destination.channel() == Channel::Email ? account.user.emailVerified : account.user.phoneVerified) =
        true;
    if (registration.password) account.passwordHash = passwords_.hash(*registration.password);
    account.otpId = registration.otpId;
    account.clientBucket = limitBucket("request-client", asker.client.network);
    account.clientRule = requestsPerClient_;
    account.now = now;
    account.auditId = Uuid::makeV7(now, random_);
    account.client = asker.client;

    AccountCreation creation = store_.create(account);
    switch (creation.outcome) {
    case AccountCreation::Outcome::Created: break;
    case AccountCreation::Outcome::Taken: return {RegistrationOutcome::Taken, std::nullopt, {}, {}};
    case AccountCreation::Outcome::ReceiptSpent: return {RegistrationOutcome::ReceiptSpent, std::nullopt, {}, {}};
    case AccountCreation::Outcome::ClientLimited:
        return {RegistrationOutcome::Limited,
                reportLimit("request_per_client", requestsPerClient_, std::move(creation.hits), now),
                {},
                {}};
    }
    return {RegistrationOutcome::Registered, std::nullopt, std::move(account.user), {}};
}

}  // namespace otpgate::domain
