#include "store/session_store.h"

#include "store/audit_events.h"
#include "store/group_queue.h"
#include "store/oidc_store.h"
#include "store/users.h"

namespace otpgate::store {

namespace {

constexpr std::string_view kSessionColumns =
    "s.id, s.user_id, s.device_id, s.refresh_counter, s.amr, s.created_at_us, s.last_seen_at_us, s.expires_at_us, "
    "s.authenticated_at_us,"
    " s.ip_address, s.user_agent, s.install_id, s.platform, s.app_version, s.device_name";
constexpr std::size_t kSessionColumnCount = 15;

domain::Session readSession(const db::Row& row) {
    return {.id = row.uuid(0),
            .userId = row.uuid(1),
            .deviceId = row.optionalUuid(2),
            .refreshCounter = row.integer(3),
            .methods = row.text(4),
            .createdAt = row.timestamp(5),
            .lastSeenAt = row.timestamp(6),
            .expiresAt = row.timestamp(7),
            .authenticatedAt = row.timestamp(8),
            .address = row.text(9),
            .userAgent = row.text(10),
            .device = {row.text(11), row.text(12), row.text(13), row.text(14)}};
}

}  // namespace

domain::SessionRefreshResult SessionTable::refresh(const domain::SessionRefresh& refresh) {
    return make(refresh, connection_, groups_);
}

std::optional<domain::AuthenticatedSession> SessionTable::findActive(const Uuid& sessionId, Timestamp now) {
    static const std::string sql = "SELECT " + std::string{kSessionColumns} + ", " + std::string{kUserColumns} +
                                   " FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = ?"
                                   " AND s.revoked_at_us IS NULL AND s.expires_at_us > ? AND u.status = 'active'";
    const auto row = connection_.queryOne(sql, {sessionId, now});
    if (!row) return std::nullopt;
    return domain::AuthenticatedSession{readSession(*row), readUser(*row, kSessionColumnCount)};
}

void SessionTable::touch(const Uuid& sessionId, Timestamp now, Timestamp expiresAt) {
    connection_.execute(
        "UPDATE sessions SET last_seen_at_us = ?, expires_at_us = ? WHERE id = ? AND revoked_at_us IS NULL",
        {now, expiresAt, sessionId});
}

std::vector<domain::Session> SessionTable::listActive(const Uuid& userId, Timestamp now) {
    static const std::string sql = "SELECT " + std::string{kSessionColumns} +
                                   " FROM sessions s WHERE s.user_id = ? AND s.revoked_at_us IS NULL"
                                   " AND s.expires_at_us > ? ORDER BY s.id DESC LIMIT 100";
    std::vector<domain::Session> sessions;
    for (const db::Row& row : connection_.query(sql, {userId, now})) sessions.push_back(readSession(row));
    return sessions;
}

bool SessionTable::revoke(const domain::RevokeSession& revocation) {
    return connection_.transact([&] {
        noteEndOfSession(connection_, revocation.userId, revocation.sessionId, revocation.now);
        const auto changed = connection_.execute(
            "UPDATE sessions SET revoked_at_us = ?, revoked_reason = ?"
            " WHERE id = ? AND user_id = ? AND revoked_at_us IS NULL AND expires_at_us > ?",
            {revocation.now, revocation.reason, revocation.sessionId, revocation.userId, revocation.now});
        if (changed == 0) return false;
        if (revocation.deviceFate == domain::DeviceFate::Forget) {
            connection_.execute(
                "UPDATE devices SET revoked_at_us = ? WHERE revoked_at_us IS NULL AND user_id = ?"
                " AND id IN (SELECT device_id FROM sessions WHERE id = ?)",
                {revocation.now, revocation.userId, revocation.sessionId});
        }
        insertAuditEvent(connection_, {revocation.auditId, domain::AuditEvent::SessionRevoked, revocation.userId,
                                       std::nullopt, revocation.client, revocation.now});
        return true;
    });
}

std::uint64_t SessionTable::revokeAll(const domain::RevokeAllSessions& revocation) {
    return connection_.transact([&] {
        const std::uint64_t count =
            endSessions(connection_, revocation.userId, revocation.keptSession, revocation.reason, revocation.now);
        insertAuditEvent(connection_, {revocation.auditId, domain::AuditEvent::SessionRevoked, revocation.userId,
                                       std::nullopt, revocation.client, revocation.now});
        return count;
    });
}

RowsOf sessionsOf(const Uuid& userId) {
    return {"sessions", "sessions_user", "user_id", userId};
}

RowsOf devicesOf(const Uuid& userId) {
    return {"devices", "devices_user", "user_id", userId};
}

std::uint64_t endSessionsAlone(db::Connection& connection, const Uuid& userId, const Uuid& keptSession,
                               std::string_view reason, Timestamp now) {
    noteEndOfSessions(connection, userId, keptSession, now);
    std::uint64_t count = 0;
    const RowsOf sessions = sessionsOf(userId);
    inBatches(connection, sessions, [&](const Uuid& after, const Uuid& upTo) {
        count +=
            connection.execute("UPDATE " + forced(sessions) +
                                   " SET revoked_at_us = ?, revoked_reason = ? WHERE user_id = ? AND id > ? AND id <= ?"
                                   " AND id <> ? AND revoked_at_us IS NULL AND expires_at_us > ?",
                               {now, reason, userId, after, upTo, keptSession, now});
    });
    return count;
}

std::uint64_t endSessions(db::Connection& connection, const Uuid& userId, const std::optional<Uuid>& keptSession,
                          std::string_view reason, Timestamp now) {
    const Uuid kept = keptSession.value_or(Uuid{});
    const RowsOf devices = devicesOf(userId);
    inBatches(connection, devices, [&](const Uuid& after, const Uuid& upTo) {
        connection.execute(
            "UPDATE " + forced(devices) +
                " SET revoked_at_us = ? WHERE user_id = ? AND id > ? AND id <= ? AND revoked_at_us IS NULL"
                " AND id NOT IN (SELECT COALESCE(device_id, id) FROM sessions WHERE id = ?)",
            {now, userId, after, upTo, kept});
    });
    endGrants(connection, userId, kept, now);
    const std::uint64_t count = endSessionsAlone(connection, userId, kept, reason, now);
    // A key that was made in a stolen session would outlive it. After the sessions: one that is being made holds its
    // own.
    connection.execute("UPDATE api_keys SET revoked_at_us = ? WHERE user_id = ? AND revoked_at_us IS NULL",
                       {now, userId});
    return count;
}

}  // namespace otpgate::store
