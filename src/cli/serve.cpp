#include "app.h"
#include "cli/commands.h"
#include "stop_signal.h"

namespace otpgate::cli {

int serve(const Invocation& invocation) {
    const Settings settings = invocation.settings();
    if (invocation.has("--migrate")) migrateDatabase(settings);
    blockStopSignals();
    App(settings).serve();
    return 0;
}

}  // namespace otpgate::cli
