// The clients of the OpenID provider: oidc_clients, and what goes with one.
#include "otpgate/base/text.h"
#include "store/audit_events.h"
#include "store/oidc_rows.h"
#include "store/oidc_store.h"

#include <stdexcept>

namespace otpgate::store {

using domain::AuditEvent;
using domain::AuditNote;
using domain::OidcClient;

namespace {

std::vector<std::string> listOf(const std::string& text, char separator) {
    std::vector<std::string> list;
    if (text.empty()) return list;
    for (const std::string_view part : split(text, separator)) list.emplace_back(part);
    return list;
}

// What this very file writes.
template <typename Value>
Value known(const std::optional<Value>& value, const char* column) {
    if (!value) throw std::runtime_error(std::string{"oidc_clients."} + column + " holds what no version writes");
    return *value;
}

void insertClientEvent(db::Connection& connection, AuditEvent event, std::string_view clientId, const AuditNote& note) {
    insertAuditEvent(connection,
                     {note.id, event, std::nullopt, std::nullopt, note.client, note.now, aboutClient(clientId)});
}

}  // namespace

OidcClient readClient(const db::Row& row) {
    return {.id = row.text(0),
            .title = row.text(1),
            .secretHash = row.optionalText(2),
            .redirectUris = listOf(row.text(3), ' '),
            .postLogoutUris = listOf(row.text(4), ' '),
            .backchannelUri = row.text(5),
            .needsPkce = row.integer(6) != 0,
            .algorithm = readAlgorithm(row.text(7)),
            .groups = listOf(row.text(8), ','),
            .consent = known(domain::parseConsentPolicy(row.text(9)), "consent"),
            .isDisabled = !row.isNull(11),
            .createdAt = row.timestamp(10)};
}

crypto::SigningAlgorithm readAlgorithm(const std::string& text) {
    return known(crypto::parseSigningAlgorithm(text), "algorithm");
}

std::string aboutClient(std::string_view clientId) {
    return R"({"client":")" + std::string{clientId} + R"("})";
}

bool OidcTables::addClient(const OidcClient& client, const AuditNote& note) {
    try {
        connection_.transact([&] {
            connection_.execute(
                "INSERT INTO oidc_clients (id, title, secret_hash, redirect_uris, post_logout_uris, backchannel_uri,"
                " needs_pkce, algorithm, group_names, consent, created_at_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                {client.id, client.title,
                 client.secretHash ? db::Param::blob(*client.secretHash) : db::Param{std::optional<std::string>{}},
                 joined(client.redirectUris, " "), joined(client.postLogoutUris, " "), client.backchannelUri,
                 std::int64_t{client.needsPkce ? 1 : 0}, crypto::toString(client.algorithm), joined(client.groups, ","),
                 domain::toString(client.consent), client.createdAt});
            insertClientEvent(connection_, AuditEvent::ClientCreated, client.id, note);
        });
        return true;
    } catch (const db::DbError& error) {
        if (error.kind() != db::ErrorKind::Duplicate) throw;
        return false;
    }
}

std::vector<OidcClient> OidcTables::listClients(std::string_view after, unsigned limit) {
    static const std::string sql =
        "SELECT " + std::string{kClientColumns} + " FROM oidc_clients c WHERE c.id > ? ORDER BY c.id LIMIT ?";
    std::vector<OidcClient> clients;
    for (const db::Row& row : connection_.query(sql, {after, limit})) clients.push_back(readClient(row));
    return clients;
}

std::optional<OidcClient> OidcTables::findClient(std::string_view id) {
    static const std::string sql = "SELECT " + std::string{kClientColumns} + " FROM oidc_clients c WHERE c.id = ?";
    const auto row = connection_.queryOne(sql, {id});
    return row ? std::optional{readClient(*row)} : std::nullopt;
}

bool OidcTables::changeClient(const OidcClient& client, const AuditNote& note) {
    return connection_.transact([&] {
        if (!findClient(client.id)) return false;
        connection_.execute(
            "UPDATE oidc_clients SET title = ?, redirect_uris = ?, post_logout_uris = ?, backchannel_uri = ?,"
            " needs_pkce = ?, algorithm = ?, group_names = ?, consent = ? WHERE id = ?",
            {client.title, joined(client.redirectUris, " "), joined(client.postLogoutUris, " "), client.backchannelUri,
             std::int64_t{client.needsPkce ? 1 : 0}, crypto::toString(client.algorithm), joined(client.groups, ","),
             domain::toString(client.consent), client.id});
        insertClientEvent(connection_, AuditEvent::ClientChanged, client.id, note);
        return true;
    });
}

bool OidcTables::setClientSecret(std::string_view id, const std::string& secretHash, const AuditNote& note) {
    return connection_.transact([&] {
        if (connection_.execute("UPDATE oidc_clients SET secret_hash = ? WHERE id = ? AND secret_hash IS NOT NULL",
                                {db::Param::blob(secretHash), id}) == 0)
            return false;
        insertClientEvent(connection_, AuditEvent::ClientSecretRotated, id, note);
        return true;
    });
}

bool OidcTables::setClientDisabled(std::string_view id, bool isDisabled, const AuditNote& note) {
    return connection_.transact([&] {
        const auto client = findClient(id);
        if (!client) return false;
        if (client->isDisabled == isDisabled) return true;
        connection_.execute("UPDATE oidc_clients SET disabled_at_us = ? WHERE id = ?",
                            {isDisabled ? std::optional{note.now} : std::nullopt, id});
        if (isDisabled) connection_.execute("DELETE FROM oidc_grants WHERE client_id = ?", {id});
        insertClientEvent(connection_, isDisabled ? AuditEvent::ClientDisabled : AuditEvent::ClientEnabled, id, note);
        return true;
    });
}

bool OidcTables::removeClient(std::string_view id, const AuditNote& note) {
    return connection_.transact([&] {
        if (connection_.execute("DELETE FROM oidc_clients WHERE id = ?", {id}) == 0) return false;
        connection_.execute("DELETE FROM oidc_grants WHERE client_id = ?", {id});
        connection_.execute("DELETE FROM oidc_consents WHERE client_id = ?", {id});
        connection_.execute("DELETE FROM oidc_logouts WHERE client_id = ?", {id});
        insertClientEvent(connection_, AuditEvent::ClientDeleted, id, note);
        return true;
    });
}

}  // namespace otpgate::store
