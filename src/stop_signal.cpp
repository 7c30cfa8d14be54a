#include "stop_signal.h"

#include <chrono>
#include <csignal>
#include <cstdint>
#include <pthread.h>
#include <utility>

namespace otpgate {

namespace {

sigset_t signalsForUs() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2}) sigaddset(&signals, signal);
    return signals;
}

}  // namespace

void blockStopSignals() {
    const sigset_t signals = signalsForUs();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

void waitForStopSignal(Logger& log) {
    while (!waitForStopSignal(log, std::chrono::hours{24})) {
    }
}

bool waitForStopSignal(Logger& log, std::chrono::seconds atMost) {
    const sigset_t signals = signalsForUs();
    const timespec patience{.tv_sec = static_cast<time_t>(atMost.count()), .tv_nsec = 0};
    const int signal = sigtimedwait(&signals, nullptr, &patience);
    if (signal < 0) return false;
    if (signal != SIGTERM && signal != SIGINT) {
        log.warning("signal ignored",
                    {{"signal", std::int64_t{signal}}, {"hint", "settings are read at the start: restart instead"}});
        return false;
    }
    log.info("stopping", {{"signal", std::int64_t{signal}}});
    return true;
}

StopOnSignal::StopOnSignal(std::function<void()> stop, Logger& log)
    : thread_([stop = std::move(stop), &log] {
          waitForStopSignal(log);
          stop();
      }) {}

StopOnSignal::~StopOnSignal() {
    // Wakes the thread where the service ended by itself; otherwise it is gone already.
    pthread_kill(thread_.native_handle(), SIGTERM);
    thread_.join();
}

}  // namespace otpgate
