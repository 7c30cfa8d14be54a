// Reading Accept-Language (RFC 9110, section 12.5.4).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace otpgate::http {

inline constexpr std::size_t kMaxAcceptedLanguages = 4;
inline constexpr std::size_t kMaxAcceptedLanguagesBytes = 70;

// The language tags by comma, the most wanted first: "fr-CH,fr,en". Without those that are not wanted (q=0), `*` and
// what is no tag; at most kMaxAcceptedLanguages, and no more than kMaxAcceptedLanguagesBytes.
std::string acceptedLanguages(std::string_view header);

}  // namespace otpgate::http
