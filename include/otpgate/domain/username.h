// The names by which applications tell accounts apart: one account each, for ever. What people like to be called is
// User::displayName, which is free.
#pragma once

#include "otpgate/domain/models.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace otpgate::domain {

inline constexpr std::size_t kMinUsernameCharacters = 2;
inline constexpr std::size_t kMaxUsernameCharacters = 64;

// In form C and lower case, so that two that differ only there are one. nullopt for what is not 2 to 64 of a-z, 0-9,
// dot, hyphen and underscore with a letter or digit at both ends and a letter anywhere: no letter of another script
// looks like one of these, and nobody takes such a name for an address, a number or an id, of which it is none.
std::optional<std::string> parseUsername(std::string_view text);

// Whether people would take its holder for the operator: what RFC 2142 names, and what systems call their masters. An
// administrator may give such a name, nobody takes one.
bool isReservedUsername(std::string_view username);

// What answers show where there is no user name: the address, the e-mail address first. Of an account without either,
// "".
std::string shownUsername(const User& user);

}  // namespace otpgate::domain
