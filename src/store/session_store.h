// The table sessions. What both engines say alike stands in SessionTable; the rotation of a refresh token is one
// procedure on MySQL and single statements on SQLite.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/stores.h"

namespace otpgate::store {

// Ends the user's active sessions but the kept one, and forgets the devices but the kept session's. Inside the caller's
// transaction; returns how many ended.
std::uint64_t endSessions(db::Connection& connection, const Uuid& userId, const std::optional<Uuid>& keptSession,
                          std::string_view reason, Timestamp now);

class SessionTable : public domain::SessionStore {
public:
    explicit SessionTable(db::Connection& connection) : connection_(connection) {}
    std::optional<domain::AuthenticatedSession> findActive(const Uuid& sessionId, Timestamp now) override;
    void touch(const Uuid& sessionId, Timestamp now, Timestamp expiresAt) override;
    std::vector<domain::Session> listActive(const Uuid& userId, Timestamp now) override;
    bool revoke(const domain::RevokeSession& revocation) override;
    std::uint64_t revokeAll(const domain::RevokeAllSessions& revocation) override;

protected:
    db::Connection& connection_;
};

class MysqlSessionStore final : public SessionTable {
public:
    using SessionTable::SessionTable;
    domain::SessionRefreshResult refresh(const domain::SessionRefresh& refresh) override;
};

class SqliteSessionStore final : public SessionTable {
public:
    using SessionTable::SessionTable;
    domain::SessionRefreshResult refresh(const domain::SessionRefresh& refresh) override;
};

}  // namespace otpgate::store
