// Sessions and their tokens: issues them at sign-in, rotates the refresh token, recognises the caller, ends sessions.
// One object a worker thread.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/random.h"
#include "otpgate/crypto/key_ring.h"
#include "otpgate/domain/signing_keys.h"
#include "otpgate/domain/stores.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

struct TokenSettings {
    std::string issuer;
    std::string audience;
    std::chrono::seconds accessLifetime{900};
    std::chrono::seconds refreshLifetime{604800};
};

struct Tokens {
    std::string access;
    std::string refresh;
    std::chrono::seconds expiresIn{0};  // of the access token
    Uuid sessionId;
};

struct RefreshOutcome {
    enum class Kind { Refreshed, Invalid, Reused };
    Kind kind = Kind::Invalid;
    Tokens tokens;
};

class SessionService {
public:
    SessionService(SessionStore& store, const SigningKeys& keys, const crypto::KeyRing& ring, const Clock& clock,
                   Random& random, TokenSettings settings);

    Timestamp sessionEnd(Timestamp now) const { return now + settings_.refreshLifetime; }
    // The first tokens of a session that a store has just opened.
    Tokens issueFirst(const Uuid& sessionId, const Uuid& userId, Timestamp authenticatedAt) const;

    RefreshOutcome refresh(std::string_view refreshToken, const Client& client);
    // Who an access token speaks for: its signature is right, it has not expired, and its session is still alive.
    std::optional<AuthenticatedSession> authenticate(std::string_view accessToken);

    std::vector<Session> list(const Uuid& userId);
    // False: the user has no such active session.
    bool end(const Uuid& sessionId, const Uuid& userId, std::string_view reason, const Client& client);

private:
    Tokens issue(const Uuid& sessionId, const Uuid& userId, Timestamp authenticatedAt, std::int64_t counter,
                 Timestamp now) const;

    SessionStore& store_;
    const SigningKeys& keys_;
    const crypto::KeyRing& ring_;
    const Clock& clock_;
    Random& random_;
    TokenSettings settings_;
};

}  // namespace otpgate::domain
