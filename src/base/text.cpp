#include "otpgate/base/text.h"

#include <algorithm>

namespace otpgate {

std::string toLower(std::string_view text) {
    std::string lower{text};
    std::ranges::transform(lower, lower.begin(), [](char c) { return toLower(c); });
    return lower;
}

std::string toUpper(std::string_view text) {
    std::string upper{text};
    std::ranges::transform(upper, upper.begin(), [](char c) { return toUpper(c); });
    return upper;
}

bool equalsIgnoringCase(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, [](char left, char right) { return toLower(left) == toLower(right); });
}

bool startsWithIgnoringCase(std::string_view text, std::string_view prefix) {
    return equalsIgnoringCase(text.substr(0, prefix.size()), prefix);
}

std::string_view trim(std::string_view text, std::string_view characters) {
    const auto first = text.find_first_not_of(characters);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(characters) - first + 1);
}

std::string printable(std::string_view text, char instead) {
    std::string plain{text};
    std::ranges::replace_if(
        plain, [](char c) { return !isPrintable(c); }, instead);
    return plain;
}

std::string joined(const std::vector<std::string>& words, std::string_view between) {
    std::string text;
    for (const std::string& word : words) {
        if (&word != words.data()) text += between;
        text += word;
    }
    return text;
}

std::string repeated(std::string_view word, std::size_t times) {
    return joined(std::vector<std::string>(times, std::string{word}), ", ");
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    while (true) {
        const auto end = text.find(separator);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

std::string_view hostOf(std::string_view url) {
    if (const auto scheme = url.find("://"); scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
    if (url.starts_with('[')) return url.substr(0, url.find(']') + 1);
    return url.substr(0, url.find_first_of(":/?#"));
}

std::string_view portOf(std::string_view url) {
    const std::string_view host = hostOf(url);
    url.remove_prefix(static_cast<std::size_t>(host.data() + host.size() - url.data()));
    return url.starts_with(':') ? url.substr(1, url.find_first_of("/?#") - 1) : std::string_view{};
}

std::size_t countCharacters(std::string_view utf8) {
    return utf8.size() - static_cast<std::size_t>(std::ranges::count_if(utf8, isWithinCharacter));
}

std::string_view wholeCharacters(std::string_view utf8, std::size_t mostBytes) {
    if (utf8.size() <= mostBytes) return utf8;
    while (mostBytes > 0 && isWithinCharacter(utf8[mostBytes])) --mostBytes;
    return utf8.substr(0, mostBytes);
}

}  // namespace otpgate
