// How long one sending may take: each phase a while, and all commands together a bound. Used by the SMTP classes.
#pragma once

#include "otpgate/delivery/mail_settings.h"

#include <algorithm>
#include <chrono>

namespace otpgate::delivery {

class TimeLimit {
public:
    using Clock = std::chrono::steady_clock;

    explicit TimeLimit(const SmtpTimeouts& timeouts)
        : timeouts_(timeouts),
          commandsEnd_(Clock::now() + commands(timeouts)),
          end_(commandsEnd_ + timeouts.data) {}

    // All that a sending can take.
    static std::chrono::seconds longest(const SmtpTimeouts& timeouts) { return commands(timeouts) + timeouts.data; }

    Clock::time_point connect() const { return std::min(Clock::now() + timeouts_.connect, commandsEnd_); }
    Clock::time_point answer() const { return std::min(Clock::now() + timeouts_.answer, commandsEnd_); }
    Clock::time_point data() const { return std::min(Clock::now() + timeouts_.data, end_); }

private:
    // There are some ten commands before the message; a server that is slow at each must not hold a sender for ten
    // timeouts.
    static std::chrono::seconds commands(const SmtpTimeouts& timeouts) {
        return timeouts.connect + 2 * timeouts.answer;
    }

    SmtpTimeouts timeouts_;
    Clock::time_point commandsEnd_;
    Clock::time_point end_;
};

}  // namespace otpgate::delivery
