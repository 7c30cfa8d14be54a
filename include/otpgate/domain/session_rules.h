// What is decided about sessions: what a refresh token does. Functions of rows that a store has read and locked; the
// store writes back what they changed.
#pragma once

#include "otpgate/domain/models.h"
#include "otpgate/domain/session_store.h"

#include <optional>
#include <string>

namespace otpgate::domain {

// A session with what its rotation needs, as it is stored.
struct StoredSession {
    Uuid id;
    Uuid userId;
    bool userIsActive = false;
    Timestamp authenticatedAt;
    std::string methods;
    std::int64_t refreshCounter = 0;
    Timestamp rotatedAt;
    Timestamp lastSeenAt;
    Timestamp expiresAt;
    std::optional<Timestamp> revokedAt;
    std::string address;
    std::string userAgent;
};

struct RefreshRuling {
    SessionRefreshResult result;
    std::optional<AuditEvent> event;
};
// Rotates the session, or revokes it where the token was used before. Null: there is no such session.
RefreshRuling ruleOnRefresh(const SessionRefresh& refresh, StoredSession* session);

}  // namespace otpgate::domain
