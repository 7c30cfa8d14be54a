#include "store/factors.h"

#include "otpgate/domain/session_rules.h"
#include "store/session_store.h"

namespace otpgate::store {

namespace {

const db::LookUp kOpenSessionMethods("SELECT s.amr FROM sessions s WHERE s.revoked_at_us IS NULL AND", "s.id = ?",
                                     db::Locking::Wait);

}  // namespace

std::optional<std::string> lockSession(db::Connection& connection, const Uuid& session) {
    const auto found = connection.lookUp({{kOpenSessionMethods, {session}}})[0];
    return found.empty() ? std::nullopt : std::optional{found[0].text(0)};
}

void noteFactors(db::Connection& connection, const Uuid& userId) {
    connection.execute(
        "UPDATE users SET factors ="
        " CASE WHEN EXISTS (SELECT 1 FROM passkeys k WHERE k.user_id = ? AND k.verifies_user = 1) THEN 1 ELSE 0 END"
        " + CASE WHEN EXISTS (SELECT 1 FROM totps t WHERE t.user_id = ?) THEN 2 ELSE 0 END"
        " + CASE WHEN EXISTS (SELECT 1 FROM recovery_codes r WHERE r.user_id = ? AND r.confirmed = 1"
        " AND r.used_at_us IS NULL) THEN 4 ELSE 0 END"
        " WHERE id = ?",
        {userId, userId, userId, userId});
    forgetTrust(connection, userId);
}

void forgetTrust(db::Connection& connection, const Uuid& userId) {
    connection.execute("UPDATE devices SET trusted_since_us = NULL WHERE user_id = ? AND trusted_since_us IS NOT NULL",
                       {userId});
}

void endOtherSessions(db::Connection& connection, const Uuid& userId, const Uuid& kept, Timestamp now) {
    endSessionsAlone(connection, userId, kept, "factor_added", now);
}

void raiseSession(db::Connection& connection, const Uuid& session, std::string_view methods, Timestamp now,
                  const domain::SessionLifetimes& lifetimes) {
    const Timestamp end = domain::newSessionEndsAt(methods, now, lifetimes);
    connection.execute(
        "UPDATE sessions SET amr = ?, authenticated_at_us = ?,"
        " expires_at_us = CASE WHEN expires_at_us > ? THEN ? ELSE expires_at_us END WHERE id = ?",
        {methods, now, end, end, session});
}

}  // namespace otpgate::store
