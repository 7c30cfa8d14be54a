#include "otpgate/domain/registration_service.h"

#include "otpgate/domain/account_service.h"

namespace otpgate::domain {

using Outcome = RegistrationResult::Outcome;

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
    User user = makeUser({}, registration.destination, {});
    user.firstName = registration.firstName;
    user.lastName = registration.lastName;
    return passwords_.reasonToRefuse(*registration.password, user);
}

RegistrationResult RegistrationService::registerUser(const Registration& registration, const Asker& asker) {
    // The code first: its limits are those of the registration, and what they refuse costs no hash.
    if (!registration.otpId) {
        auto code = otp_.request({registration.destination, Purpose::Verify, registration.locale}, asker);
        if (code.outcome != OtpRequestResult::Outcome::Accepted) return {Outcome::Limited, code.limit, {}};
        if (code.delivery == Delivery::Failed) return {Outcome::SendFailed, std::nullopt, {}};
    }
    const Timestamp now = clock_.now();
    NewAccount account;
    account.user = makeUser(Uuid::makeV7(now, random_), registration.destination, now);
    account.user.firstName = registration.firstName;
    account.user.lastName = registration.lastName;
    account.user.locale = registration.locale;
    account.user.hasPassword = registration.password.has_value();
    (registration.destination.channel() == Channel::Email ? account.user.emailVerified : account.user.phoneVerified) =
        registration.otpId.has_value();
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
    case AccountCreation::Outcome::Taken:
        if (registration.otpId || disclosure_ == Disclosure::Reveal) return {Outcome::Taken, std::nullopt, {}};
        break;
    case AccountCreation::Outcome::ReceiptSpent: return {Outcome::ReceiptSpent, std::nullopt, {}};
    case AccountCreation::Outcome::ClientLimited:
        return {
            Outcome::Limited, reportLimit("request_per_client", requestsPerClient_, std::move(creation.hits), now), {}};
    }
    return {Outcome::Registered, std::nullopt, std::move(account.user)};
}

}  // namespace otpgate::domain
