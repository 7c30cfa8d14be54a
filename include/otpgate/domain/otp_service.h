// Asking for a code and redeeming it. One object a worker thread.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/random.h"
#include "otpgate/domain/limits.h"
#include "otpgate/domain/messenger.h"
#include "otpgate/domain/otp_code.h"
#include "otpgate/domain/session_service.h"
#include "otpgate/domain/stores.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace otpgate::domain {

struct OtpSettings {
    unsigned length = 6;
    std::chrono::seconds emailLifetime{600};
    unsigned maxAttempts = 3;
    std::chrono::seconds resendAfter{30};
    std::string fixedCode;
    LimitRule requestsPerDestination;
    LimitRule requestsPerClient;
    LimitRule guessesPerDestination;
};

// How a limit stands, and which of them it is ("request_per_client").
struct LimitReport {
    std::string_view name;
    LimitState state;
};

struct RequestedOtp {
    bool isAccepted = false;
    Uuid id;
    std::chrono::seconds expiresIn{0};
    std::chrono::seconds resendIn{0};
    std::optional<LimitReport> limit;  // of the destination, or the one that refused; nullopt: unlimited
};

struct VerifiedOtp {
    OtpVerifyResult::Outcome outcome = OtpVerifyResult::Outcome::Unknown;
    unsigned attemptsLeft = 0;
    std::chrono::seconds retryAfter{0};  // where attempts or budget are exhausted
    std::optional<LimitReport> limit;    // where the budget is exhausted
    bool isNewUser = false;
    std::optional<User> user;  // where Verified, as are the tokens
    Tokens tokens;
};

class OtpService {
public:
    OtpService(OtpStore& store, SessionService& sessions, Messenger& messenger, const OtpCodes& codes,
               const Clock& clock, Random& random, OtpSettings settings);

    RequestedOtp request(const Destination& destination, Purpose purpose, const std::string& locale,
                         const Client& client);

    VerifiedOtp verify(const Uuid& otpId, std::string_view guess, const Device& device, const Client& client);
    // The newest code of this destination and purpose.
    VerifiedOtp verify(const Destination& destination, Purpose purpose, std::string_view guess, const Device& device,
                       const Client& client);

private:
    OtpStore& store_;
    SessionService& sessions_;
    Messenger& messenger_;
    const OtpCodes& codes_;
    const Clock& clock_;
    Random& random_;
    OtpSettings settings_;
};

}  // namespace otpgate::domain
