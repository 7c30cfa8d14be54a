#include "crypto/claims.h"

#include "otpgate/base/encoding.h"

#include <charconv>

namespace otpgate::crypto {
namespace {

// Reads from the front of the text; each read says whether what was asked for stood there.
class Cursor {
public:
    explicit Cursor(std::string_view text) : rest_(text) {}

    bool atEnd() const { return rest_.empty(); }
    bool startsWith(char c) const { return rest_.starts_with(c); }

    bool skip(char c) {
        if (!rest_.starts_with(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }

    bool skipWord(std::string_view word) {
        if (!rest_.starts_with(word)) return false;
        rest_.remove_prefix(word.size());
        return true;
    }

    std::optional<std::string> readString() {
        if (!skip('"')) return std::nullopt;
        std::string text;
        while (!rest_.empty() && !startsWith('"')) {
            const std::size_t length = utf8CharacterLength(rest_);
            if (length == 0 || static_cast<unsigned char>(rest_[0]) < 0x20) return std::nullopt;
            if (startsWith('\\')) {
                if (!readEscape(text)) return std::nullopt;
                continue;
            }
            text.append(rest_, 0, length);
            rest_.remove_prefix(length);
        }
        if (!skip('"')) return std::nullopt;
        return text;
    }

    // No fraction, no exponent, no leading zero, no plus sign.
    std::optional<std::int64_t> readInteger() {
        std::int64_t number = 0;
        const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
        if (error != std::errc{}) return std::nullopt;
        const auto length = static_cast<std::size_t>(end - rest_.data());
        if (rest_.substr(0, length) != std::to_string(number)) return std::nullopt;
        rest_.remove_prefix(length);
        return number;
    }

    std::optional<std::vector<std::string>> readStrings() {
        std::vector<std::string> strings;
        if (!skip('[')) return std::nullopt;
        if (skip(']')) return strings;
        do {
            auto text = readString();
            if (!text) return std::nullopt;
            strings.push_back(std::move(*text));
        } while (skip(','));
        if (!skip(']')) return std::nullopt;
        return strings;
    }

    std::optional<ClaimValue> readValue() {
        if (startsWith('"')) return readString();
        if (startsWith('[')) return readStrings();
        for (const bool flag : {true, false}) {
            if (skipWord(flag ? "true" : "false")) return flag;
        }
        return readInteger();
    }

private:
    // The escapes that appendJsonString writes: \" \\ \n and \u00XX for the other control characters.
    bool readEscape(std::string& out) {
        rest_.remove_prefix(1);
        if (skip('"')) {
            out += '"';
        } else if (skip('\\')) {
            out += '\\';
        } else if (skip('n')) {
            out += '\n';
        } else if (rest_.starts_with("u00") && rest_.size() >= 5) {
            const auto codePoint = parseHex(rest_.substr(3, 2));
            if (!codePoint) return false;
            const auto value = static_cast<unsigned char>(codePoint->front());
            if (value >= 0xc0) return false;  // would need another lead byte, and is never written
            if (value >= 0x80) out += '\xc2';
            out += codePoint->front();
            rest_.remove_prefix(5);
        } else {
            return false;
        }
        return true;
    }

    std::string_view rest_;
};

}  // namespace

std::optional<Claims> parseClaims(std::string_view json) {
    Cursor cursor(json);
    Claims claims;
    if (!cursor.skip('{')) return std::nullopt;
    do {
        auto name = cursor.readString();
        if (!name || !cursor.skip(':')) return std::nullopt;
        auto value = cursor.readValue();
        if (!value || !claims.try_emplace(std::move(*name), std::move(*value)).second) return std::nullopt;
    } while (cursor.skip(','));
    if (!cursor.skip('}') || !cursor.atEnd()) return std::nullopt;
    return claims;
}

}  // namespace otpgate::crypto
