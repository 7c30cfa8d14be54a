#include "signals.h"

#include <csignal>
#include <cstdint>
#include <pthread.h>

namespace otpgate {

namespace {

sigset_t signalsForUs() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD}) sigaddset(&signals, signal);
    return signals;
}

}  // namespace

void blockSignals() {
    const sigset_t signals = signalsForUs();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

Signal waitForSignal(Logger& log, std::chrono::milliseconds atMost) {
    const sigset_t signals = signalsForUs();
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(atMost);
    const timespec patience{.tv_sec = static_cast<time_t>(seconds.count()),
                            .tv_nsec = static_cast<long>(std::chrono::nanoseconds{atMost - seconds}.count())};
    const int signal = sigtimedwait(&signals, nullptr, &patience);
    if (signal < 0) return Signal::None;
    if (signal == SIGCHLD) return Signal::ChildEnded;
    if (signal == SIGHUP) {
        log.info("reading the settings anew", {{"signal", std::int64_t{signal}}});
        return Signal::Reload;
    }
    if (signal != SIGTERM && signal != SIGINT) {
        log.warning("signal ignored", {{"signal", std::int64_t{signal}}, {"hint", "SIGHUP reads the settings anew"}});
        return Signal::None;
    }
    log.info("stopping", {{"signal", std::int64_t{signal}}});
    return Signal::Stop;
}

}  // namespace otpgate
