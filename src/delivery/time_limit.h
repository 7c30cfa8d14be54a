// How long one sending may take: each step a while, all together three times that. Used by the SMTP classes.
#pragma once

#include <algorithm>
#include <chrono>

namespace otpgate::delivery {

class TimeLimit {
public:
    using Clock = std::chrono::steady_clock;
    // A whole sending is some ten steps; a server that is slow at each must not hold the courier for ten timeouts.
    static constexpr int kStepsInAll = 3;

    explicit TimeLimit(std::chrono::milliseconds step) : step_(step), end_(Clock::now() + step * kStepsInAll) {}

    Clock::time_point step() const { return std::min(Clock::now() + step_, end_); }
    Clock::time_point end() const { return end_; }

private:
    std::chrono::milliseconds step_;
    Clock::time_point end_;
};

}  // namespace otpgate::delivery
