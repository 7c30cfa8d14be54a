// The rotation of refresh tokens.
#include "otpgate/domain/session_rules.h"
#include "store/audit_events.h"
#include "store/factors.h"
#include "store/group_work.h"
#include "store/oidc_store.h"
#include "store/users.h"
#include "store/words.h"

#include <map>
#include <set>

namespace otpgate::store {

using domain::SessionRefresh;
using domain::SessionRefreshResult;
using domain::StoredSession;

namespace {

// The user is read, not locked: whoever disables one ends the sessions after it. A group does not wait where somebody
// ends many sessions: each refresh then waits alone.
const db::LookUp kSessionsToRefresh(
    "SELECT s.id, s.user_id,"
    " (SELECT CASE WHEN u.status = 'active' THEN u.factors ELSE NULL END FROM users u WHERE u.id = s.user_id),"
    " s.authenticated_at_us, s.amr, s.refresh_counter, s.rotated_at_us, s.last_seen_at_us,"
    " s.expires_at_us, s.revoked_at_us, s.ip_address, s.user_agent, s.moved_at_us, s.created_at_us,"
    " (SELECT u.role FROM users u WHERE u.id = s.user_id), (SELECT u.group_names FROM users u WHERE u.id = s.user_id),"
    " (SELECT u.factor_wanted_since_us FROM users u WHERE u.id = s.user_id)"
    " FROM sessions s /*! FORCE INDEX (PRIMARY) */ WHERE",
    "s.id = ?", db::Locking::Fail);
const auto kRotate = db::RowStatement::update(
    "sessions",
    {"refresh_counter", "rotated_at_us", "last_seen_at_us", "expires_at_us", "ip_address", "user_agent", "moved_at_us"},
    "id");
const auto kRevoke = db::RowStatement::update("sessions", {"revoked_at_us", "revoked_reason"}, "id");

StoredSession readStoredSession(const db::Row& row) {
    return {.id = row.uuid(0),
            .userId = row.uuid(1),
            .userIsActive = !row.isNull(2),
            .userHasFactor = !row.isNull(2) && (row.integer(2) & kFactors) != 0,
            .createdAt = row.timestamp(13),
            .authenticatedAt = row.timestamp(3),
            .methods = row.text(4),
            .refreshCounter = row.integer(5),
            .rotatedAt = row.timestamp(6),
            .lastSeenAt = row.timestamp(7),
            .expiresAt = row.timestamp(8),
            .revokedAt = row.optionalTimestamp(9),
            .address = row.text(10),
            .userAgent = row.text(11),
            .movedAt = row.timestamp(12),
            .userRole = row.isNull(14) ? domain::Role::User : parseRole(row.text(14)),
            .userGroups = readGroupNames(row.optionalText(15).value_or("")),
            .userFactorWantedSince = row.optionalTimestamp(16)};
}

class Refreshes final : public GroupWork {
public:
    explicit Refreshes(std::vector<const SessionRefresh*> refreshes) : refreshes_(std::move(refreshes)) {}

    std::vector<db::KeyedLookUp> lookUps() override {
        for (const SessionRefresh* refresh : refreshes_) ids_.insert(refresh->sessionId);
        return {{kSessionsToRefresh, {ids_.begin(), ids_.end()}}};
    }
    std::vector<GroupAnswer> decide(std::span<const std::vector<db::Row>> found) override;
    void write(db::Connection& connection) override;

private:
    struct Event {
        const SessionRefresh* refresh;
        domain::AuditEvent event;
        Uuid userId;
    };

    std::vector<const SessionRefresh*> refreshes_;
    std::set<Uuid> ids_;
    std::map<Uuid, StoredSession> sessions_;
    std::set<Uuid> rotated_;
    std::set<Uuid> revoked_;
    std::vector<Event> events_;
};

std::vector<GroupAnswer> Refreshes::decide(std::span<const std::vector<db::Row>> found) {
    for (const db::Row& row : found[0]) sessions_.emplace(row.uuid(0), readStoredSession(row));
    std::vector<GroupAnswer> answers;
    for (const SessionRefresh* refresh : refreshes_) {
        const auto session = sessions_.find(refresh->sessionId);
        domain::RefreshRuling ruling =
            domain::ruleOnRefresh(*refresh, session == sessions_.end() ? nullptr : &session->second);
        if (ruling.result.outcome == SessionRefreshResult::Outcome::Rotated) rotated_.insert(refresh->sessionId);
        if (ruling.result.outcome == SessionRefreshResult::Outcome::Reused) revoked_.insert(refresh->sessionId);
        if (ruling.event) events_.push_back({refresh, *ruling.event, session->second.userId});
        answers.emplace_back(std::move(ruling.result));
    }
    return answers;
}

void Refreshes::write(db::Connection& connection) {
    for (const Uuid& id : rotated_) {
        const StoredSession& session = sessions_.at(id);
        connection.write(kRotate, {session.refreshCounter, session.rotatedAt, session.lastSeenAt, session.expiresAt,
                                   session.address, session.userAgent, session.movedAt, id});
    }
    for (const Uuid& id : revoked_) {
        const StoredSession& session = sessions_.at(id);
        noteEndOfSession(connection, session.userId, id, *session.revokedAt);
    }
    for (const Uuid& id : revoked_) connection.write(kRevoke, {sessions_.at(id).revokedAt, "token_reused", id});
    for (const Event& event : events_) {
        insertAuditEvent(connection, {event.refresh->auditId, event.event, event.userId, std::nullopt,
                                      event.refresh->client, event.refresh->now});
    }
}

}  // namespace

std::unique_ptr<GroupWork> makeWork(std::vector<const SessionRefresh*> refreshes) {
    return std::make_unique<Refreshes>(std::move(refreshes));
}

}  // namespace otpgate::store
