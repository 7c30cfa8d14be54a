#include "otpgate/http/request.h"

#include "http/media_type.h"
#include "http/percent.h"
#include "otpgate/base/encoding.h"
#include "otpgate/base/text.h"

#include <algorithm>

namespace otpgate::http {

namespace {

int hexValue(char c) {
    if (isDigit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::string withoutInvalidCharacters(std::string_view text) {
    std::string clean;
    while (!text.empty()) {
        const std::size_t length = text.front() == '\0' ? 0 : utf8CharacterLength(text);
        clean += length == 0 ? kReplacementCharacter : text.substr(0, length);
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return clean;
}

}  // namespace

PercentDecoded percentDecode(std::string_view encoded, PlusSign plusSign) {
    PercentDecoded decoded;
    decoded.text.reserve(encoded.size());
    for (std::size_t i = 0; i < encoded.size(); ++i) {
        const char c = encoded[i];
        if (c == '+' && plusSign == PlusSign::Space) {
            decoded.text += ' ';
        } else if (c != '%') {
            decoded.text += c;
        } else {
            const int high = encoded.size() - i > 2 ? hexValue(encoded[i + 1]) : -1;
            const int low = high >= 0 ? hexValue(encoded[i + 2]) : -1;
            if (low >= 0) {
                decoded.text += static_cast<char>(high * 16 + low);
                i += 2;
            } else {
                decoded.text += c;
                decoded.isWellFormed = false;
            }
        }
    }
    return decoded;
}

std::optional<std::string_view> Request::header(std::string_view lowerCaseName) const {
    const auto found = headers.find(lowerCaseName);
    if (found == headers.end()) return std::nullopt;
    return found->second;
}

namespace {

std::optional<std::string> findParameter(std::string_view rest, std::string_view name) {
    while (!rest.empty()) {
        const std::size_t ampersand = rest.find('&');
        const std::string_view pair = rest.substr(0, ampersand);
        const std::size_t equals = pair.find('=');
        if (percentDecode(pair.substr(0, equals), PlusSign::Space).text == name) {
            const std::string_view value =
                equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
            return withoutInvalidCharacters(percentDecode(value, PlusSign::Space).text);
        }
        rest = ampersand == std::string_view::npos ? std::string_view{} : rest.substr(ampersand + 1);
    }
    return std::nullopt;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> parseForm(std::string_view encoded) {
    std::vector<std::pair<std::string, std::string>> pairs;
    for (const std::string_view pair : split(encoded, '&')) {
        if (pair.empty()) continue;
        const std::size_t equals = std::min(pair.find('='), pair.size());
        const std::string_view value = equals == pair.size() ? std::string_view{} : pair.substr(equals + 1);
        pairs.emplace_back(withoutInvalidCharacters(percentDecode(pair.substr(0, equals), PlusSign::Space).text),
                           withoutInvalidCharacters(percentDecode(value, PlusSign::Space).text));
    }
    return pairs;
}

std::optional<std::string> Request::queryParameter(std::string_view name) const {
    return findParameter(query, name);
}

bool Request::hasForm() const {
    return hasMediaType(contentType, "application/x-www-form-urlencoded");
}

std::optional<std::string> Request::formParameter(std::string_view name) const {
    return findParameter(body, name);
}

}  // namespace otpgate::http
