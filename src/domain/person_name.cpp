#include "otpgate/domain/person_name.h"

#include "otpgate/base/encoding.h"
#include "otpgate/base/unicode.h"

namespace otpgate::domain {

namespace {

bool controls(char32_t point) {
    return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x2028 || point == 0x2029 ||
           (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

}  // namespace

std::optional<std::string> parsePersonName(std::string_view text) {
    std::string name = toNfc(trimmed(text));
    std::string_view rest = name;
    std::size_t characters = 0;
    while (!rest.empty()) {
        const std::size_t length = utf8CharacterLength(rest);
        if (length == 0 || ++characters > kMaxNameCharacters) return std::nullopt;
        if (controls(codePointOf(rest.substr(0, length)))) return std::nullopt;
        rest.remove_prefix(length);
    }
    return name;
}

}  // namespace otpgate::domain
