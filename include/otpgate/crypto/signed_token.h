// Opaque tokens of our own: a payload of fixed length and its HMAC-SHA256 under the key ring, in base64url. Nothing of
// it is secret but the MAC, and nothing of it is stored.
#pragma once

#include "otpgate/crypto/key_ring.h"

#include <optional>
#include <string>
#include <string_view>

namespace otpgate::crypto {

std::string signToken(const KeyRing& ring, KeyUse use, std::string_view payload);
// The payload, where it has this length and some key of the ring has signed it for this use.
std::optional<std::string> openToken(const KeyRing& ring, KeyUse use, std::string_view token, std::size_t payloadBytes);

// Big-endian: how numbers stand in payloads.
inline constexpr std::size_t kIntegerBytes = 8;
std::string packInteger(std::int64_t value);
std::int64_t unpackInteger(std::string_view eightBytes);

}  // namespace otpgate::crypto
