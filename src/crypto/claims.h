// Reads the payload of a token whose signature was verified: an object of strings, integers, arrays of strings and
// true or false, which is all that a token of ours holds.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace otpgate::crypto {

using ClaimValue = std::variant<std::string, std::int64_t, std::vector<std::string>, bool>;
using Claims = std::map<std::string, ClaimValue, std::less<>>;

// Nothing for a duplicated name, for a value of another kind, and for spaces between the tokens (we write none).
std::optional<Claims> parseClaims(std::string_view json);

// The claim where it is there and of that type, else nullptr.
template <typename T>
const T* findClaim(const Claims& claims, std::string_view name) {
    const auto claim = claims.find(name);
    return claim == claims.end() ? nullptr : std::get_if<T>(&claim->second);
}

}  // namespace otpgate::crypto
