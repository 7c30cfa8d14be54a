// Signing up by form: makes the account, and sees to its address being proved, before or after. One object a worker
// thread.
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
    User user;  // where Registered
};

class RegistrationService {
public:
    RegistrationService(AccountStore& store, OtpService& otp, PasswordService& passwords, const Clock& clock,
                        Random& random, const OtpSettings& settings);

    // The sentence that says why the password may not be used; none where there is no password.
    std::optional<std::string> reasonToRefuse(const Registration& registration) const;
    // With a receipt the address is verified; without one a code of purpose verify is sent to it. An address that has
    // an account already is Taken where its owner asks or the settings reveal it; else the answer is a user made up of
    // the request, after the same work.
    RegistrationResult registerUser(const Registration& registration, const Asker& asker);

private:
    AccountStore& store_;
    OtpService& otp_;
    PasswordService& passwords_;
    const Clock& clock_;
    Random& random_;
    Disclosure disclosure_;
    LimitRule requestsPerClient_;
};

}  // namespace otpgate::domain
