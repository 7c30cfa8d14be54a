// Base64 of RFC 4648, section 4, as mail and HTTP use it. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace otpgate::delivery {

std::string toBase64(std::string_view bytes);  // padded, on one line

// The bytes of what a server sent, at most 4096 of text; empty where that is no base64.
std::string fromBase64(std::string_view base64);

}  // namespace otpgate::delivery
