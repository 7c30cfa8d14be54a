// What is known of a channel's provider from the last sendings: whether it is worth while to ask it now. Used by the
// courier's queue of the channel, which locks it.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/delivery/send_result.h"

#include <optional>
#include <string>

namespace otpgate::delivery {

class ProviderBreaker {
public:
    void note(const SendResult& result, Timestamp now);

    // Other messages would fare no better now.
    bool isOpen(Timestamp now) const { return wantsOneAtATime() || now < restUntil_; }
    // A provider that is down is tried by one sender at a time.
    bool wantsOneAtATime() const;
    bool hasJustFailed() const { return failuresInARow_ > 0; }
    // Why the provider is not to be asked before restUntil(); nothing where it may be.
    std::optional<std::string> restReason(Timestamp now) const;
    Timestamp restUntil() const { return restUntil_; }

private:
    unsigned failuresInARow_ = 0;
    Timestamp restUntil_;  // as the provider asked for
    std::string restReason_;
};

}  // namespace otpgate::delivery
