// What the domain needs of the table sessions. Each function is one atomic step; one object a thread; throws
// ServiceUnavailable when the database does not answer.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/uuid.h"
#include "otpgate/domain/models.h"
#include "otpgate/domain/session_lifetimes.h"
#include "otpgate/domain/sign_in_rule.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

struct SessionRefresh {
    Uuid sessionId;
    std::int64_t counter = 0;  // of the refresh token that was shown
    Timestamp now;
    SessionLifetimes lifetimes;
    Timestamp graceSince;  // a rotation after this is recent: its predecessor still gets the successor
    Uuid auditId;
    Client client;
    const SignInRule* signIn = nullptr;  // what lets the session's user in; nullptr: that the account is active
};

struct SessionRefreshResult {
    enum class Outcome { Rotated, Repeated, Reused, Ended, NeedsFactor };
    Outcome outcome = Outcome::Ended;
    Uuid userId;
    Timestamp authenticatedAt;
    std::string methods;
    Timestamp lastsUntil;  // unless it is used again
};

struct AuthenticatedSession {
    Session session;
    User user;
    bool owesFactor = false;  // the user must add one first, see sign_in_rule.h
};

// A device that is forgotten loses its own budgets (see NewOtpRequest::device).
enum class DeviceFate { Keep, Forget };

struct RevokeSession {
    Uuid sessionId;
    Uuid userId;
    std::string_view reason;  // "logout", "ended_by_user"
    DeviceFate deviceFate = DeviceFate::Keep;
    Timestamp now;
    Uuid auditId;
    Client client;
};

struct RevokeAllSessions {
    Uuid userId;
    std::optional<Uuid> keptSession;  // stays, and so does its device's being known
    std::string_view reason;          // "logout_all", "password_changed"
    Timestamp now;
    Uuid auditId;
    Client client;
};

class SessionStore {
public:
    virtual ~SessionStore() = default;
    // The token with counter c becomes c + 1. Its predecessor within the grace time is Repeated; an older one revokes
    // the session (Reused). Ended: unknown, revoked, expired, or the user is disabled. NeedsFactor: the account has got
    // a factor since, and this sign-in was without.
    virtual SessionRefreshResult refresh(const SessionRefresh& refresh) = 0;
    // Neither revoked nor expired, and the user is active.
    virtual std::optional<AuthenticatedSession> findActive(const Uuid& sessionId, Timestamp now) = 0;
    // Moves the session's end and its last_seen_at.
    virtual void touch(const Uuid& sessionId, Timestamp now, Timestamp expiresAt) = 0;
    virtual std::vector<Session> listActive(const Uuid& userId, Timestamp now) = 0;  // newest first, at most 100
    // Whether there was such an active session of this user.
    virtual bool revoke(const RevokeSession& revocation) = 0;
    // Ends every active session of the user but the kept one and forgets their devices. Returns how many sessions
    // ended; one audit event tells of all.
    virtual std::uint64_t revokeAll(const RevokeAllSessions& revocation) = 0;
};

}  // namespace otpgate::domain
