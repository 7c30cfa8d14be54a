#include "domain/otp_receipt.h"

#include "otpgate/crypto/signed_token.h"

namespace otpgate::domain {

namespace {}  // namespace

std::string makeOtpReceipt(const crypto::KeyRing& ring, const Uuid& otpId, Purpose purpose, Timestamp now) {
    return crypto::signToken(ring, crypto::KeyUse::OtpReceipt,
                             std::string{otpId.bytes()} + crypto::packInteger(toMicroseconds(now + kReceiptLifetime)) +
                                 static_cast<char>(purpose));
}

std::optional<Uuid> parseOtpReceipt(const crypto::KeyRing& ring, std::string_view token, Purpose purpose,
                                    Timestamp now) {
    const auto payload =
        crypto::openToken(ring, crypto::KeyUse::OtpReceipt, token, Uuid::kBytes + crypto::kIntegerBytes + 1);
    if (!payload) return std::nullopt;
    const std::string_view view = *payload;
    const Timestamp expiresAt =
        fromMicroseconds(crypto::unpackInteger(view.substr(Uuid::kBytes, crypto::kIntegerBytes)));
    if (expiresAt <= now || view.back() != static_cast<char>(purpose)) return std::nullopt;
    return Uuid::fromBytes(view.substr(0, Uuid::kBytes));
}

}  // namespace otpgate::domain
