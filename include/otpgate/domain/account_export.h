// What is known of one person, for that person to have and to take along (GDPR, articles 15 and 20). Nothing in it lets
// anybody in: no hash, no secret, no code and no id that one is guessed by.
#pragma once

#include "otpgate/base/clock.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace otpgate::domain {

// A text of ids, a number, a time; nothing where there is none.
using ExportValue = std::variant<std::monostate, std::string, std::int64_t, Timestamp>;

// The rows of one kind of thing, each with the same names.
struct ExportSection {
    std::string_view name;
    std::vector<std::vector<std::pair<std::string_view, ExportValue>>> rows;
};

}  // namespace otpgate::domain
