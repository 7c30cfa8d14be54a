// Codes are derived, never stored: they follow from HMAC(key, otp id). Whoever knows the id and the key ring knows the
// code.
#pragma once

#include "otpgate/base/uuid.h"
#include "otpgate/crypto/key_ring.h"
#include "otpgate/domain/otp_store.h"

#include <string>
#include <string_view>

namespace otpgate::domain {

enum class CodeAlphabet {
    Digits,
    Letters  // digits and capitals without 0, 1, I, L, O and U: no two look alike, and few words come out
};

struct CodeFormat {
    CodeAlphabet alphabet = CodeAlphabet::Digits;
    unsigned length = 6;  // 4 to 10
};

class OtpCodes {
public:
    // `fixedCode` is the code of every request when it is not empty: development only.
    OtpCodes(const crypto::KeyRing& ring, CodeFormat format, std::string fixedCode);

    const CodeFormat& format() const { return format_; }
    // The code as it is sent, leading zeros kept. A `length` of 0 is the format's.
    std::string codeFor(const Uuid& otpId, unsigned length = 0) const;
    // Compared with the code under every key of the ring, in constant time; letters in either case.
    Guess judge(const Uuid& otpId, std::string_view guess, unsigned length = 0) const;

private:
    std::string derive(std::string_view key, const Uuid& otpId, unsigned length) const;
    const crypto::KeyRing& ring_;
    CodeFormat format_;
    std::string fixedCode_;
};

}  // namespace otpgate::domain
