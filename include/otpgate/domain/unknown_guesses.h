// Counts guesses at addresses that have no live code as if there were one, so that how many tries are left does not
// tell whether there is. In memory, and so of this process alone: nothing is written for what is not there. Any thread.
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
    // So many have been counted at a code of the subject; what follows it goes on from there.
    void note(const std::string& subject, unsigned guesses, Timestamp now, Timestamp end);
    // There is a new code.
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
