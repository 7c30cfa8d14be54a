#include "delivery/templates/plain_text.h"

#include "otpgate/base/encoding.h"

#include <algorithm>
#include <vector>

namespace otpgate::delivery {

namespace {

bool isIn(char32_t point, char32_t first, char32_t last) {
    return point >= first && point <= last;
}

bool isBlank(char32_t point) {
    return point <= 0x20 || isIn(point, 0x7f, 0xa0) || point == 0x2028 || point == 0x2029 || point == 0x3000;
}

// Direction marks, zero-width spaces and joiners of words, the soft hyphen, variation selectors' and tags' planes, and
// what is for private use.
bool isInvisible(char32_t point) {
    return point == 0xad || point == 0x61c || point == 0x180e || isIn(point, 0x200b, 0x200f) ||
           isIn(point, 0x202a, 0x202e) || isIn(point, 0x2060, 0x206f) || point == 0xfeff ||
           isIn(point, 0xe000, 0xf8ff) || isIn(point, 0xfff0, 0xfffb) || point >= 0xe0000;
}

bool isDot(char32_t point) {
    return point == '.' || point == 0x2024 || point == 0x3002 || point == 0xff0e || point == 0xff61;
}

bool isAt(char32_t point) {
    return point == '@' || point == 0xfe6b || point == 0xff20;
}

bool isColon(char32_t point) {
    return point == ':' || point == 0xfe55 || point == 0xff1a;
}

// What a link needs at this place.
bool makesLink(const std::vector<std::string_view>& characters, std::size_t i) {
    const char32_t point = codePointOf(characters[i]);
    if (isAt(point)) return true;
    if (i + 1 == characters.size()) return false;
    const char32_t next = codePointOf(characters[i + 1]);
    if (isColon(point)) return next == '/' || next == 0xff0f;
    return isDot(point) && !isIn(next, '0', '9') && !isBlank(next);
}

}  // namespace

std::string plainText(std::string_view text, std::size_t maxCharacters) {
    std::vector<std::string_view> characters;
    while (!text.empty()) {
        const std::size_t length = utf8CharacterLength(text);
        if (length > 0 && !isInvisible(codePointOf(text.substr(0, length)))) {
            characters.push_back(text.substr(0, length));
        }
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }

    std::vector<std::string_view> kept;
    for (std::size_t i = 0; i < characters.size(); ++i) {
        if (!isBlank(codePointOf(characters[i])) && !makesLink(characters, i)) {
            kept.push_back(characters[i]);
        } else if (!kept.empty() && kept.back() != " ") {
            kept.emplace_back(" ");
        }
    }
    while (!kept.empty() && kept.back() == " ") kept.pop_back();
    if (kept.size() > maxCharacters) {
        kept.resize(maxCharacters);
        kept.back() = "\u2026";
    }
    std::string out;
    for (const std::string_view character : kept) out += character;
    return out;
}

}  // namespace otpgate::delivery
