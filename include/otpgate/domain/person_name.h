// The names that people give themselves: shown on pages, in mails and terminals, so nothing in them may act there.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace otpgate::domain {

inline constexpr std::size_t kMaxNameCharacters = 150;

// In Unicode's form C, without white space and invisible marks around. nullopt: longer than kMaxNameCharacters code
// points, not UTF-8, or with a character that controls: C0, DEL, C1, line and paragraph separators, and those that turn
// the direction of text around.
std::optional<std::string> parsePersonName(std::string_view text);

}  // namespace otpgate::domain
