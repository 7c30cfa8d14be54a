// The table sessions. Refreshes come in groups (groups.h) or alone.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/stores.h"
#include "otpgate/store/groups.h"
#include "store/batches.h"

#include <vector>

namespace otpgate::store {

RowsOf sessionsOf(const Uuid& userId);
RowsOf devicesOf(const Uuid& userId);

// Ends the user's active sessions but the kept one and every API key, and forgets the devices but the kept session's.
// Inside the caller's transaction; returns how many ended.
std::uint64_t endSessions(db::Connection& connection, const Uuid& userId, const std::optional<Uuid>& keptSession,
                          std::string_view reason, Timestamp now);
// The sessions alone: keys and devices stay.
std::uint64_t endSessionsAlone(db::Connection& connection, const Uuid& userId, const Uuid& keptSession,
                               std::string_view reason, Timestamp now);

class SessionTable final : public domain::SessionStore {
public:
    SessionTable(db::Connection& connection, Groups* groups) : connection_(connection), groups_(groups) {}
    domain::SessionRefreshResult refresh(const domain::SessionRefresh& refresh) override;
    std::optional<domain::AuthenticatedSession> findActive(const Uuid& sessionId, Timestamp now) override;
    void touch(const Uuid& sessionId, Timestamp now, Timestamp expiresAt) override;
    std::vector<domain::Session> listActive(const Uuid& userId, Timestamp now) override;
    bool revoke(const domain::RevokeSession& revocation) override;
    std::uint64_t revokeAll(const domain::RevokeAllSessions& revocation) override;

private:
    db::Connection& connection_;
    Groups* groups_;
};

}  // namespace otpgate::store
