// Whether the settings are still for the site that the passkeys in the database were made for.
#pragma once

#include "otpgate/db/connection.h"
#include "settings.h"

#include <string>

namespace otpgate {

// What is wrong, or nothing. Throws what the database throws.
std::string strayedFromPasskeys(db::Connection& connection, const Settings& settings);

}  // namespace otpgate
