// What is decided about authenticator apps (RFC 6238): which code counts, once, and what a sign-in is worth with it.
// Pure functions.
#pragma once

#include "otpgate/base/clock.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace otpgate::domain {

// What every app takes: SHA-1, six digits, 30 seconds.
inline constexpr std::chrono::seconds kTotpStep{30};
inline constexpr std::size_t kTotpSecretBytes = 20;  // 160 bits (RFC 4226, section 4, R6)

std::int64_t totpStepAt(Timestamp time);

// The step whose code was typed: that of now, or one beside it, for a phone's clock is not ours (RFC 6238, section
// 5.2). None that is not after `lastStep`, the last one whose code was taken. As long whatever was typed.
std::optional<std::int64_t> matchTotp(std::string_view secret, std::string_view typed, Timestamp now,
                                      std::int64_t lastStep);

// What an app reads: "otpauth://totp/Example:ann@example.org?secret=...&issuer=Example".
std::string totpUri(std::string_view secret, std::string_view issuer, std::string_view account);

// A session's methods (Session::methods), by its user's having shown an authenticator app besides: a password and the
// app are two factors, a code and the app are two things that one has (NIST SP 800-63B-4, section 2.2.1).
std::string withTotp(std::string_view methods);

}  // namespace otpgate::domain
