#include "otpgate/domain/session_service.h"

#include "domain/refresh_token.h"

namespace otpgate::domain {

namespace {

// A second tab, or an answer lost on the way, may show the predecessor for so long (API.md 4).
constexpr std::chrono::seconds kRefreshGrace{30};

}  // namespace

SessionService::SessionService(SessionStore& store, const SigningKeys& keys, const crypto::KeyRing& ring,
                               const Clock& clock, Random& random, TokenSettings settings)
    : store_(store),
      keys_(keys),
      ring_(ring),
      clock_(clock),
      random_(random),
      settings_(std::move(settings)) {}

Tokens SessionService::issueFirst(const Uuid& sessionId, const Uuid& userId, Timestamp authenticatedAt) const {
    return issue(sessionId, userId, authenticatedAt, 0, authenticatedAt);
}

Tokens SessionService::issue(const Uuid& sessionId, const Uuid& userId, Timestamp authenticatedAt, std::int64_t counter,
                             Timestamp now) const {
    crypto::AccessClaims claims;
    claims.issuer = settings_.issuer;
    claims.audience = settings_.audience;
    claims.subject = userId.toString();
    claims.sessionId = sessionId.toString();
    claims.tokenId = Uuid::makeV7(now, random_).toString();
    claims.methods = {"otp"};
    claims.issuedAt = now;
    claims.expiresAt = now + settings_.accessLifetime;
    claims.authTime = authenticatedAt;
    return {keys_.current(now)->sign(claims), RefreshToken{sessionId, counter}.toText(ring_), settings_.accessLifetime,
            sessionId};
}

RefreshOutcome SessionService::refresh(std::string_view refreshToken, const Client& client) {
    using Kind = RefreshOutcome::Kind;
    const auto token = RefreshToken::parse(refreshToken, ring_);
    if (!token) return {Kind::Invalid, {}};

    const Timestamp now = clock_.now();
    const SessionRefreshResult result = store_.refresh({.sessionId = token->sessionId,
                                                        .counter = token->counter,
                                                        .now = now,
                                                        .expiresAt = sessionEnd(now),
                                                        .graceSince = now - kRefreshGrace,
                                                        .auditId = Uuid::makeV7(now, random_),
                                                        .client = client});
    switch (result.outcome) {
    case SessionRefreshResult::Outcome::Rotated:
    case SessionRefreshResult::Outcome::Repeated:
        return {Kind::Refreshed,
                issue(token->sessionId, result.userId, result.authenticatedAt, token->counter + 1, now)};
    case SessionRefreshResult::Outcome::Reused: return {Kind::Reused, {}};
    case SessionRefreshResult::Outcome::Ended: return {Kind::Invalid, {}};
    }
    return {Kind::Invalid, {}};
}

std::optional<AuthenticatedSession> SessionService::authenticate(std::string_view accessToken) {
    const Timestamp now = clock_.now();
    const auto keyId = crypto::keyIdOf(accessToken);
    if (!keyId) return std::nullopt;
    const auto key = keys_.find(*keyId, now);
    if (!key) return std::nullopt;
    const auto claims = crypto::verifyAccessToken(accessToken, *key, settings_.issuer, settings_.audience, now);
    if (!claims) return std::nullopt;
    const auto sessionId = Uuid::parse(claims->sessionId);
    if (!sessionId) return std::nullopt;
    return store_.findActive(*sessionId, now);
}

std::vector<Session> SessionService::list(const Uuid& userId) {
    return store_.listActive(userId, clock_.now());
}

bool SessionService::end(const Uuid& sessionId, const Uuid& userId, std::string_view reason, const Client& client) {
    const Timestamp now = clock_.now();
    return store_.revoke({.sessionId = sessionId,
                          .userId = userId,
                          .reason = reason,
                          .now = now,
                          .auditId = Uuid::makeV7(now, random_),
                          .client = client});
}

}  // namespace otpgate::domain
