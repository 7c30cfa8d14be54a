// Which of several hosts to use: the rule, without network, threads or a clock.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <vector>

namespace otpgate::db {

class HostChoice {
public:
    using Time = std::chrono::steady_clock::time_point;
    // A host that has failed is not gone to for so long, as long as there is another one.
    static constexpr std::chrono::seconds kRest{5};
    // The first one is gone back to when it has been well for so long.
    static constexpr std::chrono::seconds kTrial{5};

    explicit HostChoice(std::size_t hosts) : failedAt_(hosts) {}

    std::size_t current() const { return current_; }
    // `host` has failed. Where it is the current one, the next is the first in their order that rests no more, or else
    // the one whose failure is the oldest. Says whether there is another one to go to than `host`.
    bool leave(std::size_t host, Time now);
    // What a look at the first host has shown, while another one is used. Says whether it is gone back to.
    bool noteFirst(bool isWell, Time now);

private:
    std::vector<std::optional<Time>> failedAt_;
    std::optional<Time> firstWellSince_;
    std::size_t current_ = 0;
};

}  // namespace otpgate::db
