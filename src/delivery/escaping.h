// Text as it stands in a URL, a form, a JSON string or XML. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace otpgate::delivery {

// RFC 3986: all but letters, digits and -._~ as %XX. Good for a URL and for application/x-www-form-urlencoded alike.
std::string percentEncoded(std::string_view text);
// RFC 8259, without the quotes around it.
std::string jsonEscaped(std::string_view text);
// For text and for attribute values; line ends as character references, which attributes keep.
std::string xmlEscaped(std::string_view text);

}  // namespace otpgate::delivery
