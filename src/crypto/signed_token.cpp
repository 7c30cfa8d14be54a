#include "otpgate/crypto/signed_token.h"

#include "otpgate/base/encoding.h"
#include "otpgate/crypto/hash.h"

namespace otpgate::crypto {

namespace {

constexpr std::size_t kMacBytes = 32;

}  // namespace

std::string signToken(const KeyRing& ring, KeyUse use, std::string_view payload) {
    return toBase64Url(std::string{payload} + hmacSha256(ring.keys(use).front(), payload));
}

std::optional<std::string> openToken(const KeyRing& ring, KeyUse use, std::string_view token,
                                     std::size_t payloadBytes) {
    auto bytes = parseBase64Url(token);
    if (!bytes || bytes->size() != payloadBytes + kMacBytes) return std::nullopt;
    const std::string mac = bytes->substr(payloadBytes);
    bytes->resize(payloadBytes);
    for (const std::string& key : ring.keys(use)) {
        if (equalInConstantTime(hmacSha256(key, *bytes), mac)) return bytes;
    }
    return std::nullopt;
}

std::string packInteger(std::int64_t value) {
    return toBigEndian(static_cast<std::uint64_t>(value));
}

std::int64_t unpackInteger(std::string_view eightBytes) {
    return static_cast<std::int64_t>(fromBigEndian(eightBytes));
}

}  // namespace otpgate::crypto
