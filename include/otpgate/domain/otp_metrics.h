// What becomes of the codes, by channel and purpose. One for the process; counting is for any thread.
#pragma once

#include "otpgate/base/metrics.h"
#include "otpgate/domain/models.h"

#include <array>
#include <cstddef>
#include <optional>

namespace otpgate::domain {

enum class OtpEvent {
    Requested,    // accepted: a message waits, or stands for one to an account that is not there
    RateLimited,  // refused, by the destination's or the client's limit
    Sent,
    SendFailed,  // given up; not what was never to be sent
    Verified,
    Failed,   // a guess that was wrong, at a code that was used or that nobody has, or of a disabled account
    Expired,  // a guess at a code that was too old
    Locked    // a guess that was not compared: tries or budget were spent
};

class OtpMetrics {
public:
    // Nothing where a guess does not tell: an id that no code has.
    void count(OtpEvent event, std::optional<Channel> channel, std::optional<Purpose> purpose);
    void count(OtpEvent event, const Destination& destination, Purpose purpose) {
        count(event, destination.channel(), purpose);
    }
    // All of them, what is still zero too, but for the unknown.
    void write(MetricsText& text) const;

private:
    static constexpr std::size_t kEvents = static_cast<std::size_t>(OtpEvent::Locked) + 1;
    // The last of each is the unknown.
    static constexpr std::size_t kChannels = 3;
    static constexpr std::size_t kPurposes = 9;
    using ByPurpose = std::array<Counter, kPurposes>;

    std::array<std::array<ByPurpose, kChannels>, kEvents> counters_;
};

}  // namespace otpgate::domain
