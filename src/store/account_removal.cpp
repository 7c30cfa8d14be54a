// The end of an account: what is known of the person goes; what happened and when stays, and so does the user name, so
// that it is never another's.
#include "store/account_store.h"
#include "store/audit_events.h"
#include "store/batches.h"
#include "store/oidc_store.h"
#include "store/session_store.h"
#include "store/users.h"
#include "store/webhook_events.h"

namespace otpgate::store {

namespace {

std::string blankAudit(const RowsOf& rows) {
    return "UPDATE " + forced(rows) + " SET destination = NULL, ip_address = NULL, user_agent = NULL, metadata = NULL" +
           " WHERE " + std::string{rows.column} + " = ? AND id > ? AND id <= ?";
}

// Those of the user, or those that know the address only: a code that was asked for before there was an account, a
// wrong guess. Returns where the last batch began.
Uuid blankEvents(db::Connection& connection, const RowsOf& rows) {
    const std::string sql = blankAudit(rows);
    return inBatches(connection, rows, [&](const Uuid& after, const Uuid& upTo) {
        connection.execute(sql, {rows.value, after, upTo});
    });
}

RowsOf eventsOf(const Uuid& userId) {
    return {"audit_events", "audit_events_user", "user_id", userId};
}
RowsOf eventsAbout(const std::string& address) {
    return {"audit_events", "audit_events_destination", "destination", address};
}

void removeRows(db::Connection& connection, const RowsOf& rows) {
    const std::string sql = "DELETE FROM " + std::string{rows.table} + " WHERE user_id = ? AND id > ? AND id <= ?";
    inBatches(connection, rows, [&](const Uuid& after, const Uuid& upTo) {
        connection.execute(sql, {rows.value, after, upTo});
    });
}

// Nothing finds a message by its address but a look at all of them, and a DELETE would lock each that it looks at.
void removeMessages(db::Connection& connection, const std::string& address) {
    for (const db::Row& row : connection.query("SELECT id FROM outbox WHERE destination = ?", {address})) {
        connection.execute("DELETE FROM outbox WHERE id = ?", {row.uuid(0)});
    }
}

}  // namespace

void AccountTable::forgetOwner(const domain::User& user, Timestamp now) {
    for (const auto& address : {user.email, user.phoneNumber}) {
        if (!address) continue;
        removeMessages(connection_, *address);
        connection_.execute("DELETE FROM otp_requests WHERE destination = ?", {*address});
        blankEvents(connection_, eventsAbout(*address));
    }
    noteEndOfSessions(connection_, user.id, Uuid{}, now);
    connection_.execute("DELETE FROM oidc_grants WHERE user_id = ?", {user.id});
    connection_.execute("DELETE FROM oidc_consents WHERE user_id = ?", {user.id});
    connection_.execute("DELETE FROM api_keys WHERE user_id = ?", {user.id});
    connection_.execute("DELETE FROM passkeys WHERE user_id = ?", {user.id});
    connection_.execute("DELETE FROM totps WHERE user_id = ?", {user.id});
    connection_.execute("DELETE FROM recovery_codes WHERE user_id = ?", {user.id});
    removeRows(connection_, sessionsOf(user.id));
    removeRows(connection_, devicesOf(user.id));
    connection_.execute("DELETE FROM group_members WHERE user_id = ?", {user.id});
}

bool AccountTable::remove(const domain::UserDeletion& deletion) {
    const domain::User& user = deletion.user;
    // First what may be many, so that the transaction has only the rest of it.
    const Uuid lastBlanked = blankEvents(connection_, eventsOf(user.id));
    for (const auto& address : {user.email, user.phoneNumber}) {
        if (address) blankEvents(connection_, eventsAbout(*address));
    }
    return connection_.transact([&] {
        if (connection_.execute("DELETE FROM users WHERE id = ?", {user.id}) == 0) return false;
        forgetOwner(user, deletion.now);
        for (const std::string& bucket : deletion.buckets) {
            connection_.execute("DELETE FROM rate_limits WHERE bucket = ?", {db::Param::blob(bucket)});
        }
        connection_.execute(blankAudit(eventsOf(user.id)), {user.id, lastBlanked, kLastId});
        // Nothing of whoever asked but who it was, where that was somebody else.
        std::optional<std::string> metadata;
        if (deletion.actor) metadata = R"({"by":")" + deletion.actor->toString() + R"("})";
        connection_.execute(
            "INSERT INTO audit_events (id, event, user_id, metadata, created_at_us) VALUES (?, ?, ?, ?, ?)",
            {deletion.auditId, domain::toString(domain::AuditEvent::UserDeleted), user.id, metadata, deletion.now});
        noteEvent(connection_, {.id = deletion.auditId,
                                .event = domain::WebhookEvent::UserDeleted,
                                .userId = user.id,
                                .createdAt = deletion.now});
        return true;
    });
}

}  // namespace otpgate::store
