// Codes are derived, never stored: digits of HMAC(key, otp id). Whoever knows the id and the key ring knows the code.
#pragma once

#include "otpgate/base/uuid.h"
#include "otpgate/crypto/key_ring.h"
#include "otpgate/domain/stores.h"

#include <string>
#include <string_view>

namespace otpgate::domain {

class OtpCodes {
public:
    // `fixedCode` is the code of every request when it is not empty: development only.
    OtpCodes(const crypto::KeyRing& ring, unsigned length, std::string fixedCode);

    // The code as it is sent: `length` digits, leading zeros kept.
    std::string codeFor(const Uuid& otpId) const;
    // Compared with the code under every key of the ring, in constant time.
    Guess judge(const Uuid& otpId, std::string_view guess) const;

private:
    std::string derive(std::string_view key, const Uuid& otpId) const;
    const crypto::KeyRing& ring_;
    unsigned length_;
    std::string fixedCode_;
};

}  // namespace otpgate::domain
