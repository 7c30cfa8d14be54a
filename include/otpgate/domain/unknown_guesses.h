// Counts wrong guesses that name an address, whether it has a code or not: how many tries are left is told by this
// count alone, so it does not tell whether there is a code. In memory, and so of this process alone: nothing is written
// for what is not there, and where several processes answer, each tells its own. Any thread.
#pragma once

#include "otpgate/base/clock.h"

#include <cstddef>
#include <mutex>
#include <string>
#include <unordered_map>

namespace otpgate::domain {

class UnknownGuesses {
public:
    explicit UnknownGuesses(std::size_t most = 50'000) : most_(most) {}

    // One more; returns how many there are now. They are forgotten at `end`, as far as it is the first.
    unsigned count(const std::string& subject, Timestamp now, Timestamp end);
    // A new code was asked for. That it was is no secret: the limit on requests tells it to whoever asks for the next.
    void forget(const std::string& subject);

private:
    struct Counted {
        unsigned guesses = 0;
        Timestamp end;
    };
    Counted& at(const std::string& subject, Timestamp now, Timestamp end);

    const std::size_t most_;
    std::mutex mutex_;
    std::unordered_map<std::string, Counted> counted_;
};

}  // namespace otpgate::domain
