// Access tokens: JWS with ES256 (RFC 7515, RFC 7518 section 3.4) and the claims of RFC 7519. One algorithm, no choice
// by the token. Thread-safe: a key is immutable.
#pragma once

#include "otpgate/base/clock.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::crypto {

struct AccessClaims {
    std::string issuer;
    std::string audience;
    std::string subject;               // user id
    std::string sessionId;             // sid
    std::string tokenId;               // jti
    std::vector<std::string> methods;  // amr, RFC 8176
    Timestamp issuedAt;                // iat and nbf, whole seconds
    Timestamp expiresAt;               // exp, whole seconds
    Timestamp authTime;                // auth_time
    int assuranceLevel = 1;            // aal: of NIST SP 800-63B; acr says the same as a URN
};

// One P-256 key pair with its id.
class SigningKey {
public:
    // A key id is 1 to 64 of A-Z a-z 0-9 . _ -; std::invalid_argument for any other, here and below.
    static SigningKey generate(std::string keyId);
    // PKCS#8 PEM as toPem() wrote it. Throws std::invalid_argument, which does not quote it.
    static SigningKey fromPem(std::string keyId, std::string_view pem);
    ~SigningKey();
    SigningKey(SigningKey&&) noexcept;
    SigningKey& operator=(SigningKey&&) noexcept;

    const std::string& id() const;
    std::string toPem() const;
    // {"kty":"EC","crv":"P-256","use":"sig","alg":"ES256","kid":...,"x":...,"y":...}: RFC 7517.
    std::string toJwk() const;

    // Header {"alg":"ES256","kid":...,"typ":"JWT"}, integer times, claims in the order of AccessClaims, token_type
    // "access".
    std::string sign(const AccessClaims& claims) const;
    // The signature only, as r and s of 32 bytes each; `verifyAccessToken` is what callers want.
    bool verify(std::string_view signingInput, std::string_view signature) const;

private:
    struct Keys;
    explicit SigningKey(std::unique_ptr<Keys> keys);
    std::unique_ptr<Keys> keys_;
};

// The kid of a compact JWS whose header is one that sign() writes, without trusting it: a name to look the key up by.
std::optional<std::string> keyIdOf(std::string_view token);

// The claims, when the signature is right, alg is ES256, iss and aud match, nbf <= now < exp (30 s of leeway on nbf)
// and token_type is "access". Garbage of any kind is nullopt, never an exception.
std::optional<AccessClaims> verifyAccessToken(std::string_view token, const SigningKey& key, std::string_view issuer,
                                              std::string_view audience, Timestamp now);

}  // namespace otpgate::crypto
