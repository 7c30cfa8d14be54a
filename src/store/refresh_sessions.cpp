// The rotation of refresh tokens.
#include "otpgate/domain/session_rules.h"
#include "store/audit_events.h"
#include "store/session_store.h"
#include "store/words.h"

#include <map>
#include <set>

namespace otpgate::store {

using domain::SessionRefresh;
using domain::SessionRefreshResult;
using domain::StoredSession;

namespace {

// The user is read, not locked: whoever disables one ends the sessions after it.
const db::LookUp kSession(
    "SELECT s.id, s.user_id, (SELECT u.status FROM users u WHERE u.id = s.user_id),"
    " s.authenticated_at_us, s.amr, s.refresh_counter, s.rotated_at_us, s.last_seen_at_us,"
    " s.expires_at_us, s.revoked_at_us, s.ip_address, s.user_agent"
    " FROM sessions s /*! FORCE INDEX (PRIMARY) */ WHERE",
    "s.id = ?", db::Locking::Wait);
const auto kRotate = db::RowStatement::update(
    "sessions", {"refresh_counter", "rotated_at_us", "last_seen_at_us", "expires_at_us", "ip_address", "user_agent"},
    "id");
const auto kRevoke = db::RowStatement::update("sessions", {"revoked_at_us", "revoked_reason"}, "id");

StoredSession readSession(const db::Row& row) {
    return {.id = row.uuid(0),
            .userId = row.uuid(1),
            .userIsActive = !row.isNull(2) && parseUserStatus(row.text(2)) == domain::UserStatus::Active,
            .authenticatedAt = row.timestamp(3),
            .methods = row.text(4),
            .refreshCounter = row.integer(5),
            .rotatedAt = row.timestamp(6),
            .lastSeenAt = row.timestamp(7),
            .expiresAt = row.timestamp(8),
            .revokedAt = row.optionalTimestamp(9),
            .address = row.text(10),
            .userAgent = row.text(11)};
}

}  // namespace

std::vector<SessionRefreshResult> refreshSessions(db::Connection& connection,
                                                  std::span<const SessionRefresh* const> refreshes) {
    std::set<Uuid> ids;
    for (const SessionRefresh* refresh : refreshes) ids.insert(refresh->sessionId);
    std::map<Uuid, StoredSession> sessions;
    const auto found = connection.lookUp({{kSession, {ids.begin(), ids.end()}}});
    for (const db::Row& row : found[0]) sessions.emplace(row.uuid(0), readSession(row));

    std::set<Uuid> rotated;
    std::set<Uuid> revoked;
    std::vector<SessionRefreshResult> results;
    struct Event {
        const SessionRefresh* refresh;
        domain::AuditEvent event;
        Uuid userId;
    };
    std::vector<Event> events;
    for (const SessionRefresh* refresh : refreshes) {
        const auto session = sessions.find(refresh->sessionId);
        domain::RefreshRuling ruling =
            domain::ruleOnRefresh(*refresh, session == sessions.end() ? nullptr : &session->second);
        if (ruling.result.outcome == SessionRefreshResult::Outcome::Rotated) rotated.insert(refresh->sessionId);
        if (ruling.result.outcome == SessionRefreshResult::Outcome::Reused) revoked.insert(refresh->sessionId);
        if (ruling.event) events.push_back({refresh, *ruling.event, session->second.userId});
        results.push_back(std::move(ruling.result));
    }
    for (const Uuid& id : rotated) {
        const StoredSession& session = sessions.at(id);
        connection.write(kRotate, {session.refreshCounter, session.rotatedAt, session.lastSeenAt, session.expiresAt,
                                   session.address, session.userAgent, id});
    }
    for (const Uuid& id : revoked) connection.write(kRevoke, {sessions.at(id).revokedAt, "token_reused", id});
    for (const Event& event : events) {
        insertAuditEvent(connection, {event.refresh->auditId, event.event, event.userId, std::nullopt,
                                      event.refresh->client, event.refresh->now});
    }
    return results;
}

}  // namespace otpgate::store
