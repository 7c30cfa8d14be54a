// Codes for other applications: what is to be known of a verification travels in a sealed context, which the
// application keeps. One object a worker thread.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/random.h"
#include "otpgate/domain/messenger.h"
#include "otpgate/domain/otp_code.h"
#include "otpgate/domain/otp_metrics.h"
#include "otpgate/domain/otp_service.h"
#include "otpgate/domain/verification_store.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace otpgate::domain {

struct VerificationSettings {
    LimitRule requestsPerDestination;  // whoever has them sent
    LimitRule requestsPerOwner;
    LimitRule guessesPerDestination;  // of each application's owner
    std::chrono::seconds resendAfter{30};
};

enum class CodeDelivery {
    Message,  // we send it
    Caller    // the application is told the code; it is counted as its owner's, and nothing else is written
};

// Of an API key that has a limit of its own, in place of its owner's.
struct KeyLimit {
    Uuid keyId;
    LimitRule rule;
};

struct VerificationQuestion {
    Destination to;
    std::string purpose = "verify";
    CodeFormat format;
    std::string metadata = "{}";  // a JSON object
    std::chrono::seconds expiresIn{300};
    std::chrono::seconds sessionExpiresIn{900};
    unsigned maxAttempts = 3;
    CodeDelivery delivery = CodeDelivery::Message;
    std::string locale{};  // of whom the code is for; empty: the default
    std::optional<KeyLimit> keyLimit{};
};

struct RequestedVerification {
    bool isAccepted = true;
    std::optional<LimitReport> limit;  // of the destination, or the one that refused
    std::string context;
    std::string code;  // where the caller delivers it
    Delivery delivery = Delivery::UnderWay;
};

struct CheckedVerification {
    enum class Outcome {
        Verified,
        InvalidContext,  // not ours, or another owner's
        WrongCode,
        Used,
        CodeExpired,
        SessionExpired,
        AttemptsExhausted,
        BudgetExhausted
    };
    Outcome outcome = Outcome::InvalidContext;
    // These where Verified.
    std::string identifier;
    std::string purpose;
    std::string metadata;
    unsigned retryCount = 0;
    // These where WrongCode.
    std::string context;  // the next one
    unsigned attemptsLeft = 0;
    // Where attempts or budget are exhausted.
    std::chrono::seconds retryAfter{0};
    std::optional<LimitReport> limit;
};

class VerificationService {
public:
    VerificationService(VerificationStore& store, Messenger& messenger, const OtpCodes& codes,
                        const crypto::KeyRing& ring, const Clock& clock, Random& random, OtpMetrics& metrics,
                        VerificationSettings settings);

    const CodeFormat& codeFormat() const { return codes_.format(); }
    RequestedVerification request(const VerificationQuestion& question, const Uuid& ownerId, const Client& client);
    CheckedVerification check(std::string_view context, std::string_view guess, const Uuid& ownerId,
                              const Client& client);

    // Whether a code and a context of a moment ago are what they should be. Asks no database.
    bool worksInItself() const;

private:
    VerificationStore& store_;
    Messenger& messenger_;
    const OtpCodes& codes_;
    const crypto::KeyRing& ring_;
    const Clock& clock_;
    Random& random_;
    OtpMetrics& metrics_;
    VerificationSettings settings_;
};

}  // namespace otpgate::domain
