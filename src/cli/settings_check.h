// What can be said about settings without changing or contacting anything. Shared by check-config and doctor.
#pragma once

#include "settings.h"

#include <string>

namespace otpgate::cli {

// Reads the master key file, the templates and all that the settings name. Throws ConfigurationError for the first that
// is wrong.
void requireUsable(const Settings& settings);

// The first of several hosts of the database; empty where there is one.
std::string firstDatabaseHost(const Settings& settings);

}  // namespace otpgate::cli
