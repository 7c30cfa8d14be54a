// The inside of SigningKey, and the headers that its tokens have.
#pragma once

#include "crypto/openssl.h"
#include "otpgate/crypto/jwt.h"

#include <openssl/evp.h>

#include <string>
#include <string_view>

namespace otpgate::crypto {

inline constexpr std::string_view kPlainType = "JWT";
inline constexpr std::string_view kKeyIdMember = R"("kid":")";
// {"alg":"ES256","kid":"...","typ":"JWT"}
std::string headerOf(SigningAlgorithm algorithm, std::string_view keyId, std::string_view typ);

inline constexpr std::size_t kMaxKeyIdLength = 64;
inline constexpr std::size_t kMaxHeaderLength = 160;  // in base64url, more than the longest key id needs

// Characters that need no escape in JSON and none in a URL.
bool isKeyId(std::string_view text);

using PrivateKey = OpenSslOwner<EVP_PKEY, EVP_PKEY_free>;
using PrivateKeyContext = OpenSslOwner<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;

struct SigningKey::Keys {
    Keys(std::string keyId, PrivateKey pair, SigningAlgorithm how);

    std::string sign(std::string_view signingInput) const;  // of ES256 r and s
    bool verify(std::string_view signingInput, std::string_view signature) const;
    // Whether what the private half signs verifies by the public one: in a damaged file they may be of two keys.
    bool isConsistent() const;

    std::string id;
    SigningAlgorithm algorithm;
    PrivateKey key;
    // Ready to sign and to verify; each call works on a copy, which is cheaper than a new one and lets threads share
    // it.
    PrivateKeyContext signing;
    PrivateKeyContext verifying;
    std::string header;  // in base64url, as each token begins
};

}  // namespace otpgate::crypto
