// Text forms of bytes. All functions take any bytes; the parsers refuse everything that they would not have written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace otpgate {

std::string toHex(std::string_view bytes);                   // lower case
std::optional<std::string> parseHex(std::string_view text);  // lower case only

std::string toBase64(std::string_view bytes);  // RFC 4648, section 4, padded, on one line

std::string toBase64Url(std::string_view bytes);  // RFC 4648, section 5, without padding
// Refuses padding, foreign characters, an impossible length and non-zero left-over bits, so that one token has one
// text.
std::optional<std::string> parseBase64Url(std::string_view text);

std::string toBase32(std::string_view bytes);  // RFC 4648, section 6, without padding

// RFC 3986, section 2.1: all but its unreserved characters as %XX. Good for a URL and for a form alike.
std::string percentEncoded(std::string_view bytes);

// A number as bytes, the highest first: so many of them, at most 8. What does not fit in them is cut off.
std::string toBigEndian(std::uint64_t number, std::size_t bytes = 8);
std::uint64_t fromBigEndian(std::string_view bytes);  // at most 8

bool isValidUtf8(std::string_view text);  // RFC 3629: no surrogates, no overlong forms
// U+FFFD, in the place of bytes that are no character.
inline constexpr std::string_view kReplacementCharacter = "\xef\xbf\xbd";
// The bytes of the UTF-8 character that the text begins with, 1 to 4; 0 where it begins with none.
std::size_t utf8CharacterLength(std::string_view text);
// Of one such character, all of its bytes.
char32_t codePointOf(std::string_view character);

// Appends the text as a JSON string (RFC 8259) with its quotes. Control characters are escaped; a byte that is not
// UTF-8 becomes the four characters \xff, so that the result is always valid JSON.
void appendJsonString(std::string& out, std::string_view text);

// Appends the text so that no character of it means anything in a page, nor in an attribute between double quotes.
void appendHtml(std::string& out, std::string_view text);

}  // namespace otpgate
