// Base64 as servers send it. Any thread.
#pragma once

#include "otpgate/base/encoding.h"

#include <string>
#include <string_view>

namespace otpgate::delivery {

// The bytes of what a server sent, at most 4096 of text; empty where that is no base64.
std::string fromBase64(std::string_view base64);

}  // namespace otpgate::delivery
