#include "cli/commands.h"
#include "deliver_app.h"
#include "signals.h"

namespace otpgate::cli {

int deliver(const Invocation& invocation) {
    const Settings settings = invocation.settings();
    blockSignals();
    Systemd systemd;
    const auto make = [](const Settings& read) { return std::make_unique<DeliverApp>(read); };
    Runner(
        settings, [&invocation] { return invocation.settings(); }, make, systemd)
        .run();
    return 0;
}

}  // namespace otpgate::cli
