#include "store/session_store.h"

#include "store/audit_events.h"
#include "store/users.h"

namespace otpgate::store {

namespace {

constexpr std::string_view kSessionColumns =
    "s.id, s.user_id, s.created_at_us, s.last_seen_at_us, s.expires_at_us, s.authenticated_at_us, s.ip_address,"
    " s.user_agent, s.install_id, s.platform, s.app_version, s.device_name";
constexpr std::size_t kSessionColumnCount = 12;

domain::Session readSession(const db::Row& row) {
    return {.id = row.uuid(0),
            .userId = row.uuid(1),
            .createdAt = row.timestamp(2),
            .lastSeenAt = row.timestamp(3),
            .expiresAt = row.timestamp(4),
            .authenticatedAt = row.timestamp(5),
            .address = row.text(6),
            .userAgent = row.text(7),
            .device = {row.text(8), row.text(9), row.text(10), row.text(11)}};
}

}  // namespace

std::optional<domain::AuthenticatedSession> SessionTable::findActive(const Uuid& sessionId, Timestamp now) {
    static const std::string sql = "SELECT " + std::string{kSessionColumns} + ", " + std::string{kUserColumns} +
                                   " FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = ?"
                                   " AND s.revoked_at_us IS NULL AND s.expires_at_us > ? AND u.status = 'active'";
    const auto row = connection_.queryOne(sql, {sessionId, now});
    if (!row) return std::nullopt;
    return domain::AuthenticatedSession{readSession(*row), readUser(*row, kSessionColumnCount)};
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
        const auto changed = connection_.execute(
            "UPDATE sessions SET revoked_at_us = ?, revoked_reason = ?"
            " WHERE id = ? AND user_id = ? AND revoked_at_us IS NULL AND expires_at_us > ?",
            {revocation.now, revocation.reason, revocation.sessionId, revocation.userId, revocation.now});
        if (changed == 0) return false;
        insertAuditEvent(connection_, {revocation.auditId, domain::AuditEvent::SessionRevoked, revocation.userId,
                                       std::nullopt, revocation.client, revocation.now});
        return true;
    });
}

}  // namespace otpgate::store
