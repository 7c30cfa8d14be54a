// SHA-256, HMAC and comparison, over OpenSSL. Thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace otpgate::crypto {

std::string sha256(std::string_view data);                               // 32 bytes
std::string hmacSha256(std::string_view key, std::string_view data);     // RFC 2104, 32 bytes
std::string hkdfSha256(std::string_view secret, std::string_view info);  // RFC 5869, no salt, 32 bytes

// Takes the same time wherever the two differ; unequal lengths are unequal at once.
bool equalInConstantTime(std::string_view a, std::string_view b);

}  // namespace otpgate::crypto
