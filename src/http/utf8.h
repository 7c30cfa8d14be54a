// Walking text that may not be valid UTF-8, one character at a time.
#pragma once

#include <cstddef>
#include <string_view>

namespace otpgate::http {

inline constexpr std::string_view kReplacementCharacter = "\xef\xbf\xbd";  // U+FFFD

// Bytes of the valid UTF-8 sequence at the start of `text` (RFC 3629: no surrogates, no overlong forms), or 0. Table
// 3-7 of the Unicode standard: the first byte decides the length and what the second one may be.
inline std::size_t leadingCharacterLength(std::string_view text) {
    const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    if (text.empty()) return 0;
    const unsigned first = byte(0);
    if (first < 0x80) return 1;
    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
    const unsigned lowest = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    const unsigned highest = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (byte(1) < lowest || byte(1) > highest) return 0;
    for (std::size_t i = 2; i < length; ++i) {
        if ((byte(i) & 0xc0U) != 0x80) return 0;
    }
    return length;
}

}  // namespace otpgate::http
