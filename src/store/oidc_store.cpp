#include "store/oidc_store.h"

#include "store/audit_events.h"
#include "store/group_queue.h"
#include "store/oidc_rows.h"
#include "store/users.h"
#include "store/webhook_events.h"

namespace otpgate::store {

using domain::AuditEvent;
using domain::AuditNote;
using domain::GrantInUse;
using domain::OidcGrant;

namespace {

constexpr std::string_view kGrantColumns =
    "g.id, g.client_id, g.user_id, g.session_id, g.scopes, g.nonce, g.challenge, g.redirect_hash, g.amr, g.acr,"
    " g.authenticated_at_us, g.created_at_us, g.expires_at_us, g.redeemed_at_us, g.refresh_counter, g.rotated_at_us,"
    " g.ended_at_us";
constexpr std::size_t kGrantColumnCount = 17;
// What a grant depends on, as it is now; the value is the time.
constexpr std::string_view kDependencies =
    " LEFT JOIN sessions s ON s.id = g.session_id AND s.revoked_at_us IS NULL AND s.expires_at_us > ?"
    " LEFT JOIN users u ON u.id = g.user_id AND u.status = 'active'";

OidcGrant readGrant(const db::Row& row, std::size_t first) {
    return {.id = row.uuid(first),
            .clientId = row.text(first + 1),
            .userId = row.uuid(first + 2),
            .sessionId = row.uuid(first + 3),
            .scopes = domain::parseScopes(row.text(first + 4)),
            .nonce = row.text(first + 5),
            .challenge = row.text(first + 6),
            .redirectHash = row.text(first + 7),
            .methods = row.text(first + 8),
            .acr = row.text(first + 9),
            .authenticatedAt = row.timestamp(first + 10),
            .createdAt = row.timestamp(first + 11),
            .expiresAt = row.timestamp(first + 12),
            .redeemedAt = row.optionalTimestamp(first + 13),
            .refreshCounter = row.integer(first + 14),
            .rotatedAt = row.timestamp(first + 15),
            .endedAt = row.optionalTimestamp(first + 16)};
}

// Client, grant, session, user.
std::string selectUse() {
    return "SELECT " + std::string{kClientColumns} + ", " + std::string{kGrantColumns} + ", s.id, " +
           std::string{kUserColumns};
}

GrantInUse readUse(const db::Row& row) {
    constexpr std::size_t kSessionColumn = kClientColumnCount + kGrantColumnCount;
    GrantInUse use{readGrant(row, kClientColumnCount), readClient(row), std::nullopt, !row.isNull(kSessionColumn)};
    if (!row.isNull(kSessionColumn + 1)) use.user = readUser(row, kSessionColumn + 1);
    return use;
}

// `whose`: the condition of the sessions, of `oidc_grants g`.
std::string noteSql(std::string_view whose) {
    return "INSERT INTO oidc_logouts (id, client_id, user_id, session_id, attempts, created_at_us, available_at_us)"
           " SELECT MIN(g.id), g.client_id, MIN(g.user_id), g.session_id, 0, ?, ? FROM oidc_grants g"
           " JOIN oidc_clients c ON c.id = g.client_id JOIN sessions s ON s.id = g.session_id"
           " WHERE " +
           std::string{whose} +
           " AND g.redeemed_at_us IS NOT NULL AND c.backchannel_uri <> '' AND c.disabled_at_us IS NULL"
           " AND s.revoked_at_us IS NULL AND s.expires_at_us > ? GROUP BY g.session_id, g.client_id";
}

}  // namespace

void OidcTables::addGrant(const OidcGrant& grant, const AuditNote& note) {
    make(NewGrant{grant, note}, connection_, groups_);
}

domain::FoundGrant OidcTables::find(std::string_view clientId, const Uuid& grantId, Timestamp now) {
    static const std::string sql = selectUse() + " FROM oidc_clients c LEFT JOIN oidc_grants g ON g.id = ?" +
                                   std::string{kDependencies} + " WHERE c.id = ?";
    const auto row = connection_.queryOne(sql, {grantId, now, clientId});
    domain::FoundGrant found;
    if (!row) return found;
    found.client = readClient(*row);
    if (!row->isNull(kClientColumnCount)) found.use = readUse(*row);
    return found;
}

std::optional<GrantInUse> OidcTables::findGrant(const Uuid& grantId, Timestamp now) {
    static const std::string sql = selectUse() + " FROM oidc_grants g JOIN oidc_clients c ON c.id = g.client_id" +
                                   std::string{kDependencies} + " WHERE g.id = ?";
    const auto row = connection_.queryOne(sql, {now, grantId});
    return row ? std::optional{readUse(*row)} : std::nullopt;
}

bool OidcTables::redeem(const Uuid& grantId, Timestamp now) {
    return connection_.execute(
               "UPDATE oidc_grants SET redeemed_at_us = ? WHERE id = ? AND redeemed_at_us IS NULL"
               " AND ended_at_us IS NULL",
               {now, grantId}) > 0;
}

bool OidcTables::rotate(const Uuid& grantId, std::int64_t counter, Timestamp now) {
    return connection_.execute(
               "UPDATE oidc_grants SET refresh_counter = ?, rotated_at_us = ? WHERE id = ? AND refresh_counter = ?"
               " AND ended_at_us IS NULL",
               {counter + 1, now, grantId, counter}) > 0;
}

void OidcTables::endGrant(const Uuid& grantId, Timestamp now) {
    connection_.execute("UPDATE oidc_grants SET ended_at_us = ? WHERE id = ? AND ended_at_us IS NULL", {now, grantId});
}

std::optional<std::string> OidcTables::findConsent(const Uuid& userId, std::string_view clientId) {
    const auto row = connection_.queryOne("SELECT scopes FROM oidc_consents WHERE user_id = ? AND client_id = ?",
                                          {userId, clientId});
    return row ? std::optional{row->text(0)} : std::nullopt;
}

void OidcTables::putConsent(const Uuid& userId, std::string_view clientId, const std::string& scopes,
                            const AuditNote& note) {
    connection_.transact(
        [&] {
            connection_.execute("DELETE FROM oidc_consents WHERE user_id = ? AND client_id = ?", {userId, clientId});
            connection_.execute(
                "INSERT INTO oidc_consents (user_id, client_id, scopes, granted_at_us) VALUES (?, ?, ?, ?)",
                {userId, clientId, scopes, note.now});
            insertAuditEvent(connection_, {note.id, AuditEvent::ConsentGiven, userId, std::nullopt, note.client,
                                           note.now, aboutClient(clientId)});
        },
        db::RetryOn::DeadlockOrDuplicate);
}

std::vector<domain::OidcConsent> OidcTables::listConsents(const Uuid& userId) {
    static const std::string sql = "SELECT " + std::string{kClientColumns} +
                                   ", o.scopes, o.granted_at_us FROM oidc_consents o JOIN oidc_clients c"
                                   " ON c.id = o.client_id WHERE o.user_id = ?";
    std::vector<domain::OidcConsent> consents;
    for (const db::Row& row : connection_.query(sql, {userId})) {
        consents.push_back({readClient(row), domain::parseScopes(row.text(kClientColumnCount)),
                            row.timestamp(kClientColumnCount + 1)});
    }
    return consents;
}

std::vector<domain::GrantsAlike> OidcTables::listGrants(const domain::User& user, Timestamp now) {
    static const std::string sql =
        "SELECT " + std::string{kClientColumns} +
        ", g.session_id, g.scopes, g.amr, g.first_at, g.expires_at, g.last_at, s.id FROM"
        " (SELECT client_id, session_id, scopes, amr, MIN(created_at_us) first_at, MAX(expires_at_us) expires_at,"
        " MAX(CASE WHEN rotated_at_us > redeemed_at_us THEN rotated_at_us ELSE redeemed_at_us END) last_at"
        " FROM oidc_grants WHERE user_id = ? AND ended_at_us IS NULL AND redeemed_at_us IS NOT NULL"
        " GROUP BY client_id, session_id, scopes, amr ORDER BY last_at DESC LIMIT ?) g"
        " JOIN oidc_clients c ON c.id = g.client_id"
        " LEFT JOIN sessions s ON s.id = g.session_id AND s.revoked_at_us IS NULL AND s.expires_at_us > ?";
    constexpr std::size_t kFirst = kClientColumnCount;
    std::vector<domain::GrantsAlike> grants;
    for (const db::Row& row : connection_.query(sql, {user.id, domain::kMostGrantsAlike, now})) {
        OidcGrant grant;
        grant.clientId = row.text(0);
        grant.userId = user.id;
        grant.sessionId = row.uuid(kFirst);
        grant.scopes = domain::parseScopes(row.text(kFirst + 1));
        grant.methods = row.text(kFirst + 2);
        grant.createdAt = row.timestamp(kFirst + 3);
        grant.expiresAt = row.timestamp(kFirst + 4);
        grants.push_back(
            {{std::move(grant), readClient(row), user, !row.isNull(kFirst + 6)}, row.timestamp(kFirst + 5)});
    }
    return grants;
}

bool OidcTables::withdraw(const Uuid& userId, std::string_view clientId, const AuditNote& note) {
    static const std::string noteOfClient = noteSql("g.user_id = ? AND g.client_id = ? AND g.ended_at_us IS NULL");
    return connection_.transact([&] {
        connection_.execute(noteOfClient, {note.now, note.now, userId, clientId, note.now});
        // Rows that are gone are told of no second time when the session ends.
        const auto grants =
            connection_.execute("DELETE FROM oidc_grants WHERE user_id = ? AND client_id = ?", {userId, clientId});
        const auto consents =
            connection_.execute("DELETE FROM oidc_consents WHERE user_id = ? AND client_id = ?", {userId, clientId});
        if (grants + consents == 0) return false;
        insertAuditEvent(connection_, {note.id, AuditEvent::ConsentWithdrawn, userId, std::nullopt, note.client,
                                       note.now, aboutClient(clientId)});
        return true;
    });
}

std::vector<domain::LogoutNotice> OidcTables::takeLogouts(Timestamp now, Timestamp leaseUntil, unsigned limit) {
    // Mostly there is none: no transaction is begun for that.
    const auto rows = connection_.query(
        "SELECT l.id, l.client_id, l.user_id, l.session_id, l.attempts, l.created_at_us, l.available_at_us,"
        " c.backchannel_uri, c.algorithm FROM oidc_logouts l JOIN oidc_clients c ON c.id = l.client_id"
        " WHERE l.available_at_us <= ? ORDER BY l.available_at_us LIMIT ?",
        {now, limit});
    std::vector<domain::LogoutNotice> taken;
    for (const db::Row& row : rows) {
        const bool isOurs =
            connection_.execute("UPDATE oidc_logouts SET available_at_us = ? WHERE id = ? AND available_at_us = ?",
                                {leaseUntil, row.uuid(0), row.timestamp(6)}) > 0;
        if (!isOurs) continue;  // another process took it meanwhile
        taken.push_back({.id = row.uuid(0),
                         .clientId = row.text(1),
                         .uri = row.text(7),
                         .algorithm = readAlgorithm(row.text(8)),
                         .userId = row.uuid(2),
                         .sessionId = row.uuid(3),
                         .attempts = row.integer(4),
                         .createdAt = row.timestamp(5)});
    }
    return taken;
}

void OidcTables::removeLogout(const Uuid& id) {
    connection_.execute("DELETE FROM oidc_logouts WHERE id = ?", {id});
}

void OidcTables::postponeLogout(const Uuid& id, Timestamp until) {
    connection_.execute("UPDATE oidc_logouts SET attempts = attempts + 1, available_at_us = ? WHERE id = ?",
                        {until, id});
}

void noteEndOfSession(db::Connection& connection, const Uuid& userId, const Uuid& sessionId, Timestamp now) {
    static const std::string sql = noteSql("g.user_id = ? AND g.session_id = ?");
    tellEndOfSession(connection, userId, sessionId, now);
    connection.execute(sql, {now, now, userId, sessionId, now});
}

void noteEndOfSessions(db::Connection& connection, const Uuid& userId, const Uuid& keptSession, Timestamp now) {
    static const std::string sql = noteSql("g.user_id = ? AND g.session_id <> ?");
    tellEndOfSessions(connection, userId, keptSession, now);
    connection.execute(sql, {now, now, userId, keptSession, now});
}

void endGrants(db::Connection& connection, const Uuid& userId, const Uuid& keptSession, Timestamp now) {
    connection.execute(
        "UPDATE oidc_grants SET ended_at_us = ? WHERE user_id = ? AND session_id <> ?"
        " AND ended_at_us IS NULL",
        {now, userId, keptSession});
}

}  // namespace otpgate::store
