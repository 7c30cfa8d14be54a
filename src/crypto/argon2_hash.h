// Argon2 (RFC 9106) over libargon2, and its PHC strings. Thread-safe.
#pragma once

#include "otpgate/crypto/password_hash.h"

#include <argon2.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace otpgate::crypto {

struct Argon2Hash {
    argon2_type type = Argon2_id;
    std::uint32_t version = ARGON2_VERSION_13;
    PasswordCost cost;
    unsigned lanes = 1;
    std::string salt;
    std::string hash;
};

// As `$argon2id$v=19$m=...,t=...,p=1$...$...`, which is what `hash` must be.
std::string formatArgon2(const Argon2Hash& hash);
// Argon2i and Argon2id, whatever it costs.
std::optional<Argon2Hash> readArgon2(std::string_view text);
// Whether it costs more than the limits of password_hash.h.
bool exceedsLimits(const Argon2Hash& hash);

// The hash of the password, as long as `how.hash`, by the other values of `how`. Throws ServiceUnavailable where there
// is no memory.
std::string computeArgon2(std::string_view password, const Argon2Hash& how);

}  // namespace otpgate::crypto
