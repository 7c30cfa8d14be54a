#include "app.h"
#include "cli/commands.h"
#include "stop_signal.h"

namespace otpgate::cli {

int serve(const Invocation& invocation) {
    if (!invocation.arguments.empty()) throw UsageError("unexpected argument: " + invocation.arguments.front());
    const Settings settings = invocation.settings();
    blockStopSignals();
    App(settings).serve();
    return 0;
}

}  // namespace otpgate::cli
