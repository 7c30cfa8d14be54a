#include "store/webhook_events.h"

#include <string>

namespace otpgate::store {

namespace {

const auto kInsertToldEvent =
    db::RowStatement::insert("webhook_events", {"id", "event", "user_id", "session_id", "details", "created_at_us"});

// A session ends once, of all who end it at a time by the first that locks it: its id is the event's as well. `whose`:
// the condition of the sessions, of `sessions s`.
std::string tellSql(std::string_view whose) {
    return "INSERT INTO webhook_events (id, event, user_id, session_id, details, created_at_us)"
           " SELECT s.id, ?, s.user_id, s.id, '', ? FROM sessions s WHERE " +
           std::string{whose} + " AND s.revoked_at_us IS NULL AND s.expires_at_us > ? /*! FOR UPDATE */";
}

}  // namespace

void noteEvent(db::Connection& connection, const domain::ToldEvent& told) {
    if (!connection.known().haveListeners) return;
    connection.write(kInsertToldEvent, {told.id, domain::toString(told.event), told.userId, told.sessionId,
                                        told.details, told.createdAt});
}

void tellEndOfSession(db::Connection& connection, const Uuid& userId, const Uuid& sessionId, Timestamp now) {
    static const std::string sql = tellSql("s.id = ? AND s.user_id = ?");
    if (!connection.known().haveListeners) return;
    connection.execute(sql, {domain::toString(domain::WebhookEvent::SessionEnded), now, sessionId, userId, now});
}

void tellEndOfSessions(db::Connection& connection, const Uuid& userId, const Uuid& keptSession, Timestamp now) {
    static const std::string sql = tellSql("s.user_id = ? AND s.id <> ?");
    if (!connection.known().haveListeners) return;
    connection.execute(sql, {domain::toString(domain::WebhookEvent::SessionEnded), now, userId, keptSession, now});
}

}  // namespace otpgate::store
