// What an application asks for at /oauth/authorize (OpenID Connect Core 1.0, section 3.1.2.1), and how it proves itself
// at /oauth/token: read and ruled on without a database.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/domain/oidc_client.h"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace otpgate::domain {

// Decoded, in the order in which they came.
using Parameters = std::vector<std::pair<std::string, std::string>>;

// The first of this name that is not empty (RFC 6749, section 3.1: an empty one counts as absent).
std::optional<std::string> findParameter(const Parameters& parameters, std::string_view name);
// Whether it came twice, which no parameter may (same section).
bool isRepeated(const Parameters& parameters, std::string_view name);

enum class OidcScope { OpenId, Profile, Email, Phone, Groups, OfflineAccess };
inline constexpr OidcScope kOidcScopes[] = {OidcScope::OpenId, OidcScope::Profile, OidcScope::Email,
                                            OidcScope::Phone,  OidcScope::Groups,  OidcScope::OfflineAccess};
std::string_view toString(OidcScope scope);  // "openid"
// Those that we know, each once, in the order of the enum; unknown ones are passed over (Core, section 3.1.2.1).
std::vector<OidcScope> parseScopes(std::string_view text);
std::string toText(const std::vector<OidcScope>& scopes);  // "openid email"
bool has(const std::vector<OidcScope>& scopes, OidcScope scope);
// Each once, in the order of the enum.
std::vector<OidcScope> inOrder(const std::vector<OidcScope>& scopes);

enum class ResponseMode { Query, FormPost };

struct AuthorizeRequest {
    std::string clientId;
    std::string redirectUri;
    std::string state;
    ResponseMode mode = ResponseMode::Query;
    std::vector<OidcScope> scopes;
    std::string nonce;
    std::string challenge;      // of PKCE, S256; empty: none
    bool isSilent = false;      // prompt=none
    bool wantsSignIn = false;   // prompt=login, and select_account, for which another sign-in is the only way
    bool wantsConsent = false;  // prompt=consent
    std::optional<std::chrono::seconds> maxAge;
    std::string loginHint;
    std::string idTokenHint;
    std::string locales;            // ui_locales
    std::vector<std::string> acrs;  // acr_values
    // Our own mark on the way back from the sign-in: one that is newer than this is what prompt=login and max_age want.
    std::optional<Timestamp> signedInSince;
};

// The browser stays here: where it should be sent is not known to be the application's (RFC 9700, section 4.11.2).
enum class AuthorizeRefusal { UnknownClient, DisabledClient, UnknownRedirect, Malformed };
// The application is told, by its redirect_uri (RFC 6749, section 4.1.2.1).
struct AuthorizeError {
    std::string redirectUri;
    std::string state;
    ResponseMode mode = ResponseMode::Query;
    std::string error;        // "invalid_request"
    std::string description;  // for its developers
};
using AuthorizeRuling = std::variant<AuthorizeRefusal, AuthorizeError, AuthorizeRequest>;

// `client` is that of the parameter client_id, null where there is none of this name.
AuthorizeRuling ruleOnAuthorize(const Parameters& parameters, const OidcClient* client);

// The parameter that carries AuthorizeRequest::signedInSince: microseconds.
inline constexpr std::string_view kSignedInSince = "otpgate_signed_in_since";
// The same request for the way back from the sign-in: prompt without what the sign-in answers, and the mark.
Parameters afterSignIn(const Parameters& parameters, Timestamp now);

// What a sign-in is short of.
enum class SignInNeed { None, SignIn, Anew, TwoFactors, Unmet };
// `session`: of this browser, or null. Unmet: a level was asked for that its user has no factor for (RFC 9470, section
// 5).
struct BrowserSession {
    std::string methods;
    bool hasFactor = false;
    Timestamp authenticatedAt;
};
SignInNeed needOf(const AuthorizeRequest& request, const BrowserSession* session, Timestamp now);

// acr: the first that was asked for and is met; else our own name for the level.
std::string acrOf(const std::vector<std::string>& asked, std::string_view methods);

// Who calls the token endpoint (RFC 6749, section 2.3).
struct ShownClient {
    std::string id;
    std::optional<std::string> secret;
};
enum class ClientProof { Missing, Ambiguous };
// From `Authorization: Basic`, whose two halves are encoded as forms are, or from client_id and client_secret of the
// form. Ambiguous: by both, or twice.
std::variant<ShownClient, ClientProof> readClient(std::optional<std::string_view> authorization,
                                                  const Parameters& form);
// Whether it is the client that it says: a public one by its name alone, every other by its secret.
bool isProved(const OidcClient& client, const ShownClient& shown);

// RFC 7636, section 4.1: 43 to 128 unreserved characters, and section 4.6.
bool isVerifierOf(std::string_view verifier, std::string_view challenge);

}  // namespace otpgate::domain
