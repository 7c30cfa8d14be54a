// Small steps that every parser takes: letters and digits of ASCII, whatever the locale, and UTF-8 by the byte. What
// depends on a script is in unicode.h.
#pragma once

#include <charconv>
#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace otpgate {

constexpr bool isDigit(char c) {
    return c >= '0' && c <= '9';
}
constexpr bool isLetter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
constexpr bool isLetterOrDigit(char c) {
    return isLetter(c) || isDigit(c);
}
// ASCII's control characters, DEL too.
constexpr bool isControl(char c) {
    return (c >= 0 && c < ' ') || c == '\x7f';
}
// What shows itself in every terminal and log: the rest of ASCII, the blank too.
constexpr bool isPrintable(char c) {
    return c >= ' ' && c <= '~';
}
// Each character in place of its letter of the other case; all that is no letter of ASCII stays.
constexpr char toLower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
constexpr char toUpper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}
std::string toLower(std::string_view text);
std::string toUpper(std::string_view text);
bool equalsIgnoringCase(std::string_view a, std::string_view b);
bool startsWithIgnoringCase(std::string_view text, std::string_view prefix);

// The text without these characters at either end.
std::string_view trim(std::string_view text, std::string_view characters = " \t");

// With this in the place of every byte that is not printable ASCII.
std::string printable(std::string_view text, char instead = '?');

// The words with `between` wherever two of them meet.
std::string joined(const std::vector<std::string>& words, std::string_view between);

// The word so many times, as in "?, ?, ?".
std::string repeated(std::string_view word, std::size_t times);

// The parts between the separators, empty ones too: one more than there are separators.
std::vector<std::string_view> split(std::string_view text, char separator);

// The whole text as an integer: digits, and a minus where Number has a sign. nullopt for anything else, blanks and a
// plus sign too, and for what Number cannot hold.
template <std::integral Number>
std::optional<Number> parseNumber(std::string_view text, int base = 10) {
    Number number{};
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number, base);
    return error == std::errc{} && rest == end ? std::optional{number} : std::nullopt;
}

// The host that an absolute URL names, without its port: "login.example" of https://login.example:8443/a, and "[::1]"
// with its brackets.
std::string_view hostOf(std::string_view url);
// The port that it names; empty: none.
std::string_view portOf(std::string_view url);

// Whether the byte stands within a character of UTF-8, after its first byte.
constexpr bool isWithinCharacter(char byte) {
    return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80U;
}
// How many characters valid UTF-8 has.
std::size_t countCharacters(std::string_view utf8);
// The beginning of valid UTF-8: at most so many bytes, and no part of a character.
std::string_view wholeCharacters(std::string_view utf8, std::size_t mostBytes);

}  // namespace otpgate
