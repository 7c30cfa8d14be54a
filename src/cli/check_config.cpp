#include "cli/commands.h"
#include "cli/service_user.h"
#include "cli/settings_check.h"
#include "otpgate/base/errors.h"
#include "passkey_site.h"
#include "start_notes.h"

#include <iostream>
#include <stdexcept>
#include <unistd.h>

namespace otpgate::cli {

namespace {

// Nothing is made here, a database least of all; and one that does not answer, or that this user cannot open, is for
// doctor to tell.
std::string strayedSite(const Settings& settings) {
    const auto file = db::sqliteFileOf(settings.database.url);
    if (file && ::access(file->c_str(), R_OK | W_OK) != 0) return {};
    try {
        const auto database = db::openDatabase(settings.database);
        return strayedFromPasskeys(*database->connect(), settings);
    } catch (const std::runtime_error&) {
        return {};
    }
}

}  // namespace

int checkConfig(const Invocation& invocation) {
    const auto user = serviceUser(invocation.value("--as"));
    if (user) become(*user);
    const Settings settings = invocation.settings();
    requireUsable(settings);
    for (const std::string& doubt : doubtsAbout(settings)) std::cout << "doubtful: " << doubt << "\n";
    for (const std::string& note : startNotes(settings)) std::cout << note << "\n";
    if (const std::string host = firstDatabaseHost(settings); !host.empty()) {
        std::cout << "database.url: " << host << " is used while it is well, and then the next one\n";
    }
    if (const std::string fault = strayedSite(settings); !fault.empty()) {
        throw ConfigurationError("passkeys.rp_id: " + fault + "; all of them would be lost");
    }
    std::cout << "the configuration is good" << (user ? ", as the user " + user->name + " reads it" : "") << "\n";
    return 0;
}

}  // namespace otpgate::cli
