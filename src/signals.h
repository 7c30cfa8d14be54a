// What a process that runs until it is told to stop is told by signals: SIGTERM and SIGINT to end in order, SIGHUP to
// read its settings anew, SIGCHLD that a process it has started is over. SIGUSR1 and SIGUSR2, which mean something to
// other services, are a line in the log and no more.
#pragma once

#include "otpgate/base/log.h"

#include <chrono>

namespace otpgate {

enum class Signal { None, Stop, Reload, ChildEnded };

// Before the first thread exists, so that every thread inherits it and one alone waits for them.
void blockSignals();

// The next one, or None when none has come in that time. All but the last of them are logged.
Signal waitForSignal(Logger& log, std::chrono::milliseconds atMost);

}  // namespace otpgate
