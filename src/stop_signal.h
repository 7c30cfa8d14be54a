// SIGTERM and SIGINT as an orderly end; SIGHUP, SIGUSR1 and SIGUSR2, which other services take as "read your settings
// again" or "open your log again", as a line in the log and no more. Used by the commands that run until they are told
// to stop.
#pragma once

#include "otpgate/base/log.h"

#include <chrono>
#include <functional>
#include <thread>

namespace otpgate {

// Before the first thread exists, so that every thread inherits it and one alone waits for them.
void blockStopSignals();

// Until one of the first two comes, and says so in the log.
void waitForStopSignal(Logger& log);
// At most so long. True when one came.
bool waitForStopSignal(Logger& log, std::chrono::seconds atMost);

// Calls `stop` when one comes. A thread of its own, because a signal handler may do next to nothing.
class StopOnSignal {
public:
    StopOnSignal(std::function<void()> stop, Logger& log);
    ~StopOnSignal();
    StopOnSignal(const StopOnSignal&) = delete;
    StopOnSignal& operator=(const StopOnSignal&) = delete;

private:
    std::thread thread_;
};

}  // namespace otpgate
