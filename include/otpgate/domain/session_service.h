// Sessions and their tokens: issues them at sign-in, rotates the refresh token, recognises the caller, ends sessions.
// One object a worker thread.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/random.h"
#include "otpgate/crypto/key_ring.h"
#include "otpgate/domain/otp_store.h"
#include "otpgate/domain/session_store.h"
#include "otpgate/domain/signing_keys.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

enum class TokenFormat {
    Jwt,    // applications verify it by themselves, from the JWKS
    Opaque  // session id, expiry and MAC: only we and introspection know what it says
};

struct TokenSettings {
    TokenFormat format = TokenFormat::Jwt;
    std::string issuer;
    std::string audience;
    std::chrono::seconds accessLifetime{900};
    SessionLifetimes sessions;
    SignInRule signIn{};  // whose sessions and tokens are good
};

struct Tokens {
    std::string access;
    std::string refresh;
    std::chrono::seconds expiresIn{0};  // of the access token
    Uuid sessionId;
};

struct RefreshOutcome {
    enum class Kind { Refreshed, Invalid, Reused, NeedsFactor };
    Kind kind = Kind::Invalid;
    Tokens tokens;
};

// An access token that is good, and the session that it speaks for.
struct AccessGrant {
    AuthenticatedSession session;
    Timestamp issuedAt;  // of the token, and so are the next two
    Timestamp expiresAt;
    std::optional<std::string> id;  // jti, of a JWT
};

// What a good token says of itself (RFC 7662).
struct TokenDescription {
    enum class Kind { Access, Refresh };
    Kind kind = Kind::Access;
    AccessGrant grant;
    std::string issuer;
    std::string audience;
};

class SessionService {
public:
    SessionService(SessionStore& store, const SigningKeys& keys, const crypto::KeyRing& ring, const Clock& clock,
                   Random& random, TokenSettings settings);

    // When a session that a code opens now is over, unless it is used.
    Timestamp sessionEnd() const;
    // How long a browser keeps the cookie of a session that is opened now, by these methods, and of one that is used
    // now.
    std::chrono::seconds cookieLifetime(std::string_view methods) const;
    std::chrono::seconds cookieLifetime(const Session& session) const;

    // Until when the user may put off adding a factor, see sign_in_rule.h.
    std::optional<Timestamp> factorDueAt(const User& user) const;

    // The first tokens of a session that a store has just opened.
    Tokens issueFirst(const SignIn& signIn) const;
    RefreshOutcome refresh(std::string_view refreshToken, const Client& client);
    // Whom an access token speaks for: its signature is right, it has not expired, and its session is alive.
    std::optional<AccessGrant> authenticate(std::string_view accessToken);
    // The session that a refresh token belongs to, where it is the session's newest and alive; nothing is rotated.
    std::optional<AuthenticatedSession> inspectRefreshToken(std::string_view refreshToken);

    // Of an access token or a refresh token that would be taken now; nullopt for any other text, and where the session
    // may only be left, for then whoever shows it is nobody.
    std::optional<TokenDescription> introspect(std::string_view token);

    // The browser's cookie and what it must send beside it with unsafe methods.
    std::string cookieOf(const Uuid& sessionId) const;
    std::string csrfTokenOf(const Uuid& sessionId) const;
    bool isCsrfToken(std::string_view token, const Uuid& sessionId) const;
    // A session in use by its cookie lives on: at most every few minutes its end is moved.
    std::optional<AuthenticatedSession> authenticateCookie(std::string_view cookie);

    std::string deviceTokenOf(const Uuid& deviceId) const;
    ShownDevice parseDeviceToken(std::string_view token) const;

    std::vector<Session> list(const Uuid& userId);
    // False: the user has no such active session. Who ends another session than the own forgets its device too.
    bool end(const Uuid& sessionId, const Uuid& userId, std::string_view reason, DeviceFate deviceFate,
             const Client& client);
    // All but the kept one; returns how many.
    std::uint64_t endAll(const Uuid& userId, const std::optional<Uuid>& keptSession, std::string_view reason,
                         const Client& client);

private:
    struct Holder {
        Uuid sessionId;
        Uuid userId;
        Timestamp authenticatedAt;
        std::string_view methods;
        Timestamp lastsUntil;  // no token outlives its session
    };
    // Active, and neither its idle time nor its whole time is over.
    std::optional<AuthenticatedSession> findActive(const Uuid& sessionId, Timestamp now);
    Tokens issue(const Holder& holder, std::int64_t counter, Timestamp now) const;
    std::string accessToken(const Holder& holder, Timestamp now, Timestamp expiresAt) const;
    std::optional<AccessGrant> authenticateJwt(std::string_view token, Timestamp now);
    std::optional<AccessGrant> authenticateOpaque(std::string_view token, Timestamp now);

    SessionStore& store_;
    const SigningKeys& keys_;
    const crypto::KeyRing& ring_;
    const Clock& clock_;
    Random& random_;
    TokenSettings settings_;
};

}  // namespace otpgate::domain
