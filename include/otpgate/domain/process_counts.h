// Counts what need not be exact over several processes, and must cost no row: in memory, of this process alone. Any
// thread. Wrong guesses that name an address, whether it has a code or not: how many tries are left is told by this
// count alone, so it does not tell whether there is a code. And what would else fill a table, by whoever has an
// account.
#pragma once

#include "otpgate/base/clock.h"

#include <cstddef>
#include <mutex>
#include <string>
#include <unordered_map>

namespace otpgate::domain {

class ProcessCounts {
public:
    explicit ProcessCounts(std::size_t most = 50'000) : most_(most) {}

    // One more; returns how many there are now. They are forgotten at `end`, as far as it is the first.
    unsigned count(const std::string& subject, Timestamp now, Timestamp end);
    // As after a new code: that it was asked for is no secret, for the limit on requests tells it to whoever asks for
    // the next.
    void forget(const std::string& subject);

private:
    struct Counted {
        unsigned times = 0;
        Timestamp end;
    };
    Counted& at(const std::string& subject, Timestamp now, Timestamp end);

    const std::size_t most_;
    std::mutex mutex_;
    std::unordered_map<std::string, Counted> counted_;
};

}  // namespace otpgate::domain
