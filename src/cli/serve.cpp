#include "app.h"
#include "cli/commands.h"
#include "master.h"
#include "otpgate/base/errors.h"
#include "signals.h"

#include <iostream>
#include <optional>

namespace otpgate::cli {

namespace {

using Socket = std::optional<http::ListeningSocket>;

void serveOn(Socket& socket, const Settings& settings, const Runner::Load& load, Overseer& overseer) {
    const auto make = [&socket](const Settings& read) { return std::make_unique<App>(read, socket); };
    Runner(settings, load, make, overseer).run();
}

}  // namespace

int serve(const Invocation& invocation) {
    const auto read = [&invocation] { return invocation.settings(); };
    const auto migrateAsWell = [&] {
        Settings settings = read();
        if (invocation.has("--migrate")) migrateDatabase(settings);
        return settings;
    };
    const Settings settings = migrateAsWell();
    blockSignals();
    Systemd systemd;
    Socket socket;
    if (settings.server.processes == 1) {
        serveOn(socket, settings, migrateAsWell, systemd);
        return 0;
    }
    socket.emplace(settings.server);
    // One of several: what ends it early is told here, because main() is the master's.
    const auto work = [&](const Settings& its, Overseer& master) {
        try {
            serveOn(socket, its, read, master);
            return 0;
        } catch (const ConfigurationError& error) {
            std::cerr << "otpgate: " << error.what() << "\n";
            return 2;
        } catch (const std::exception& error) {
            std::cerr << "otpgate: " << error.what() << "\n";
            return 1;
        }
    };
    return Master(settings, migrateAsWell, *socket, systemd, work).run();
}

}  // namespace otpgate::cli
