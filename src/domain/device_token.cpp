#include "domain/device_token.h"

#include "otpgate/crypto/signed_token.h"

namespace otpgate::domain {

std::string makeDeviceToken(const crypto::KeyRing& ring, const Uuid& deviceId) {
    return crypto::signToken(ring, crypto::KeyUse::DeviceToken, deviceId.bytes());
}

ShownDevice parseDeviceToken(const crypto::KeyRing& ring, std::string_view token) {
    const auto id = crypto::openToken(ring, crypto::KeyUse::DeviceToken, token, 16);
    if (!id) return std::nullopt;
    return Uuid::fromBytes(*id);
}

}  // namespace otpgate::domain
