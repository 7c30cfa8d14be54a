#include "cli/commands.h"
#include "cli/service_user.h"
#include "cli/settings_check.h"
#include "start_notes.h"

#include <iostream>

namespace otpgate::cli {

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
    std::cout << "the configuration is good" << (user ? ", as the user " + user->name + " reads it" : "") << "\n";
    return 0;
}

}  // namespace otpgate::cli
