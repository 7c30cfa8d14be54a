// Codes are derived, never stored: they follow from HMAC(key, otp id). Whoever knows the id and the key ring knows the
// code.
#pragma once

#include "otpgate/base/uuid.h"
#include "otpgate/crypto/key_ring.h"
#include "otpgate/domain/otp_store.h"

#include <optional>
#include <string>
#include <string_view>

namespace otpgate::domain {

struct CodeFormat {
    CodeAlphabet alphabet = CodeAlphabet::Digits;
    unsigned length = 6;  // 4 to 10
};

// A code as people type and paste it: digits of any script become ASCII's, blanks, dashes and what nobody sees go, and
// so does what stands around it. nullopt for what is not 4 to 10 letters and digits then, which cannot be a code.
std::optional<std::string> parseCode(std::string_view typed);

class OtpCodes {
public:
    // `fixedCode` is the code of every request when it is not empty: development only.
    OtpCodes(const crypto::KeyRing& ring, CodeFormat format, std::string fixedCode);

    const CodeFormat& format() const { return format_; }
    // The code as it is sent, leading zeros kept.
    std::string codeFor(const Uuid& otpId) const { return codeFor(otpId, format_); }
    std::string codeFor(const Uuid& otpId, const CodeFormat& format) const;
    std::string codeFor(const OutboxMessage& message) const;
    // Compared with the code under every key of the ring, in constant time; letters in either case.
    Guess judge(const Uuid& otpId, std::string_view guess) const { return judge(otpId, guess, format_); }
    Guess judge(const Uuid& otpId, std::string_view guess, const CodeFormat& format) const;

    // What stands in a link in place of a code: the id and 128 bits that follow from it, in 43 characters of base64url.
    std::string linkFor(const Uuid& otpId) const;
    // The id, where the bits are those of some key of the ring, compared in constant time.
    std::optional<Uuid> openLink(std::string_view secret) const;

private:
    const crypto::KeyRing& ring_;
    CodeFormat format_;
    std::string fixedCode_;
};

}  // namespace otpgate::domain
