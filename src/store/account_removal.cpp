// The end of an account: what is known of the person goes; what happened and when stays, and so does the user name, so
// that it is never another's.
#include "store/account_store.h"
#include "store/audit_events.h"
#include "store/users.h"

namespace otpgate::store {

namespace {

// Small enough that no login waits for it.
constexpr unsigned kBatch = 500;

std::string blankAudit(std::string_view where) {
    return "UPDATE audit_events SET destination = NULL, ip_address = NULL, user_agent = NULL, metadata = NULL WHERE " +
           std::string{where};
}

// The events of the user, batch by batch; returns the last one's id.
Uuid blankEventsOf(db::Connection& connection, const Uuid& userId) {
    Uuid last;
    while (true) {
        const auto ids = connection.query(
            "SELECT id FROM audit_events WHERE user_id = ? AND id > ? ORDER BY id LIMIT ?", {userId, last, kBatch});
        if (ids.empty()) return last;
        const Uuid first = last;
        last = ids.back().uuid(0);
        connection.execute(blankAudit("user_id = ? AND id > ? AND id <= ?"), {userId, first, last});
    }
}

// Those that know the address only: a code that was asked for before there was an account, a wrong guess.
void blankEventsAbout(db::Connection& connection, const std::string& address) {
    while (connection.execute(blankAudit("id IN (SELECT id FROM"
                                         " (SELECT id FROM audit_events WHERE destination = ? ORDER BY id LIMIT ?) q)"),
                              {address, kBatch}) > 0) {
    }
}

}  // namespace

std::vector<Uuid> AccountTable::listDevices(const Uuid& userId) {
    std::vector<Uuid> devices;
    for (const db::Row& row : connection_.query("SELECT id FROM devices WHERE user_id = ?", {userId})) {
        devices.push_back(row.uuid(0));
    }
    return devices;
}

void AccountTable::forgetOwner(const domain::User& user) {
    for (const auto& address : {user.email, user.phoneNumber}) {
        if (!address) continue;
        connection_.execute("DELETE FROM outbox WHERE destination = ?", {*address});
        connection_.execute("DELETE FROM otp_requests WHERE destination = ?", {*address});
        connection_.execute(blankAudit("destination = ?"), {*address});
    }
    connection_.execute("DELETE FROM api_keys WHERE user_id = ?", {user.id});
    connection_.execute("DELETE FROM passkeys WHERE user_id = ?", {user.id});
    connection_.execute("DELETE FROM totps WHERE user_id = ?", {user.id});
    connection_.execute("DELETE FROM recovery_codes WHERE user_id = ?", {user.id});
    connection_.execute("DELETE FROM sessions WHERE user_id = ?", {user.id});
    connection_.execute("DELETE FROM devices WHERE user_id = ?", {user.id});
    connection_.execute("DELETE FROM group_members WHERE user_id = ?", {user.id});
}

bool AccountTable::remove(const domain::UserDeletion& deletion) {
    const domain::User& user = deletion.user;
    // First what may be many, so that the transaction has only the rest of it.
    const Uuid lastBlanked = blankEventsOf(connection_, user.id);
    for (const auto& address : {user.email, user.phoneNumber}) {
        if (address) blankEventsAbout(connection_, *address);
    }
    return connection_.transact([&] {
        if (connection_.execute("DELETE FROM users WHERE id = ?", {user.id}) == 0) return false;
        forgetOwner(user);
        for (const std::string& bucket : deletion.buckets) {
            connection_.execute("DELETE FROM rate_limits WHERE bucket = ?", {db::Param::blob(bucket)});
        }
        connection_.execute(blankAudit("user_id = ? AND id > ?"), {user.id, lastBlanked});
        // Nothing of whoever asked but who it was, where that was somebody else.
        std::optional<std::string> metadata;
        if (deletion.actor) metadata = R"({"by":")" + deletion.actor->toString() + R"("})";
        connection_.execute(
            "INSERT INTO audit_events (id, event, user_id, metadata, created_at_us) VALUES (?, ?, ?, ?, ?)",
            {deletion.auditId, domain::toString(domain::AuditEvent::UserDeleted), user.id, metadata, deletion.now});
        return true;
    });
}

}  // namespace otpgate::store
