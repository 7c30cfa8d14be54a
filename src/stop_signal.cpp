#include "stop_signal.h"

#include <csignal>
#include <cstdint>
#include <pthread.h>
#include <utility>

namespace otpgate {

namespace {

sigset_t stopSignals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    return signals;
}

}  // namespace

void blockStopSignals() {
    const sigset_t signals = stopSignals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

void waitForStopSignal(Logger& log) {
    const sigset_t signals = stopSignals();
    int signal = 0;
    sigwait(&signals, &signal);
    log.info("stopping", {{"signal", std::int64_t{signal}}});
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
