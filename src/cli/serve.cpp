#include "app.h"
#include "cli/commands.h"

#include <csignal>
#include <pthread.h>

namespace otpgate::cli {

int serve(const Invocation& invocation) {
    if (!invocation.arguments.empty()) throw UsageError("unexpected argument: " + invocation.arguments.front());
    const Settings settings = invocation.settings();
    // Before the first thread exists, so that every thread inherits it and one alone waits for them.
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    App(settings).serve();
    return 0;
}

}  // namespace otpgate::cli
