// The database's part of setup: a database and a user of MySQL or MariaDB, for otpgate alone.
#pragma once

#include "cli/findings.h"
#include "cli/settings_file.h"
#include "settings.h"

#include <string>

namespace otpgate::cli {

struct DatabaseSetup {
    std::string url;           // mysql://USER@HOST/NAME, as in database.url
    std::string passwordFile;  // made where it is not there
    // Who may make databases and users. Of the server's own root, over its socket, without a password.
    std::string adminUrl;
    std::string adminPassword;
};

// Makes what is not there yet. The settings name the new database at once where nobody would be lost by that: where the
// present one holds users and the new one does not, it says how to take them along instead.
void setUpDatabase(const DatabaseSetup& setup, const Settings& settings, SettingsFile& file, Findings& findings);

}  // namespace otpgate::cli
