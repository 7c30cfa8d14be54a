#include "app.h"
#include "cli/commands.h"
#include "stop_signal.h"

namespace otpgate::cli {

int serve(const Invocation& invocation) {
    const auto& arguments = invocation.arguments;
    const bool migratesFirst = arguments.size() == 1 && arguments.front() == "--migrate";
    if (!arguments.empty() && !migratesFirst) throw UsageError("unexpected argument: " + arguments.front());
    const Settings settings = invocation.settings();
    if (migratesFirst) migrateDatabase(settings);
    blockStopSignals();
    App(settings).serve();
    return 0;
}

}  // namespace otpgate::cli
