// Password hashing for request threads: as many hashes at a time as there are slots, a short queue before them, and a
// refusal beyond, on threads that yield to all others. A flood of password logins costs neither the code logins nor the
// memory of the machine. One for the whole process, used by any thread, made after the last fork.
#pragma once

#include "otpgate/base/random.h"
#include "otpgate/crypto/password_hash.h"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace otpgate::crypto {

struct PasswordGateOptions {
    PasswordCost cost;
    unsigned slots = 0;  // threads that hash; 0: one a core
    unsigned queue = 4;  // calls that may wait for one of them
    // How long a slot without work keeps the memory of its last hash. No slot has any before its first.
    std::chrono::milliseconds keepMemory{60'000};
};

class PasswordGate {
public:
    // Starts the threads. `random` outlives the gate and is used by them. Throws std::invalid_argument for a cost
    // outside of the limits of password_hash.h.
    PasswordGate(const PasswordGateOptions& options, Random& random);
    // Does what waits, refuses what comes, and returns when the last call has.
    ~PasswordGate();
    PasswordGate(const PasswordGate&) = delete;
    PasswordGate& operator=(const PasswordGate&) = delete;

    // These block until it is done, and throw ServiceUnavailable: at once where the queue is full, later where there
    // is no memory. What they promise is in password_hash.h.
    std::string hash(std::string_view password);
    // Whatever the stored hash is, a wrong password costs the same work: that of our own hash and of every other kind
    // that was learned, to the most of each. Work, not a pause: it takes as long where the machine is busy, and there
    // is nothing to be seen in how long others wait. A right password is compared and no more.
    PasswordMatch verify(std::string_view password, std::string_view storedHash);
    // The same work for a user who does not exist or has no password.
    void verifyNobody(std::string_view password);

    // Costs of hashes that somebody may have, by their names (password_costs.h).
    void learn(const std::vector<std::string>& costs);
    bool knows(const std::string& cost) const;

    bool needsUpgrade(std::string_view storedHash) const { return crypto::needsUpgrade(storedHash, options_.cost); }

    struct Load {
        std::size_t running = 0;
        std::size_t waiting = 0;
        std::uint64_t refused = 0;  // since the start
        std::size_t heldBytes = 0;  // by slots, at work or waiting
    };
    Load load() const;

private:
    struct Job;
    std::set<std::string> knownCosts() const;
    void run(std::function<void()> work);
    void serve();
    void finishOne(std::unique_lock<std::mutex>& lock);

    const PasswordGateOptions options_;
    Random& random_;

    mutable std::mutex mutex_;
    std::condition_variable work_;  // there is a job, or an end
    std::condition_variable left_;  // the last call has returned
    std::deque<Job*> queue_;
    Load load_;  // all but `waiting`
    std::size_t calls_ = 0;
    std::set<std::string> costs_;  // our own among them
    bool isEnding_ = false;
    std::vector<std::thread> threads_;  // last: they use all of the above
};

}  // namespace otpgate::crypto
