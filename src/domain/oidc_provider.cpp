#include "otpgate/domain/oidc_provider.h"

#include "otpgate/base/numeric_date.h"
#include "otpgate/crypto/hash.h"

#include <algorithm>

namespace otpgate::domain {

namespace {

constexpr std::chrono::seconds kKnownFor{1};

const OidcError kNoClient{"invalid_client", "the client is not known, or its secret is not right", true};
const OidcError kBadRequest{"invalid_request", "credentials of the client came twice"};
const OidcError kBadCode{"invalid_grant",
                         "the code is not valid: expired, used, or of another client, "
                         "redirect_uri or code_verifier"};
const OidcError kBadRefreshToken{"invalid_grant", "the refresh token is not valid"};

constexpr std::chrono::hours kAnHour{1};

// Who may not sign in any more is as one who is disabled.
void keepOut(GrantInUse& use, const SignInRule& rule) {
    if (use.user && !mayEnter(*use.user, &rule)) use.user.reset();
}

}  // namespace

OidcProvider::OidcProvider(OidcStore& store, const SigningKeys& rs256, const SigningKeys& es256,
                           const crypto::KeyRing& ring, ProcessCounts& counts, const Clock& clock, Random& random,
                           OidcSettings settings)
    : store_(store),
      rs256_(rs256),
      es256_(es256),
      ring_(ring),
      counts_(counts),
      clock_(clock),
      random_(random),
      settings_(std::move(settings)) {}

std::optional<OidcClient> OidcProvider::findClient(std::string_view id) {
    // What is no name of a client asks nobody.
    if (!parseClientId(id)) return std::nullopt;
    const Timestamp now = clock_.now();
    const auto known = known_.find(id);
    if (known != known_.end() && known->second.until > now) return known->second.client;
    auto client = store_.findClient(id);
    if (client)
        known_.insert_or_assign(std::string{id}, Known{*client, now + kKnownFor});
    else if (known != known_.end())
        known_.erase(known);
    return client;
}

std::optional<OidcClient> OidcProvider::findNow(std::string_view id) {
    return parseClientId(id) ? store_.findClient(id) : std::nullopt;
}

bool OidcProvider::isConsentNeeded(const AuthorizeRequest& request, const OidcClient& client, const User& user) {
    if (client.consent == ConsentPolicy::Never) return false;
    if (request.wantsConsent) return true;
    const auto allowed = parseScopes(store_.findConsent(user.id, client.id).value_or(""));
    return !std::ranges::all_of(request.scopes, [&](OidcScope scope) { return has(allowed, scope); });
}

void OidcProvider::allow(const AuthorizeRequest& request, const User& user, const Client& client) {
    const Timestamp now = clock_.now();
    auto allowed = parseScopes(store_.findConsent(user.id, request.clientId).value_or(""));
    allowed.insert(allowed.end(), request.scopes.begin(), request.scopes.end());
    store_.putConsent(user.id, request.clientId, toText(inOrder(allowed)), {Uuid::makeV7(now, random_), client, now});
}

std::optional<std::string> OidcProvider::grant(const AuthorizeRequest& request, const AuthenticatedSession& session,
                                               const Client& client) {
    const Timestamp now = clock_.now();
    // Each is a row, and a browser with a session asks for them without a click.
    if (counts_.count("grant" + session.user.id.toString(), now, now + kAnHour) > kMostGrantsAnHour)
        return std::nullopt;
    OidcGrant grant;
    grant.id = Uuid::makeV7(now, random_);
    grant.clientId = request.clientId;
    grant.userId = session.user.id;
    grant.sessionId = session.session.id;
    grant.scopes = request.scopes;
    grant.nonce = request.nonce;
    grant.challenge = request.challenge;
    grant.redirectHash = crypto::sha256(request.redirectUri);
    grant.methods = session.session.methods;
    grant.acr = acrOf(request.acrs, session.session.methods);
    grant.authenticatedAt = session.session.authenticatedAt;
    grant.createdAt = now;
    grant.expiresAt = now + settings_.grantLifetime;
    store_.addGrant(grant, {Uuid::makeV7(now, random_), client, now});
    return oidcCodeOf(ring_, grant.id);
}

std::variant<OidcTokens, OidcError> OidcProvider::exchange(std::optional<std::string_view> authorization,
                                                           const Parameters& form) {
    const auto shown = readClient(authorization, form);
    if (const auto* fault = std::get_if<ClientProof>(&shown))
        return *fault == ClientProof::Ambiguous ? kBadRequest : kNoClient;
    for (const auto& [name, value] : form) {
        if (isRepeated(form, name)) return OidcError{"invalid_request", "a parameter came twice"};
    }
    const std::string type = findParameter(form, "grant_type").value_or("");
    if (type == "authorization_code") return redeem(std::get<ShownClient>(shown), form);
    if (type == "refresh_token") return refresh(std::get<ShownClient>(shown), form);
    const auto client = findNow(std::get<ShownClient>(shown).id);
    if (!client || !isProved(*client, std::get<ShownClient>(shown))) return kNoClient;
    if (type.empty()) return OidcError{"invalid_request", "grant_type is missing"};
    return OidcError{"unsupported_grant_type", "grant_type is authorization_code or refresh_token here"};
}

FoundGrant OidcProvider::find(const ShownClient& shown, const std::optional<Uuid>& grantId, Timestamp now) {
    // What is no name of a client asks nobody.
    if (!parseClientId(shown.id)) return {};
    FoundGrant found = store_.find(shown.id, grantId.value_or(Uuid{}), now);
    if (found.use) keepOut(*found.use, settings_.signIn);
    return found;
}

std::optional<GrantInUse> OidcProvider::findGrant(const Uuid& grantId, Timestamp now) {
    auto use = store_.findGrant(grantId, now);
    if (use) keepOut(*use, settings_.signIn);
    return use;
}

std::variant<OidcTokens, OidcError> OidcProvider::redeem(const ShownClient& shown, const Parameters& form) {
    const Timestamp now = clock_.now();
    // A code that is none belongs to no grant; who asks must prove himself all the same.
    const auto grantId = parseOidcCode(ring_, findParameter(form, "code").value_or(""));
    const auto found = find(shown, grantId, now);
    if (!found.client || !isProved(*found.client, shown)) return kNoClient;
    if (!grantId || !found.use) return kBadCode;
    switch (ruleOnCode(*found.use, shown.id, findParameter(form, "redirect_uri").value_or(""),
                       findParameter(form, "code_verifier").value_or(""), now)) {
    case CodeRuling::Good:
        if (store_.redeem(*grantId, now)) return issue(*found.use, 0, true, now);
        break;  // somebody else did, just now
    case CodeRuling::Invalid: return kBadCode;
    case CodeRuling::Reused: break;
    }
    store_.endGrant(*grantId, now);
    return kBadCode;
}

std::variant<OidcTokens, OidcError> OidcProvider::refresh(const ShownClient& shown, const Parameters& form) {
    const Timestamp now = clock_.now();
    const auto token = parseOidcRefreshToken(ring_, findParameter(form, "refresh_token").value_or(""));
    const auto found = find(shown, token ? std::optional{token->grantId} : std::nullopt, now);
    if (!found.client || !isProved(*found.client, shown)) return kNoClient;
    if (!token || !found.use) return kBadRefreshToken;
    switch (ruleOnRotation(*found.use, shown.id, token->counter, now)) {
    case RotationRuling::Good:
        store_.rotate(token->grantId, token->counter, now);  // of two at once, both get the same successor
        return issue(*found.use, token->counter + 1, false, now);
    case RotationRuling::Repeated: return issue(*found.use, token->counter + 1, false, now);
    case RotationRuling::Invalid: return kBadRefreshToken;
    case RotationRuling::Reused: break;
    }
    store_.endGrant(token->grantId, now);
    return kBadRefreshToken;
}

OidcTokens OidcProvider::issue(const GrantInUse& use, std::int64_t counter, bool isFirst, Timestamp now) const {
    OidcTokens tokens;
    tokens.scopes = use.grant.scopes;
    const Timestamp expiresAt = std::min<Timestamp>(now + settings_.tokenLifetime, use.grant.expiresAt);
    tokens.expiresIn = std::chrono::floor<std::chrono::seconds>(expiresAt - now);
    tokens.access = toText(ring_, OidcAccessToken{use.grant.id, expiresAt});
    if (has(use.grant.scopes, OidcScope::OfflineAccess))
        tokens.refresh = toText(ring_, OidcRefreshToken{use.grant.id, counter});
    const std::string claims =
        idTokenClaims(use.grant, *use.user, {settings_.issuer, now, settings_.tokenLifetime, tokens.access, isFirst});
    tokens.id = keysFor(use.client.algorithm).current(now)->sign(claims, "JWT");
    return tokens;
}

const SigningKeys& OidcProvider::keysFor(crypto::SigningAlgorithm algorithm) const {
    return algorithm == crypto::SigningAlgorithm::Es256 ? es256_ : rs256_;
}

std::optional<GrantInUse> OidcProvider::inspectAccessToken(std::string_view token) {
    const Timestamp now = clock_.now();
    const auto parsed = parseOidcAccessToken(ring_, token);
    if (!parsed || parsed->expiresAt <= now) return std::nullopt;
    auto use = findGrant(parsed->grantId, now);
    if (!use || !use->grant.redeemedAt || !isAlive(*use, now)) return std::nullopt;
    return use;
}

std::string OidcProvider::userinfo(const GrantInUse& use) const {
    crypto::JwtClaims claims;
    claims.text("sub", use.user->id.toString());
    addUserClaims(claims, *use.user, use.grant.scopes);
    return claims.toJson();
}

std::optional<Uuid> OidcProvider::grantOf(std::string_view token) const {
    if (const auto access = parseOidcAccessToken(ring_, token)) return access->grantId;
    if (const auto refreshed = parseOidcRefreshToken(ring_, token)) return refreshed->grantId;
    return std::nullopt;
}

std::string OidcProvider::introspect(std::string_view token, const OidcClient* client) {
    const Timestamp now = clock_.now();
    const auto refreshed = parseOidcRefreshToken(ring_, token);
    auto use = refreshed ? findGrant(refreshed->grantId, now) : inspectAccessToken(token);
    const bool isNewest =
        use && refreshed && ruleOnRotation(*use, use->grant.clientId, refreshed->counter, now) == RotationRuling::Good;
    const bool isTold = use && (!refreshed || isNewest) && (client == nullptr || client->id == use->grant.clientId);
    crypto::JwtClaims claims;
    claims.flag("active", isTold);
    if (!isTold) return claims.toJson();
    const Timestamp expiresAt = refreshed ? use->grant.expiresAt : parseOidcAccessToken(ring_, token)->expiresAt;
    claims.text("token_type", refreshed ? "refresh_token" : "Bearer")
        .text("client_id", use->grant.clientId)
        .text("scope", toText(use->grant.scopes))
        .text("iss", settings_.issuer)
        .text("aud", use->grant.clientId)
        .text("sub", use->user->id.toString())
        .text("sid", use->grant.sessionId.toString())
        .number("exp", numericDate(expiresAt))
        .number("auth_time", numericDate(use->grant.authenticatedAt))
        .text("acr", use->grant.acr);
    addUserClaims(claims, *use->user, use->grant.scopes);
    return claims.toJson();
}

void OidcProvider::revoke(std::string_view token, const OidcClient& client) {
    const auto grantId = grantOf(token);
    if (!grantId) return;
    const Timestamp now = clock_.now();
    const auto use = findGrant(*grantId, now);
    if (use && use->grant.clientId == client.id) store_.endGrant(*grantId, now);
}

std::variant<OidcClient, OidcError> OidcProvider::authenticate(std::optional<std::string_view> authorization,
                                                               const Parameters& form) {
    const auto shown = readClient(authorization, form);
    if (const auto* fault = std::get_if<ClientProof>(&shown))
        return *fault == ClientProof::Ambiguous ? kBadRequest : kNoClient;
    auto client = findNow(std::get<ShownClient>(shown).id);
    if (!client || !isProved(*client, std::get<ShownClient>(shown))) return kNoClient;
    return std::move(*client);
}

std::optional<LogoutHint> OidcProvider::readHint(std::string_view idToken) {
    const Timestamp now = clock_.now();
    for (const SigningKeys* keys : {&rs256_, &es256_}) {
        const auto algorithm = keys == &rs256_ ? crypto::SigningAlgorithm::Rs256 : crypto::SigningAlgorithm::Es256;
        const auto keyId = crypto::keyIdOf(idToken, algorithm);
        const auto key = keyId ? keys->find(*keyId, now) : nullptr;
        const auto hint = key ? crypto::readIdTokenHint(idToken, *key, settings_.issuer) : std::nullopt;
        const auto user = Uuid::parse(hint ? hint->subject : "");
        const auto session = Uuid::parse(hint ? hint->sessionId : "");
        if (user && session) return LogoutHint{findClient(hint->audience), *user, *session};
    }
    return std::nullopt;
}

std::string OidcProvider::logoutToken(const LogoutNotice& notice) {
    const Timestamp now = clock_.now();
    const std::int64_t seconds = numericDate(now);
    constexpr std::int64_t kLifetimeSeconds = 120;  // Back-Channel Logout 1.0, section 4
    crypto::JwtClaims claims;
    claims.text("iss", settings_.issuer).text("sub", notice.userId.toString()).text("aud", notice.clientId);
    claims.number("iat", seconds).number("exp", seconds + kLifetimeSeconds);
    claims.text("jti", Uuid::makeV7(now, random_).toString()).text("sid", notice.sessionId.toString());
    claims.raw("events", R"({"http://schemas.openid.net/event/backchannel-logout":{}})");
    return keysFor(notice.algorithm).current(now)->sign(claims.toJson(), "logout+jwt");
}

}  // namespace otpgate::domain
