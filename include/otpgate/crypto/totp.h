// One-time passwords of authenticator apps, over OpenSSL. Thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace otpgate::crypto {

// HOTP (RFC 4226, section 5.3) with HMAC-SHA-1: so many digits (6 to 8), leading zeros kept. TOTP (RFC 6238, section 4)
// is the same of the number of a step of time.
std::string hotp(std::string_view secret, std::uint64_t counter, unsigned digits = 6);

}  // namespace otpgate::crypto
