// Right guesses of which nobody knows whether they counted, because the connection to the database was lost at their
// COMMIT: their clients were told to try again (503). When they do, the guess is made once more with the ids that it
// had, so whatever became of it, there is one session, and it is theirs. In memory, and so of this process alone. Any
// thread.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/domain/otp_store.h"

#include <chrono>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>

namespace otpgate::domain {

// Whether a guess is a second try by whoever made the first one. That it is right proves little, for a code may be read
// over somebody's shoulder. Who shows a device's token is that device, for nobody else has it. Who shows none names the
// code by its id, which was told to nobody but who asked for it, and comes from the same network with the same program
// and installation.
bool isBySameClient(const OtpVerification& first, const OtpVerification& second);

class UnansweredGuesses {
public:
    static constexpr std::chrono::seconds kRemembered{60};

    explicit UnansweredGuesses(std::size_t most = 10'000) : most_(most) {}

    void remember(const OtpVerification& guess);
    // The guess to make in place of this one, which is forgotten; nullopt: it is the first of its client.
    std::optional<OtpVerification> take(const OtpVerification& guess);

private:
    const std::size_t most_;
    std::mutex mutex_;
    std::map<Uuid, OtpVerification> byCode_;
};

}  // namespace otpgate::domain
