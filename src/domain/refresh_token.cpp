#include "domain/refresh_token.h"

#include "otpgate/base/encoding.h"
#include "otpgate/crypto/hash.h"

namespace otpgate::domain {

namespace {

constexpr std::size_t kIdBytes = 16;
constexpr std::size_t kCounterBytes = 8;
constexpr std::size_t kMacBytes = 32;

}  // namespace

std::string RefreshToken::toText(const crypto::KeyRing& ring) const {
    std::string bytes{sessionId.bytes()};
    for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>((counter >> shift) & 0xff);
    bytes += crypto::hmacSha256(ring.keys(crypto::KeyUse::RefreshToken).front(), bytes);
    return toBase64Url(bytes);
}

std::optional<RefreshToken> RefreshToken::parse(std::string_view text, const crypto::KeyRing& ring) {
    const auto bytes = parseBase64Url(text);
    if (!bytes || bytes->size() != kIdBytes + kCounterBytes + kMacBytes) return std::nullopt;
    const std::string_view view = *bytes;
    const std::string_view signedPart = view.substr(0, kIdBytes + kCounterBytes);
    for (const std::string& key : ring.keys(crypto::KeyUse::RefreshToken)) {
        if (!crypto::equalInConstantTime(crypto::hmacSha256(key, signedPart), view.substr(signedPart.size()))) continue;
        RefreshToken token{Uuid::fromBytes(signedPart.substr(0, kIdBytes)), 0};
        for (const char byte : signedPart.substr(kIdBytes)) {
            token.counter = (token.counter << 8) | static_cast<std::uint8_t>(byte);
        }
        return token;
    }
    return std::nullopt;
}

}  // namespace otpgate::domain
