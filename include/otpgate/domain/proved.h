// What is told of a user to others than himself: an address only where the user has proved it. Whoever reads it takes
// it for his, and whoever signs in may have had it written there by anybody: an import, a form, the user's own wish.
#pragma once

#include "otpgate/domain/models.h"

#include <optional>
#include <string>

namespace otpgate::domain {

std::optional<std::string> provedEmail(const User& user);
std::optional<std::string> provedPhoneNumber(const User& user);
// The user name; where there is none, the address that the user has proved, the e-mail address first.
std::optional<std::string> tellableName(const User& user);

}  // namespace otpgate::domain
