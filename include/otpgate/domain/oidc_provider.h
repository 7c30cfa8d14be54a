// The OpenID provider: what applications are answered. One object a worker thread. Rules are in oidc_request.h and
// oidc_grant.h.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/random.h"
#include "otpgate/crypto/key_ring.h"
#include "otpgate/domain/oidc_grant.h"
#include "otpgate/domain/oidc_request.h"
#include "otpgate/domain/oidc_store.h"
#include "otpgate/domain/process_counts.h"
#include "otpgate/domain/sign_in_rule.h"
#include "otpgate/domain/signing_keys.h"

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace otpgate::domain {

struct OidcSettings {
    std::string issuer;                           // without a slash at its end
    std::chrono::seconds tokenLifetime{900};      // of access tokens and ID tokens
    std::chrono::seconds grantLifetime{2592000};  // with offline_access, however often it is refreshed
    SignInRule signIn{};                          // who may sign in here; nobody else has a grant
};

// RFC 6749, section 5.2.
struct OidcError {
    std::string error;
    std::string description;
    bool isOfClient = false;  // 401: it has not shown who it is
};

struct OidcTokens {
    std::string access;
    std::string id;       // the ID token
    std::string refresh;  // empty without offline_access
    std::chrono::seconds expiresIn{0};
    std::vector<OidcScope> scopes;
};

// Whose session a hint names, and for whom.
struct LogoutHint {
    std::optional<OidcClient> client;
    Uuid userId;
    Uuid sessionId;
};

class OidcProvider {
public:
    OidcProvider(OidcStore& store, const SigningKeys& rs256, const SigningKeys& es256, const crypto::KeyRing& ring,
                 ProcessCounts& counts, const Clock& clock, Random& random, OidcSettings settings);

    // As it was within the last second, so that the way through the sign-in asks for it once. Who shows a secret or a
    // code is held to what stands now.
    std::optional<OidcClient> findClient(std::string_view id);

    // Whether the user has allowed all of this already, or nobody has to.
    bool isConsentNeeded(const AuthorizeRequest& request, const OidcClient& client, const User& user);
    void allow(const AuthorizeRequest& request, const User& user, const Client& client);
    // The code of a new grant for the session; nullopt where the user has got too many of late (kMostGrantsAnHour).
    std::optional<std::string> grant(const AuthorizeRequest& request, const AuthenticatedSession& session,
                                     const Client& client);

    std::variant<OidcTokens, OidcError> exchange(std::optional<std::string_view> authorization, const Parameters& form);
    // nullopt: not of ours, expired, or what it stands for is over.
    std::optional<GrantInUse> inspectAccessToken(std::string_view token);
    std::string userinfo(const GrantInUse& use) const;  // JSON
    // JSON (RFC 7662). `client`: who asks and has proved itself, to whom tokens of others say nothing; null: the
    // operator's own, whose API key says so.
    std::string introspect(std::string_view token, const OidcClient* client);
    // Any of its tokens ends the whole grant (RFC 7009, section 2.1). What is not its own is passed over.
    void revoke(std::string_view token, const OidcClient& client);
    // Who calls introspection and revocation.
    std::variant<OidcClient, OidcError> authenticate(std::optional<std::string_view> authorization,
                                                     const Parameters& form);

    // nullopt: no ID token that we have signed.
    std::optional<LogoutHint> readHint(std::string_view idToken);
    std::string logoutToken(const LogoutNotice& notice);

private:
    FoundGrant find(const ShownClient& shown, const std::optional<Uuid>& grantId, Timestamp now);
    std::optional<GrantInUse> findGrant(const Uuid& grantId, Timestamp now);
    std::optional<OidcClient> findNow(std::string_view id);
    std::variant<OidcTokens, OidcError> redeem(const ShownClient& shown, const Parameters& form);
    std::variant<OidcTokens, OidcError> refresh(const ShownClient& shown, const Parameters& form);
    OidcTokens issue(const GrantInUse& use, std::int64_t counter, bool isFirst, Timestamp now) const;
    const SigningKeys& keysFor(crypto::SigningAlgorithm algorithm) const;
    std::optional<Uuid> grantOf(std::string_view token) const;

    OidcStore& store_;
    const SigningKeys& rs256_;
    const SigningKeys& es256_;
    const crypto::KeyRing& ring_;
    ProcessCounts& counts_;
    const Clock& clock_;
    Random& random_;
    OidcSettings settings_;
    struct Known {
        OidcClient client;
        Timestamp until;
    };
    std::map<std::string, Known, std::less<>> known_;  // no more than there are clients
};

}  // namespace otpgate::domain
