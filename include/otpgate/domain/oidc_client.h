// Applications that sign their users in here (OpenID Connect Core 1.0), as the operator has registered them, and which
// addresses of theirs are answered to.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/crypto/jwt.h"
#include "otpgate/domain/models.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

enum class ConsentPolicy {
    Never,  // it is the operator's own
    Ask     // each user, once for what it asks for
};
std::string_view toString(ConsentPolicy policy);  // "never", "ask"
std::optional<ConsentPolicy> parseConsentPolicy(std::string_view text);

struct OidcClient {
    std::string id;                         // client_id: parseClientId()
    std::string title;                      // as people read it
    std::optional<std::string> secretHash;  // secretHashOf(); none: a public client, which no secret is asked of
    std::vector<std::string> redirectUris;
    std::vector<std::string> postLogoutUris;
    std::string backchannelUri;  // told of the end of sessions; may be empty
    bool needsPkce = true;
    crypto::SigningAlgorithm algorithm = crypto::SigningAlgorithm::Rs256;  // of its ID tokens
    std::vector<std::string> groups;  // whoever is in one of them may sign in there; empty: everybody
    ConsentPolicy consent = ConsentPolicy::Never;
    bool isDisabled = false;
    Timestamp createdAt{};
};

// 1 to 64 of a-z, 0-9, dot, hyphen and underscore: nothing that a form, a URL or a header would have to encode.
std::optional<std::string> parseClientId(std::string_view text);

// 43 letters and digits, 256 bits: enough that a plain hash keeps it (ASVS 5, 6.6.3), and nothing to encode.
std::string makeClientSecret(Random& random);
std::string secretHashOf(std::string_view secret);  // 32 bytes
// Whether it is the client's secret, in constant time. A public client has none.
bool isSecretOf(const OidcClient& client, std::string_view secret);

inline constexpr std::size_t kMostUriBytes = 1000;

// Whether browsers may be sent there: https; http on this machine alone (localhost, 127.0.0.1, [::1]); or for programs
// a scheme of their own, which has a dot (RFC 8252, section 7.1). Absolute, without user name, fragment and wildcard,
// of what RFC 3986 lets a URI consist of.
bool isRedirectUri(std::string_view text);
// What a page's Content-Security-Policy names, so that a form may lead to the redirect URI: scheme and host, or the
// scheme alone of a program, and of [::1], for which a policy has no words (CSP 3, section 2.3.1).
std::string formTargetOf(std::string_view redirectUri);
// Whether we may call it: https, or http; without user name and fragment. It is the operator who names it.
bool isBackchannelUri(std::string_view text);

// Whether the address is one of these: the same, character by character (RFC 9700, section 4.1.3); but a program that
// listens on this machine by its number, 127.0.0.1 or [::1], may do so on any port (RFC 8252, section 7.3).
bool isRegistered(const std::vector<std::string>& registered, std::string_view asked);

bool mayUse(const OidcClient& client, const User& user);

enum class ClientKind {
    Confidential,  // keeps a secret
    Public         // a program or a page that can keep none
};
ClientKind kindOf(const OidcClient& client);

enum class ClientField { Title, RedirectUris, PostLogoutUris, BackchannelUri, Pkce, Groups };
struct ClientFault {
    ClientField field;
    std::string part{};  // of it, that is wrong; may be empty
};

inline constexpr std::size_t kMostClientUris = 50;  // of each of its lists

// The first thing that may not be so; nullopt: the client may be registered.
std::optional<ClientFault> faultOf(const OidcClient& client, ClientKind kind);

}  // namespace otpgate::domain
