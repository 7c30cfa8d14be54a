#include "store/oidc_store.h"

#include "otpgate/base/text.h"
#include "store/users.h"
#include "store/webhook_events.h"

#include <stdexcept>

namespace otpgate::store {

using domain::GrantInUse;
using domain::OidcClient;
using domain::OidcGrant;

namespace {

constexpr std::string_view kClientColumns =
    "c.id, c.title, c.secret_hash, c.redirect_uris, c.post_logout_uris, c.backchannel_uri, c.needs_pkce, c.algorithm,"
    " c.group_names, c.consent, c.created_at_us, c.disabled_at_us";
constexpr std::size_t kClientColumnCount = 12;
constexpr std::string_view kGrantColumns =
    "g.id, g.client_id, g.user_id, g.session_id, g.scopes, g.nonce, g.challenge, g.redirect_hash, g.amr, g.acr,"
    " g.authenticated_at_us, g.created_at_us, g.expires_at_us, g.redeemed_at_us, g.refresh_counter, g.rotated_at_us,"
    " g.ended_at_us";
constexpr std::size_t kGrantColumnCount = 17;
// What a grant depends on, as it is now; the value is the time.
constexpr std::string_view kDependencies =
    " LEFT JOIN sessions s ON s.id = g.session_id AND s.revoked_at_us IS NULL AND s.expires_at_us > ?"
    " LEFT JOIN users u ON u.id = g.user_id AND u.status = 'active'";

std::vector<std::string> listOf(const std::string& text, char separator) {
    std::vector<std::string> list;
    if (text.empty()) return list;
    for (const std::string_view part : split(text, separator)) list.emplace_back(part);
    return list;
}

// What this very file has written.
template <typename Value>
Value known(const std::optional<Value>& value, const char* column) {
    if (!value) throw std::runtime_error(std::string{"oidc_clients."} + column + " holds what no version writes");
    return *value;
}

OidcClient readClient(const db::Row& row) {
    return {.id = row.text(0),
            .title = row.text(1),
            .secretHash = row.optionalText(2),
            .redirectUris = listOf(row.text(3), ' '),
            .postLogoutUris = listOf(row.text(4), ' '),
            .backchannelUri = row.text(5),
            .needsPkce = row.integer(6) != 0,
            .algorithm = known(crypto::parseSigningAlgorithm(row.text(7)), "algorithm"),
            .groups = listOf(row.text(8), ','),
            .consent = known(domain::parseConsentPolicy(row.text(9)), "consent"),
            .isDisabled = !row.isNull(11),
            .createdAt = row.timestamp(10)};
}

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
    constexpr std::size_t kSession = kClientColumnCount + kGrantColumnCount;
    GrantInUse use{readGrant(row, kClientColumnCount), readClient(row), std::nullopt, !row.isNull(kSession)};
    if (!row.isNull(kSession + 1)) use.user = readUser(row, kSession + 1);
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

bool OidcTables::addClient(const OidcClient& client) {
    try {
        connection_.execute(
            "INSERT INTO oidc_clients (id, title, secret_hash, redirect_uris, post_logout_uris, backchannel_uri,"
            " needs_pkce, algorithm, group_names, consent, created_at_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            {client.id, client.title,
             client.secretHash ? db::Param::blob(*client.secretHash) : db::Param{std::optional<std::string>{}},
             joined(client.redirectUris, " "), joined(client.postLogoutUris, " "), client.backchannelUri,
             std::int64_t{client.needsPkce ? 1 : 0}, crypto::toString(client.algorithm), joined(client.groups, ","),
             domain::toString(client.consent), client.createdAt});
        return true;
    } catch (const db::DbError& error) {
        if (error.kind() != db::ErrorKind::Duplicate) throw;
        return false;
    }
}

std::vector<OidcClient> OidcTables::listClients() {
    static const std::string sql = "SELECT " + std::string{kClientColumns} + " FROM oidc_clients c ORDER BY c.id";
    std::vector<OidcClient> clients;
    for (const db::Row& row : connection_.query(sql)) clients.push_back(readClient(row));
    return clients;
}

std::optional<OidcClient> OidcTables::findClient(std::string_view id) {
    static const std::string sql = "SELECT " + std::string{kClientColumns} + " FROM oidc_clients c WHERE c.id = ?";
    const auto row = connection_.queryOne(sql, {id});
    return row ? std::optional{readClient(*row)} : std::nullopt;
}

bool OidcTables::setClientSecret(std::string_view id, const std::string& secretHash) {
    return connection_.execute("UPDATE oidc_clients SET secret_hash = ? WHERE id = ?",
                               {db::Param::blob(secretHash), id}) > 0;
}

bool OidcTables::setClientDisabled(std::string_view id, bool isDisabled, Timestamp now) {
    return connection_.transact([&] {
        if (!findClient(id)) return false;
        if (!isDisabled) {
            connection_.execute("UPDATE oidc_clients SET disabled_at_us = NULL WHERE id = ?", {id});
            return true;
        }
        connection_.execute("UPDATE oidc_clients SET disabled_at_us = ? WHERE id = ? AND disabled_at_us IS NULL",
                            {now, id});
        connection_.execute("DELETE FROM oidc_grants WHERE client_id = ?", {id});
        return true;
    });
}

bool OidcTables::removeClient(std::string_view id) {
    return connection_.transact([&] {
        if (connection_.execute("DELETE FROM oidc_clients WHERE id = ?", {id}) == 0) return false;
        connection_.execute("DELETE FROM oidc_grants WHERE client_id = ?", {id});
        connection_.execute("DELETE FROM oidc_consents WHERE client_id = ?", {id});
        connection_.execute("DELETE FROM oidc_logouts WHERE client_id = ?", {id});
        return true;
    });
}

void OidcTables::addGrant(const OidcGrant& grant) {
    connection_.execute(
        "INSERT INTO oidc_grants (id, client_id, user_id, session_id, scopes, nonce, challenge, redirect_hash, amr, "
        "acr,"
        " authenticated_at_us, created_at_us, expires_at_us, refresh_counter, rotated_at_us)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0)",
        {grant.id, grant.clientId, grant.userId, grant.sessionId, domain::toText(grant.scopes), grant.nonce,
         grant.challenge, db::Param::blob(grant.redirectHash), grant.methods, grant.acr, grant.authenticatedAt,
         grant.createdAt, grant.expiresAt});
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

void OidcTables::putConsent(const Uuid& userId, std::string_view clientId, const std::string& scopes, Timestamp now) {
    connection_.transact(
        [&] {
            connection_.execute("DELETE FROM oidc_consents WHERE user_id = ? AND client_id = ?", {userId, clientId});
            connection_.execute(
                "INSERT INTO oidc_consents (user_id, client_id, scopes, granted_at_us) VALUES (?, ?, ?, ?)",
                {userId, clientId, scopes, now});
        },
        db::RetryOn::DeadlockOrDuplicate);
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
                         .algorithm = known(crypto::parseSigningAlgorithm(row.text(8)), "algorithm"),
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
