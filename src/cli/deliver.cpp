#include "cli/commands.h"
#include "deliver_app.h"
#include "stop_signal.h"

namespace otpgate::cli {

int deliver(const Invocation& invocation) {
    const Settings settings = invocation.settings();
    blockStopSignals();
    DeliverApp(settings).run();
    return 0;
}

}  // namespace otpgate::cli
