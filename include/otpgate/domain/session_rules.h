// What is decided about sessions: when one ends, what a refresh token does. Functions of rows that a store has read and
// locked; the store writes back what they changed.
#pragma once

#include "otpgate/domain/models.h"
#include "otpgate/domain/session_store.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

// A second tab or thread, or an answer lost on the way, may show the predecessor of a refresh token for so long: ours,
// and an application's.
inline constexpr std::chrono::seconds kRefreshGrace{30};

// A session with what its rotation needs, as it is stored.
struct StoredSession {
    Uuid id;
    Uuid userId;
    bool userIsActive = false;
    bool userHasFactor = false;
    Timestamp createdAt;
    Timestamp authenticatedAt;
    std::string methods;
    std::int64_t refreshCounter = 0;
    Timestamp rotatedAt;
    Timestamp lastSeenAt;
    Timestamp expiresAt;
    std::optional<Timestamp> revokedAt;
    // Of the client that the audit trail was told of last, and when.
    std::string address;
    std::string userAgent;
    Timestamp movedAt{};
    Role userRole = Role::User;
    std::vector<std::string> userGroups{};
    std::optional<Timestamp> userFactorWantedSince{};
};

// Whether the session's user proved to be there so lately that what lasts may be done in the account's name: a stolen
// session must not take the account with it. A refresh is no sign-in.
bool signedInRecently(const Session& session, std::chrono::seconds within, Timestamp now);

// When a session that is used now ends by itself: after the idle time, and no later than its whole time after its
// sign-in (ASVS 5, 7.3.1 and 7.3.2). Both are shorter for one of level 2, whose whole time begins when its user has
// shown both factors: that may be later than the session, which has been raised then.
Timestamp sessionEndsAt(const Session& session, Timestamp now, const SessionLifetimes& lifetimes);
// The same of one that begins now.
Timestamp newSessionEndsAt(std::string_view methods, Timestamp now, const SessionLifetimes& lifetimes);

// Whether its time is not over. Its row may say a later end: of a version, or of a setting, that let sessions last
// longer, or from before it was raised; `session` then says the earlier one.
bool isWithinLifetime(Session& session, const SessionLifetimes& lifetimes, Timestamp now);

// Whether the session is good now: within its time, and of somebody whom the rule lets in. It then says, too, whether
// he must add a factor first.
bool isGood(AuthenticatedSession& session, const SessionLifetimes& lifetimes, const SignInRule& rule, Timestamp now);

// Whether the end of a session that is in use by its cookie must be moved: every few minutes, and often enough that it
// does not end meanwhile, however short its life is.
bool isTouchDue(const Session& session, const SessionLifetimes& lifetimes, Timestamp now);

struct RefreshRuling {
    SessionRefreshResult result;
    std::optional<AuditEvent> event;
};
// Rotates the session, or revokes it where the token was used before. Null: there is no such session.
RefreshRuling ruleOnRefresh(const SessionRefresh& refresh, StoredSession* session);

}  // namespace otpgate::domain
