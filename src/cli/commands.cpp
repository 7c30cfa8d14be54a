#include "cli/commands.h"

#include <unistd.h>

namespace otpgate::cli {

Settings Invocation::settings() const {
    std::map<std::string, std::string> environment;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        const auto equals = text.find('=');
        if (equals != std::string_view::npos) environment.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
    return loadSettings(configPath, environment);
}

const std::vector<Command>& commands() {
    static const std::vector<Command> list = {
        {"serve", "[--config FILE]", "answer requests until SIGTERM or SIGINT",
         "Listens on server.listen for the web server's FastCGI requests and sends the messages.\n"
         "The database must have been migrated.\n",
         &serve},
        {"migrate", "[--config FILE]", "create or update the database",
         "Applies what is missing, under a lock: safe to run twice or on several hosts at once.\n", &migrate},
        {"check-config", "[--config FILE]", "read every setting and start nothing",
         "Reads the file, the environment, the master key file and all that they name. Nothing is changed or "
         "contacted.\n",
         &checkConfig},
        {"keys", "init [--if-missing] | list | rotate [--config FILE]",
         "make the master key file; list and rotate token keys",
         "init    makes keys.master_file with a new master key; never overwrites one (--if-missing: and says nothing)\n"
         "list    shows the keys that sign access tokens, and from when each does\n"
         "rotate  publishes a new one now; it signs ten minutes later, when everyone knows it\n",
         &keys},
        {"audit", "export [--from TIME] [--to TIME] [--event EVENT] [--email ADDRESS] [--format csv|json] [--config FILE]",
         "write the audit trail to standard output, the newest first",
         "TIME is a date (2026-11-20) or RFC 3339 (2026-11-20T05:12:00Z), both inclusive; EVENT a name such as "
         "LOGIN_FAILED.\n",
         &audit},
        {"health", "[--config FILE]", "say whether database, migrations, keys and the running service are well",
         "Exit code 0 when all is well, 1 when something is not.\n", &health},
        {"version", "", "show the version", "", &version},
    };
    return list;
}

}  // namespace otpgate::cli
