// One line of `otpgate import-users`: a JSON object in the words of the API.
#pragma once

#include "cli/import_row.h"

#include <set>
#include <string>

namespace otpgate::cli {

struct LineRules {
    bool mayMakeAdmins = false;
    domain::EmailValidation validation = domain::EmailValidation::Strict;
    std::set<std::string> groups;  // that there are
};

// The time of joining is `now` where the line has none. Throws BadRow, for a field that nobody knows as well.
ImportRow parseLineUser(const std::string& json, const LineRules& rules, Timestamp now);

}  // namespace otpgate::cli
