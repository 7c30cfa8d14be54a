// Signing up by form: sees to the address being proved, before or after; there is an account from then on. One object a
// worker thread.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/random.h"
#include "otpgate/domain/account_store.h"
#include "otpgate/domain/otp_service.h"
#include "otpgate/domain/password_service.h"

#include <optional>
#include <string>

namespace otpgate::domain {

struct Registration {
    Destination destination;
    std::optional<std::string> password;
    std::optional<Uuid> otpId;  // of the verified code whose receipt was shown; its MAC has been checked
    std::string firstName;
    std::string lastName;
    std::string locale;
};

struct RegistrationResult {
    enum class Outcome { Registered, Taken, ReceiptSpent, Limited, SendFailed };
    Outcome outcome = Outcome::Registered;
    std::optional<LimitReport> limit;
    User user;                         // where Registered: as it is, or will be
    std::optional<RequestedOtp> code;  // where the address is not proved yet; of Limited, what was refused
};

class RegistrationService {
public:
    RegistrationService(AccountStore& store, OtpService& otp, PasswordService& passwords, const Clock& clock,
                        Random& random, const OtpSettings& settings);

    // The sentence that says why the password may not be used; none where there is no password.
    std::optional<std::string> reasonToRefuse(const Registration& registration) const;
    // With a receipt the address is proved, and the account is made. Without one a code of purpose verify is sent to
    // it; who proves the address by it, and by its id, has the account that the form asks for. Until then there is
    // none, so neither a login nor another registration tells whether there was one before. An address that has an
    // account already is Taken where its owner asks or the settings reveal it; else the answer is a user made up of the
    // request, after the same work.
    RegistrationResult registerUser(const Registration& registration, const Asker& asker);

private:
    RegistrationResult registerProved(const Registration& registration, const Asker& asker);
    RegistrationResult registerUnproved(const Registration& registration, const Asker& asker);

    AccountStore& store_;
    OtpService& otp_;
    PasswordService& passwords_;
    const Clock& clock_;
    Random& random_;
    Disclosure disclosure_;
    LimitRule requestsPerClient_;
};

}  // namespace otpgate::domain
