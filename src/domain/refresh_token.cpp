#include "domain/refresh_token.h"

#include "otpgate/crypto/signed_token.h"

namespace otpgate::domain {

std::string RefreshToken::toText(const crypto::KeyRing& ring) const {
    return crypto::signToken(ring, crypto::KeyUse::RefreshToken,
                             std::string{sessionId.bytes()} + crypto::packInteger(counter));
}

std::optional<RefreshToken> RefreshToken::parse(std::string_view text, const crypto::KeyRing& ring) {
    const auto payload =
        crypto::openToken(ring, crypto::KeyUse::RefreshToken, text, Uuid::kBytes + crypto::kIntegerBytes);
    if (!payload) return std::nullopt;
    const std::string_view view = *payload;
    return RefreshToken{Uuid::fromBytes(view.substr(0, Uuid::kBytes)),
                        crypto::unpackInteger(view.substr(Uuid::kBytes))};
}

}  // namespace otpgate::domain
