// Percent-encoding (RFC 3986, section 2.1).
#pragma once

#include <string>
#include <string_view>

namespace otpgate::http {

enum class PlusSign { Literal, Space };

struct PercentDecoded {
    std::string text;
    bool isWellFormed = true;  // false: a % without two hexadecimal digits, which stayed in the text as it was
};
PercentDecoded percentDecode(std::string_view encoded, PlusSign plusSign);

}  // namespace otpgate::http
