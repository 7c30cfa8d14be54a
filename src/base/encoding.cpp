#include "otpgate/base/encoding.h"

#include "otpgate/base/text.h"

#include <algorithm>
#include <array>

namespace otpgate {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64UrlDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t kNoDigit = 0xff;

// Byte -> value of the digit, or kNoDigit.
constexpr std::array<std::uint8_t, 256> makeValues(std::string_view digits) {
    std::array<std::uint8_t, 256> values{};
    values.fill(kNoDigit);
    for (std::size_t i = 0; i < digits.size(); ++i) {
        values[static_cast<std::uint8_t>(digits[i])] = static_cast<std::uint8_t>(i);
    }
    return values;
}

constexpr auto kHexValues = makeValues(kHexDigits);
constexpr auto kBase64UrlValues = makeValues(kBase64UrlDigits);

constexpr std::uint8_t byteOf(char c) {
    return static_cast<std::uint8_t>(c);
}

constexpr bool isBetween(char c, unsigned lowest, unsigned highest) {
    return byteOf(c) >= lowest && byteOf(c) <= highest;
}

// DEL and the C1 controls (U+0080 to U+009F, two bytes in UTF-8) move a terminal's cursor as well as those below space.
bool isControlCharacter(std::string_view character) {
    if (character.size() == 1) return isControl(character[0]);
    return character.size() == 2 && byteOf(character[0]) == 0xc2 && byteOf(character[1]) < 0xa0;
}

}  // namespace

std::string toHex(std::string_view bytes) {
    std::string text(bytes.size() * 2, '\0');
    auto out = text.begin();
    for (const char c : bytes) {
        *out++ = kHexDigits[byteOf(c) >> 4];
        *out++ = kHexDigits[byteOf(c) & 0x0f];
    }
    return text;
}

std::optional<std::string> parseHex(std::string_view text) {
    if (text.size() % 2 != 0) return std::nullopt;
    std::string bytes;
    bytes.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const unsigned high = kHexValues[byteOf(text[i])];
        const unsigned low = kHexValues[byteOf(text[i + 1])];
        if (high == kNoDigit || low == kNoDigit) return std::nullopt;
        bytes += static_cast<char>(high << 4 | low);
    }
    return bytes;
}

std::string toBase64Url(std::string_view bytes) {
    std::string text;
    text.reserve((bytes.size() * 4 + 2) / 3);
    std::uint32_t bits = 0;
    unsigned count = 0;  // of bits that are not written yet
    for (const char c : bytes) {
        bits = bits << 8 | byteOf(c);
        count += 8;
        while (count >= 6) {
            count -= 6;
            text += kBase64UrlDigits[bits >> count & 0x3f];
        }
    }
    if (count > 0) text += kBase64UrlDigits[bits << (6 - count) & 0x3f];
    return text;
}

std::string toBase64(std::string_view bytes) {
    std::string text = toBase64Url(bytes);
    std::ranges::replace(text, '-', '+');
    std::ranges::replace(text, '_', '/');
    text.append((4 - text.size() % 4) % 4, '=');
    return text;
}

std::string toBase32(std::string_view bytes) {
    constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    std::string text;
    unsigned bits = 0;
    unsigned count = 0;
    for (const char c : bytes) {
        bits = (bits << 8 | byteOf(c)) & 0xffffU;
        for (count += 8; count >= 5;) {
            count -= 5;
            text += kDigits[bits >> count & 0x1f];
        }
    }
    if (count > 0) text += kDigits[bits << (5 - count) & 0x1f];
    return text;
}

std::optional<std::string> parseBase64Url(std::string_view text) {
    if (text.size() % 4 == 1) return std::nullopt;
    std::string bytes;
    bytes.reserve(text.size() * 3 / 4);
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char c : text) {
        const std::uint8_t value = kBase64UrlValues[byteOf(c)];
        if (value == kNoDigit) return std::nullopt;
        bits = bits << 6 | value;
        count += 6;
        if (count >= 8) {
            count -= 8;
            bytes += static_cast<char>(bits >> count & 0xff);
        }
    }
    if ((bits & ((1U << count) - 1)) != 0) return std::nullopt;
    return bytes;
}

std::string percentEncoded(std::string_view bytes) {
    constexpr std::string_view kSigns = "-._~";
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    std::string text;
    text.reserve(bytes.size() * 3);
    for (const char c : bytes) {
        if (isLetterOrDigit(c) || kSigns.find(c) != std::string_view::npos) {
            text += c;
        } else {
            text += {'%', kDigits[byteOf(c) >> 4], kDigits[byteOf(c) & 0x0f]};
        }
    }
    return text;
}

std::string toBigEndian(std::uint64_t number, std::size_t bytes) {
    std::string text(bytes, '\0');
    for (auto byte = text.rbegin(); byte != text.rend(); ++byte, number >>= 8U) {
        *byte = static_cast<char>(number & 0xffU);
    }
    return text;
}

std::uint64_t fromBigEndian(std::string_view bytes) {
    std::uint64_t number = 0;
    for (const char c : bytes) number = number << 8U | byteOf(c);
    return number;
}

// The table of RFC 3629, section 4: only the second byte's range depends on the first.
std::size_t utf8CharacterLength(std::string_view text) {
    if (text.empty()) return 0;
    const unsigned first = byteOf(text[0]);
    if (first < 0x80) return 1;
    const std::size_t length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (length == 0 || text.size() < length) return 0;
    const unsigned lowest = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    const unsigned highest = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (!isBetween(text[1], lowest, highest)) return 0;
    for (std::size_t i = 2; i < length; ++i) {
        if (!isWithinCharacter(text[i])) return 0;
    }
    return length;
}

char32_t codePointOf(std::string_view character) {
    if (character.size() == 1) return byteOf(character[0]);
    // The first byte of n has n ones, a zero, and then the first bits.
    auto point = static_cast<char32_t>(byteOf(character[0]) & (0xffU >> (character.size() + 1)));
    for (const char byte : character.substr(1)) point = (point << 6U) | (byteOf(byte) & 0x3fU);
    return point;
}

bool isValidUtf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = utf8CharacterLength(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

void appendJsonString(std::string& out, std::string_view text) {
    out += '"';
    while (!text.empty()) {
        const std::size_t length = utf8CharacterLength(text);
        const std::string_view character = text.substr(0, length == 0 ? 1 : length);
        text.remove_prefix(character.size());
        if (length == 0) {
            out.append("\\\\x").append(toHex(character));
        } else if (character == "\"" || character == "\\") {
            out.append("\\").append(character);
        } else if (character == "\n") {
            out += "\\n";
        } else if (isControlCharacter(character)) {
            // The last byte is the code point: one byte below U+0080, and the C1 controls are C2 80 to C2 9F.
            out.append("\\u00").append(toHex(character.substr(length - 1)));
        } else {
            out += character;
        }
    }
    out += '"';
}

void appendHtml(std::string& out, std::string_view text) {
    for (const char c : text) {
        switch (c) {
        case '&': out += "&amp;"; break;
        case '<': out += "&lt;"; break;
        case '>': out += "&gt;"; break;
        case '"': out += "&quot;"; break;
        default: out += c;
        }
    }
}

}  // namespace otpgate
