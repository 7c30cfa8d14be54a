// The pieces that the text forms of password hashes are made of.
#pragma once

#include "otpgate/base/encoding.h"
#include "otpgate/base/text.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace otpgate::crypto {

inline bool skip(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

inline std::optional<unsigned> parseNumber(std::string_view text, unsigned lowest, unsigned highest) {
    const auto number = otpgate::parseNumber<unsigned>(text);
    return number && *number >= lowest && *number <= highest ? number : std::nullopt;
}

// What a hash costs: digits alone, whatever they amount to; the most that fits where they amount to more.
inline std::optional<unsigned> parseCost(std::string_view text, unsigned lowest) {
    if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
    const unsigned cost = otpgate::parseNumber<unsigned>(text).value_or(std::numeric_limits<unsigned>::max());
    return cost >= lowest ? std::optional{cost} : std::nullopt;
}

// RFC 4648, section 4, by way of section 5. Argon2's strings are without padding, Django's PBKDF2 has it.
inline std::string toBase64(std::string_view bytes) {
    std::string text = toBase64Url(bytes);
    std::replace(text.begin(), text.end(), '-', '+');
    std::replace(text.begin(), text.end(), '_', '/');
    return text;
}
inline std::optional<std::string> parseBase64(std::string_view encoded) {
    if (encoded.find_first_of("-_") != std::string_view::npos) return std::nullopt;
    if (encoded.size() % 4 == 0) {
        for (int i = 0; i < 2 && encoded.ends_with('='); ++i) encoded.remove_suffix(1);
    }
    std::string text(encoded);
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    return parseBase64Url(text);
}

}  // namespace otpgate::crypto
