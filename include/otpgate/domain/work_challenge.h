// Proof of work: whoever asks for very much pays with his processor's time, in place of being turned away. In the form
// of ALTCHA (version 1, SHA-256), so that its widget solves it as well as our page does. Without state: what was solved
// is spent where the request is counted, see NewOtpRequest::workBucket.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/random.h"
#include "otpgate/crypto/key_ring.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace otpgate::domain {

// Before what a code is sent. Each asks where the one before it does, too; a device that the account knows is never
// asked.
enum class AskForWork {
    Off,
    Limits,  // where a client's limit is spent, in place of the refusal, but for SMS
    Sms,     // before each SMS
    Always
};

struct WorkSettings {
    AskForWork when = AskForWork::Off;
    unsigned steps = 50000;  // hashes at most to be made, half of them on average
};

inline constexpr std::chrono::minutes kWorkFor{10};  // so long a challenge is good

struct WorkChallenge {
    std::string challenge;
    std::string salt;
    std::string signature;
    unsigned steps = 0;

    // {"algorithm":"SHA-256","challenge":...,"maxnumber":...,"salt":...,"signature":...}
    std::string toJson() const;
};

// `subject`: what it is good for, and nothing else: purpose, destination and client of the request.
WorkChallenge makeWorkChallenge(const crypto::KeyRing& ring, std::string_view subject, unsigned steps, Timestamp now,
                                Random& random);

// As the widget sends it back; `number` is what was looked for.
struct WorkSolution {
    std::string challenge;
    std::string salt;
    std::string signature;
    std::uint64_t number = 0;
};
// The bucket under which it is spent, as limitBucket() has it; nullopt: it solves none of our challenges for this
// subject, or one that is too old.
std::optional<std::string> solvedWork(const crypto::KeyRing& ring, std::string_view subject,
                                      const WorkSolution& solution, Timestamp now);

}  // namespace otpgate::domain
