// What a user's sign-in at an application amounts to: a grant, from the code that the application gets to its last
// refresh. What is decided about one, and what it tells the application. Functions of rows that a store has read.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/uuid.h"
#include "otpgate/crypto/key_ring.h"
#include "otpgate/domain/oidc_client.h"
#include "otpgate/domain/oidc_request.h"
#include "otpgate/domain/session_store.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

// Codes and tokens are made of a grant's id under a MAC: none of them is stored.
struct OidcGrant {
    Uuid id;
    std::string clientId;
    Uuid userId;
    Uuid sessionId;
    std::vector<OidcScope> scopes;
    std::string nonce;         // for the ID token
    std::string challenge;     // of PKCE; may be empty
    std::string redirectHash;  // SHA-256 of the redirect_uri
    std::string methods;       // of the sign-in, as Session has them
    std::string acr;
    Timestamp authenticatedAt;
    Timestamp createdAt;
    Timestamp expiresAt;  // whatever happens
    std::optional<Timestamp> redeemedAt;
    std::int64_t refreshCounter = 0;
    Timestamp rotatedAt{};
    std::optional<Timestamp> endedAt;
};

// A grant with what it depends on, as they are now.
struct GrantInUse {
    OidcGrant grant;
    OidcClient client;
    std::optional<User> user;  // active
    bool sessionIsAlive = false;
};

inline constexpr std::chrono::seconds kOidcCodeLifetime{60};  // ASVS 5, 10.4.3
// For one user, in one process: an application that signs in anew without a click does so some times an hour.
inline constexpr unsigned kMostGrantsAnHour = 300;

// Whether what was granted still counts: it has not ended; its user is active, has shown the factor that the account
// has, and may use the application; and its session goes on, unless it was given offline_access.
bool isAlive(const GrantInUse& use, Timestamp now);

enum class CodeRuling {
    Good,     // where nobody redeems it first
    Invalid,  // expired, of another client or redirect_uri, without its verifier, or nothing counts any more
    Reused    // redeemed before: the grant must end (RFC 6749, section 4.1.2)
};
CodeRuling ruleOnCode(const GrantInUse& use, std::string_view clientId, std::string_view redirectUri,
                      std::string_view verifier, Timestamp now);

enum class RotationRuling {
    Good,      // where nobody rotates it first
    Repeated,  // the answer was lost on the way, or two threads refreshed at once: the successor once more
    Invalid,
    Reused  // the grant must end (RFC 9700, section 4.14.2)
};
RotationRuling ruleOnRotation(const GrantInUse& use, std::string_view clientId, std::int64_t counter, Timestamp now);

// The three texts that are made of a grant.
std::string oidcCodeOf(const crypto::KeyRing& ring, const Uuid& grantId);
std::optional<Uuid> parseOidcCode(const crypto::KeyRing& ring, std::string_view text);
struct OidcRefreshToken {
    Uuid grantId;
    std::int64_t counter = 0;
};
std::string toText(const crypto::KeyRing& ring, const OidcRefreshToken& token);
std::optional<OidcRefreshToken> parseOidcRefreshToken(const crypto::KeyRing& ring, std::string_view text);
struct OidcAccessToken {
    Uuid grantId;
    Timestamp expiresAt;
};
std::string toText(const crypto::KeyRing& ring, const OidcAccessToken& token);
std::optional<OidcAccessToken> parseOidcAccessToken(const crypto::KeyRing& ring, std::string_view text);

// What the scopes let the application know of the user, besides `sub`. An address is named only where the user has
// proved it, and a user name only where it is one (username.h): applications join accounts by them.
void addUserClaims(crypto::JwtClaims& claims, const User& user, const std::vector<OidcScope>& scopes);

struct IdTokenFacts {
    std::string issuer;
    Timestamp now;
    std::chrono::seconds lifetime{900};
    std::string accessToken;  // for at_hash
    bool isFirst = true;      // of the code: with the nonce (Core, sections 3.1.3.6 and 12.2)
};
std::string idTokenClaims(const OidcGrant& grant, const User& user, const IdTokenFacts& facts);  // JSON

}  // namespace otpgate::domain
