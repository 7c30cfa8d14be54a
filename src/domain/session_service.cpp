#include "otpgate/domain/session_service.h"

#include "domain/device_token.h"
#include "domain/refresh_token.h"
#include "otpgate/base/text.h"
#include "otpgate/crypto/signed_token.h"
#include "otpgate/domain/assurance.h"
#include "otpgate/domain/session_rules.h"

#include <algorithm>

namespace otpgate::domain {

namespace {

// iat and nbf say so much less than now: a verifier whose clock is that much behind takes the token at once.
constexpr std::chrono::seconds kBackdated{1};

std::vector<std::string> words(std::string_view text) {
    if (text.empty()) return {};
    const auto parts = split(text, ' ');
    return {parts.begin(), parts.end()};
}

}  // namespace

SessionService::SessionService(SessionStore& store, const SigningKeys& keys, const crypto::KeyRing& ring,
                               const Clock& clock, Random& random, TokenSettings settings)
    : store_(store),
      keys_(keys),
      ring_(ring),
      clock_(clock),
      random_(random),
      settings_(std::move(settings)) {}

Timestamp SessionService::sessionEnd() const {
    return newSessionEndsAt("otp", clock_.now(), settings_.sessions);
}

std::chrono::seconds SessionService::cookieLifetime(std::string_view methods) const {
    const Timestamp now = clock_.now();
    return std::chrono::ceil<std::chrono::seconds>(newSessionEndsAt(methods, now, settings_.sessions) - now);
}

std::chrono::seconds SessionService::cookieLifetime(const Session& session) const {
    const Timestamp now = clock_.now();
    return std::chrono::ceil<std::chrono::seconds>(sessionEndsAt(session, now, settings_.sessions) - now);
}

std::optional<Timestamp> SessionService::factorDueAt(const User& user) const {
    return domain::factorDueAt(user, settings_.signIn, clock_.now());
}

std::optional<AuthenticatedSession> SessionService::findActive(const Uuid& sessionId, Timestamp now) {
    auto found = store_.findActive(sessionId, now);
    if (!found || !isGood(*found, settings_.sessions, settings_.signIn, now)) return std::nullopt;
    return found;
}

Tokens SessionService::issueFirst(const SignIn& signIn) const {
    const Timestamp now = clock_.now();
    const Timestamp endsAt = newSessionEndsAt(signIn.methods, now, settings_.sessions);
    return issue({signIn.sessionId, signIn.user.id, now, signIn.methods, endsAt}, 0, now);
}

Tokens SessionService::issue(const Holder& holder, std::int64_t counter, Timestamp now) const {
    const Timestamp expiresAt = std::min<Timestamp>(now + settings_.accessLifetime, holder.lastsUntil);
    return {accessToken(holder, now, expiresAt), RefreshToken{holder.sessionId, counter}.toText(ring_),
            std::chrono::ceil<std::chrono::seconds>(expiresAt - now), holder.sessionId};
}

std::string SessionService::accessToken(const Holder& holder, Timestamp now, Timestamp expiresAt) const {
    if (settings_.format == TokenFormat::Opaque) {
        return crypto::signToken(
            ring_, crypto::KeyUse::AccessToken,
            std::string{holder.sessionId.bytes()} + crypto::packInteger(toMicroseconds(expiresAt)));
    }
    crypto::AccessClaims claims;
    claims.issuer = settings_.issuer;
    claims.audience = settings_.audience;
    claims.subject = holder.userId.toString();
    claims.sessionId = holder.sessionId.toString();
    claims.tokenId = Uuid::makeV7(now, random_).toString();
    claims.methods = words(holder.methods);
    claims.assuranceLevel = static_cast<int>(assuranceOf(holder.methods));
    claims.issuedAt = now - kBackdated;
    claims.expiresAt = expiresAt;
    claims.authTime = std::min(holder.authenticatedAt, claims.issuedAt);  // nobody signs in after the token
    return keys_.current(now)->sign(claims);
}

RefreshOutcome SessionService::refresh(std::string_view refreshToken, const Client& client) {
    using Kind = RefreshOutcome::Kind;
    const auto token = RefreshToken::parse(refreshToken, ring_);
    if (!token) return {Kind::Invalid, {}};

    const Timestamp now = clock_.now();
    const SessionRefreshResult result = store_.refresh({.sessionId = token->sessionId,
                                                        .counter = token->counter,
                                                        .now = now,
                                                        .lifetimes = settings_.sessions,
                                                        .graceSince = now - kRefreshGrace,
                                                        .auditId = Uuid::makeV7(now, random_),
                                                        .client = client,
                                                        .signIn = &settings_.signIn});
    switch (result.outcome) {
    case SessionRefreshResult::Outcome::Rotated:
    case SessionRefreshResult::Outcome::Repeated:
        return {Kind::Refreshed,
                issue({token->sessionId, result.userId, result.authenticatedAt, result.methods, result.lastsUntil},
                      token->counter + 1, now)};
    case SessionRefreshResult::Outcome::Reused: return {Kind::Reused, {}};
    case SessionRefreshResult::Outcome::NeedsFactor: return {Kind::NeedsFactor, {}};
    case SessionRefreshResult::Outcome::Ended: return {Kind::Invalid, {}};
    }
    return {Kind::Invalid, {}};
}

std::optional<AccessGrant> SessionService::authenticate(std::string_view accessToken) {
    const Timestamp now = clock_.now();
    // Either form is taken, so that a change of tokens.format ends nobody's work.
    return accessToken.find('.') == std::string_view::npos ? authenticateOpaque(accessToken, now)
                                                           : authenticateJwt(accessToken, now);
}

std::optional<AccessGrant> SessionService::authenticateJwt(std::string_view token, Timestamp now) {
    const auto keyId = crypto::keyIdOf(token);
    if (!keyId) return std::nullopt;
    const auto key = keys_.find(*keyId, now);
    if (!key) return std::nullopt;
    const auto claims = crypto::verifyAccessToken(token, *key, settings_.issuer, settings_.audience, now);
    if (!claims) return std::nullopt;
    const auto sessionId = Uuid::parse(claims->sessionId);
    if (!sessionId) return std::nullopt;
    auto session = findActive(*sessionId, now);
    if (!session) return std::nullopt;
    return AccessGrant{std::move(*session), claims->issuedAt, claims->expiresAt, claims->tokenId};
}

std::optional<AccessGrant> SessionService::authenticateOpaque(std::string_view token, Timestamp now) {
    const auto payload =
        crypto::openToken(ring_, crypto::KeyUse::AccessToken, token, Uuid::kBytes + crypto::kIntegerBytes);
    if (!payload) return std::nullopt;
    const std::string_view view = *payload;
    const Timestamp expiresAt = fromMicroseconds(crypto::unpackInteger(view.substr(Uuid::kBytes)));
    if (expiresAt <= now) return std::nullopt;
    auto session = findActive(Uuid::fromBytes(view.substr(0, Uuid::kBytes)), now);
    if (!session) return std::nullopt;
    // The last ones of a session are shorter; none is older than it.
    const Timestamp issuedAt = std::max<Timestamp>(expiresAt - settings_.accessLifetime, session->session.createdAt);
    return AccessGrant{std::move(*session), issuedAt, expiresAt, std::nullopt};
}

std::optional<AuthenticatedSession> SessionService::inspectRefreshToken(std::string_view refreshToken) {
    const auto token = RefreshToken::parse(refreshToken, ring_);
    if (!token) return std::nullopt;
    auto session = findActive(token->sessionId, clock_.now());
    if (!session || session->session.refreshCounter != token->counter) return std::nullopt;
    return session;
}

std::optional<TokenDescription> SessionService::introspect(std::string_view token) {
    using Kind = TokenDescription::Kind;
    const auto isSomebody = [](const AuthenticatedSession& session) {
        return opensAccount(session.session.methods, session.user.hasFactor) && !session.owesFactor;
    };
    if (auto grant = authenticate(token)) {
        if (!isSomebody(grant->session)) return std::nullopt;
        return TokenDescription{Kind::Access, std::move(*grant), settings_.issuer, settings_.audience};
    }
    if (auto session = inspectRefreshToken(token); session && isSomebody(*session)) {
        // A session of tokens is seen when they are issued, and its end is theirs.
        const Timestamp issuedAt = session->session.lastSeenAt;
        const Timestamp expiresAt = session->session.expiresAt;
        return TokenDescription{Kind::Refresh,
                                {std::move(*session), issuedAt, expiresAt, std::nullopt},
                                settings_.issuer,
                                settings_.audience};
    }
    return std::nullopt;
}

std::string SessionService::cookieOf(const Uuid& sessionId) const {
    return crypto::signToken(ring_, crypto::KeyUse::SessionCookie, sessionId.bytes());
}

std::string SessionService::csrfTokenOf(const Uuid& sessionId) const {
    return crypto::signToken(ring_, crypto::KeyUse::CsrfToken, sessionId.bytes());
}

bool SessionService::isCsrfToken(std::string_view token, const Uuid& sessionId) const {
    return crypto::openToken(ring_, crypto::KeyUse::CsrfToken, token, Uuid::kBytes) == sessionId.bytes();
}

std::optional<AuthenticatedSession> SessionService::authenticateCookie(std::string_view cookie) {
    const auto id = crypto::openToken(ring_, crypto::KeyUse::SessionCookie, cookie, Uuid::kBytes);
    if (!id) return std::nullopt;
    const Timestamp now = clock_.now();
    auto session = findActive(Uuid::fromBytes(*id), now);
    if (session && isTouchDue(session->session, settings_.sessions, now)) {
        store_.touch(session->session.id, now, sessionEndsAt(session->session, now, settings_.sessions));
    }
    return session;
}

std::string SessionService::deviceTokenOf(const Uuid& deviceId) const {
    return makeDeviceToken(ring_, deviceId);
}

ShownDevice SessionService::parseDeviceToken(std::string_view token) const {
    return domain::parseDeviceToken(ring_, token);
}

std::vector<Session> SessionService::list(const Uuid& userId) {
    const Timestamp now = clock_.now();
    std::vector<Session> sessions = store_.listActive(userId, now);
    std::erase_if(sessions, [&](Session& session) { return !isWithinLifetime(session, settings_.sessions, now); });
    return sessions;
}

bool SessionService::end(const Uuid& sessionId, const Uuid& userId, std::string_view reason, DeviceFate deviceFate,
                         const Client& client) {
    const Timestamp now = clock_.now();
    return store_.revoke({.sessionId = sessionId,
                          .userId = userId,
                          .reason = reason,
                          .deviceFate = deviceFate,
                          .now = now,
                          .auditId = Uuid::makeV7(now, random_),
                          .client = client});
}

std::uint64_t SessionService::endAll(const Uuid& userId, const std::optional<Uuid>& keptSession,
                                     std::string_view reason, const Client& client) {
    const Timestamp now = clock_.now();
    return store_.revokeAll({.userId = userId,
                             .keptSession = keptSession,
                             .reason = reason,
                             .now = now,
                             .auditId = Uuid::makeV7(now, random_),
                             .client = client});
}

}  // namespace otpgate::domain
