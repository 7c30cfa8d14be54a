#include "otpgate/domain/otp_code.h"

#include "otpgate/crypto/hash.h"

namespace otpgate::domain {

OtpCodes::OtpCodes(const crypto::KeyRing& ring, unsigned length, std::string fixedCode)
    : ring_(ring),
      length_(length),
      fixedCode_(std::move(fixedCode)) {}

std::string OtpCodes::derive(std::string_view key, const Uuid& otpId) const {
    const std::string mac = crypto::hmacSha256(key, otpId.bytes());
    // 64 bits modulo at most 10^10: the bias is below 10^-9.
    std::uint64_t number = 0;
    for (const char byte : std::string_view{mac}.substr(0, 8))
        number = (number << 8U) | static_cast<std::uint8_t>(byte);
    std::string code(length_, '0');
    for (auto digit = code.rbegin(); digit != code.rend(); ++digit, number /= 10) {
        *digit = static_cast<char>('0' + number % 10);
    }
    return code;
}

std::string OtpCodes::codeFor(const Uuid& otpId) const {
    if (!fixedCode_.empty()) return fixedCode_;
    return derive(ring_.keys(crypto::KeyUse::OtpCode).front(), otpId);
}

Guess OtpCodes::judge(const Uuid& otpId, std::string_view guess) const {
    if (!fixedCode_.empty()) return crypto::equalInConstantTime(fixedCode_, guess) ? Guess::Right : Guess::Wrong;
    Guess result = Guess::Wrong;
    for (const std::string& key : ring_.keys(crypto::KeyUse::OtpCode)) {
        if (crypto::equalInConstantTime(derive(key, otpId), guess)) result = Guess::Right;
    }
    return result;
}

}  // namespace otpgate::domain
