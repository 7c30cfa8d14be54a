// What runs until it is told to stop, and may be followed by another one of its kind, made of other settings: the body
// of `otpgate serve` and of `otpgate deliver`. Runs it, and makes the next one at a SIGHUP.
#pragma once

#include "otpgate/base/clock.h"
#include "overseer.h"
#include "settings.h"

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>

namespace otpgate {

class Program {
public:
    virtual ~Program() = default;
    // Returns when it works; throws where it cannot.
    virtual void start() = 0;
    // The next one works already: ends what has begun.
    virtual void handOver() = 0;
    // Nobody follows: ends what has begun, and lets nobody in any more.
    virtual void stop() = 0;
    // What is to be done now and then; called about every second, on the thread of run(). Throws what has ended it.
    virtual void tend() = 0;
    // Whether it was seen to answer within that time. From another thread.
    virtual bool answers(std::chrono::milliseconds patience) const = 0;
};

class Runner {
public:
    using Load = std::function<Settings()>;
    using Make = std::function<std::unique_ptr<Program>(const Settings&)>;

    // What it is given outlives it.
    Runner(const Settings& settings, Load load, Make make, Overseer& overseer);

    // Runs a program until SIGTERM or SIGINT, which the caller has blocked before there was another thread. At a SIGHUP
    // the settings are read anew, and a program of them takes the place of the old one when it works; where it cannot,
    // or they are wrong, the old one goes on and the log says why. Throws what the first program throws.
    void run();

private:
    void reload();
    bool answers(std::chrono::milliseconds patience);

    SystemClock clock_;
    Settings settings_;
    std::unique_ptr<Logger> log_;
    const Load load_;
    const Make make_;
    Overseer& overseer_;
    std::mutex mutex_;  // of who is asked whether he answers
    std::unique_ptr<Program> program_;
};

}  // namespace otpgate
