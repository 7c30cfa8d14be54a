// The tables oidc_clients, oidc_grants, oidc_consents and oidc_logouts.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/oidc_store.h"
#include "otpgate/store/groups.h"

namespace otpgate::store {

class OidcTables final : public domain::OidcStore {
public:
    // Without groups, each grant is a transaction of its own.
    OidcTables(db::Connection& connection, Groups* groups) : connection_(connection), groups_(groups) {}

    bool addClient(const domain::OidcClient& client, const domain::AuditNote& note) override;
    std::vector<domain::OidcClient> listClients(std::string_view after, unsigned limit) override;
    std::optional<domain::OidcClient> findClient(std::string_view id) override;
    bool changeClient(const domain::OidcClient& client, const domain::AuditNote& note) override;
    bool setClientSecret(std::string_view id, const std::string& secretHash, const domain::AuditNote& note) override;
    bool setClientDisabled(std::string_view id, bool isDisabled, const domain::AuditNote& note) override;
    bool removeClient(std::string_view id, const domain::AuditNote& note) override;

    void addGrant(const domain::OidcGrant& grant, const domain::AuditNote& note) override;
    domain::FoundGrant find(std::string_view clientId, const Uuid& grantId, Timestamp now) override;
    std::optional<domain::GrantInUse> findGrant(const Uuid& grantId, Timestamp now) override;
    bool redeem(const Uuid& grantId, Timestamp now) override;
    bool rotate(const Uuid& grantId, std::int64_t counter, Timestamp now) override;
    void endGrant(const Uuid& grantId, Timestamp now) override;

    std::optional<std::string> findConsent(const Uuid& userId, std::string_view clientId) override;
    void putConsent(const Uuid& userId, std::string_view clientId, const std::string& scopes,
                    const domain::AuditNote& note) override;
    std::vector<domain::OidcConsent> listConsents(const Uuid& userId) override;
    std::vector<domain::GrantsAlike> listGrants(const domain::User& user, Timestamp now) override;
    bool withdraw(const Uuid& userId, std::string_view clientId, const domain::AuditNote& note) override;

    std::vector<domain::LogoutNotice> takeLogouts(Timestamp now, Timestamp leaseUntil, unsigned limit) override;
    void removeLogout(const Uuid& id) override;
    void postponeLogout(const Uuid& id, Timestamp until) override;

private:
    db::Connection& connection_;
    Groups* groups_;
};

// Inside the transaction that ends them, before it does: the clients that these sessions reached are to be told, and
// webhooks. Costs one look at an index where there are none.
void noteEndOfSession(db::Connection& connection, const Uuid& userId, const Uuid& sessionId, Timestamp now);
// Of all sessions of the user that are alive, but for this one.
void noteEndOfSessions(db::Connection& connection, const Uuid& userId, const Uuid& keptSession, Timestamp now);
// What a client was given in a stolen session would outlive it. Of every session but this one, also with
// offline_access.
void endGrants(db::Connection& connection, const Uuid& userId, const Uuid& keptSession, Timestamp now);

}  // namespace otpgate::store
