// What an operator should know of his settings before strangers find it out: who may have messages sent, and how many.
// Said by check-config, and in the log at each start.
#pragma once

#include "settings.h"

#include <string>
#include <vector>

namespace otpgate {

std::vector<std::string> startNotes(const Settings& settings);
// What is allowed and yet hardly meant, a sentence each; nothing in development.
std::vector<std::string> doubtsAbout(const Settings& settings);
// The names of those that differ and that a process which reads its settings anew (SIGHUP) cannot follow.
std::vector<std::string> readAtTheStartOnly(const Settings& before, const Settings& after);

}  // namespace otpgate
