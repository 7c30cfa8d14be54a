// A refresh token: session id, counter and MAC, nothing else. There is no row of it anywhere; the session's counter
// says which one is good.
#pragma once

#include "otpgate/base/uuid.h"
#include "otpgate/crypto/key_ring.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace otpgate::domain {

struct RefreshToken {
    Uuid sessionId;
    std::int64_t counter = 0;

    // Base64url of 16 bytes of id, 8 of counter, 32 of HMAC-SHA256 under the ring's first key.
    std::string toText(const crypto::KeyRing& ring) const;
    // Only what some key of the ring has signed.
    static std::optional<RefreshToken> parse(std::string_view text, const crypto::KeyRing& ring);
};

}  // namespace otpgate::domain
