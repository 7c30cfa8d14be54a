// Text as it stands in a JSON string or XML. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace otpgate::delivery {

// RFC 8259, without the quotes around it.
std::string jsonEscaped(std::string_view text);
// For text and for attribute values; line ends as character references, which attributes keep.
std::string xmlEscaped(std::string_view text);

}  // namespace otpgate::delivery
