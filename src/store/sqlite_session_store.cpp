// The rotation of a refresh token in single statements; sql/mysql/procedures/token_refresh.sql says the same for MySQL.
#include "store/audit_events.h"
#include "store/session_store.h"

namespace otpgate::store {

domain::SessionRefreshResult SqliteSessionStore::refresh(const domain::SessionRefresh& refresh) {
    using Outcome = domain::SessionRefreshResult::Outcome;
    return connection_.transact([&]() -> domain::SessionRefreshResult {
        const auto row = connection_.queryOne(
            "SELECT s.user_id, s.authenticated_at_us, s.refresh_counter, s.rotated_at_us, s.ip_address, s.user_agent, "
            "s.amr"
            " FROM sessions s JOIN users u ON u.id = s.user_id"
            " WHERE s.id = ? AND s.revoked_at_us IS NULL AND s.expires_at_us > ? AND u.status = 'active'",
            {refresh.sessionId, refresh.now});
        // A counter ahead of the row: the database was restored from an older copy. Nobody stole anything, but nothing
        // is proved.
        if (!row || row->integer(2) < refresh.counter) return {};

        const Uuid userId = row->uuid(0);
        const auto audit = [&](domain::AuditEvent event) {
            insertAuditEvent(connection_, {refresh.auditId, event, userId, std::nullopt, refresh.client, refresh.now});
        };
        if (row->integer(2) == refresh.counter) {
            connection_.execute(
                "UPDATE sessions SET refresh_counter = refresh_counter + 1, rotated_at_us = ?,"
                " last_seen_at_us = ?, expires_at_us = ?, ip_address = ?, user_agent = ? WHERE id = ?",
                {refresh.now, refresh.now, refresh.expiresAt, refresh.client.address, refresh.client.userAgent,
                 refresh.sessionId});
            // A refresh leaves a trace only where it comes from elsewhere than the last one: thousands from one browser
            // would say nothing, and cost a row each.
            if (row->text(4) != refresh.client.address || row->text(5) != refresh.client.userAgent) {
                audit(domain::AuditEvent::TokenRefreshed);
            }
            return {Outcome::Rotated, userId, row->timestamp(1), row->text(6)};
        }
        if (row->integer(2) == refresh.counter + 1 && row->timestamp(3) > refresh.graceSince) {
            return {Outcome::Repeated, userId, row->timestamp(1), row->text(6)};
        }
        connection_.execute("UPDATE sessions SET revoked_at_us = ?, revoked_reason = 'token_reused' WHERE id = ?",
                            {refresh.now, refresh.sessionId});
        audit(domain::AuditEvent::TokenReused);
        return {Outcome::Reused, {}, {}, {}};
    });
}

}  // namespace otpgate::store
