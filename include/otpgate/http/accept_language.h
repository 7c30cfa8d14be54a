// Reading Accept-Language (RFC 9110, section 12.5.4), and single tags of languages.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace otpgate::http {

inline constexpr std::size_t kMaxAcceptedLanguages = 4;
inline constexpr std::size_t kMaxAcceptedLanguagesBytes = 70;

// A tag in BCP 47's letters, from what clients have in its place too: "en_US.UTF-8" and "en-US@posix" are en-US.
// nullopt for what is no tag, which says nothing of a language.
std::optional<std::string> parseLanguageTag(std::string_view text);

// The language tags by comma, the most wanted first: "fr-CH,fr,en". Without those that are not wanted (q=0), `*` and
// what is no tag; at most kMaxAcceptedLanguages, and no more than kMaxAcceptedLanguagesBytes.
std::string acceptedLanguages(std::string_view header);

}  // namespace otpgate::http
