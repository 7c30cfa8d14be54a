// Tokens that others verify: JWS (RFC 7515) with the claims of RFC 7519. A key has one algorithm, ES256 or RS256 (RFC
// 7518, sections 3.4 and 3.3), and no token chooses another; access tokens of the API are ES256. Thread-safe: a key is
// immutable.
#pragma once

#include "otpgate/base/clock.h"

#include <cstdint>
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

enum class SigningAlgorithm { Es256, Rs256 };
std::string_view toString(SigningAlgorithm algorithm);  // "ES256"
std::optional<SigningAlgorithm> parseSigningAlgorithm(std::string_view text);

// The members of a token's payload, in the order in which they are added.
class JwtClaims {
public:
    JwtClaims& text(std::string_view name, std::string_view value);
    JwtClaims& texts(std::string_view name, const std::vector<std::string>& values);
    JwtClaims& number(std::string_view name, std::int64_t value);
    JwtClaims& flag(std::string_view name, bool value);
    JwtClaims& raw(std::string_view name, std::string_view json);  // an already built value
    std::string toJson() const { return json_ + '}'; }

private:
    void begin(std::string_view name);
    std::string json_ = "{";
};

// One key pair with its id: P-256, or RSA of 2048 bits.
class SigningKey {
public:
    // A key id is 1 to 64 of A-Z a-z 0-9 . _ -; std::invalid_argument for any other, here and below.
    static SigningKey generate(std::string keyId, SigningAlgorithm algorithm = SigningAlgorithm::Es256);
    // PKCS#8 PEM as toPem() wrote it. Throws std::invalid_argument, which does not quote it.
    static SigningKey fromPem(std::string keyId, std::string_view pem,
                              SigningAlgorithm algorithm = SigningAlgorithm::Es256);
    ~SigningKey();
    SigningKey(SigningKey&&) noexcept;
    SigningKey& operator=(SigningKey&&) noexcept;

    const std::string& id() const;
    SigningAlgorithm algorithm() const;
    std::string toPem() const;
    // {"kty":"EC","crv":"P-256","use":"sig","alg":"ES256","kid":...,"x":...,"y":...}, or of kty RSA with n and e: RFC
    // 7517.
    std::string toJwk() const;

    // Header {"alg":"ES256","kid":...,"typ":"JWT"}, integer times, claims in the order of AccessClaims, token_type
    // "access".
    std::string sign(const AccessClaims& claims) const;
    // Any other payload, with this `typ` in the header: "JWT", "logout+jwt". `typ` is of ASCII without quotes.
    std::string sign(std::string_view payload, std::string_view typ) const;
    // The signature only, of ES256 as r and s of 32 bytes each; `verifyAccessToken` is what callers want.
    bool verify(std::string_view signingInput, std::string_view signature) const;

private:
    struct Keys;
    explicit SigningKey(std::unique_ptr<Keys> keys);
    std::string seal(std::string token, std::string_view payload) const;  // what it begins with, and its payload
    std::unique_ptr<Keys> keys_;
};

// The kid of a compact JWS whose header is one that sign() writes, without trusting it: a name to look the key up by.
std::optional<std::string> keyIdOf(std::string_view token, SigningAlgorithm algorithm = SigningAlgorithm::Es256);

// The claims, when the signature is right, alg is ES256, iss and aud match, nbf <= now < exp (30 s of leeway on nbf)
// and token_type is "access". Garbage of any kind is nullopt, never an exception.
std::optional<AccessClaims> verifyAccessToken(std::string_view token, const SigningKey& key, std::string_view issuer,
                                              std::string_view audience, Timestamp now);

// What an ID token of ours said, whenever that was: as a hint whose session it was (OpenID Connect RP-Initiated Logout
// 1.0, section 2). nullopt for all that the key has not signed as one of this issuer's.
struct IdTokenHint {
    std::string audience;
    std::string subject;
    std::string sessionId;
};
std::optional<IdTokenHint> readIdTokenHint(std::string_view token, const SigningKey& key, std::string_view issuer);

}  // namespace otpgate::crypto
