// What the OpenID provider needs of its tables. Each function is one atomic step; one object a thread; throws
// ServiceUnavailable when the database does not answer.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/uuid.h"
#include "otpgate/domain/oidc_client.h"
#include "otpgate/domain/oidc_grant.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

// What the audit trail is told of an act besides the act itself.
struct AuditNote {
    Uuid id;
    const Client& client;  // of whoever acts
    Timestamp now;
};

// What a client and a grant are at one moment, in one round trip.
struct FoundGrant {
    std::optional<OidcClient> client;
    std::optional<GrantInUse> use;
};

// The end of a session that an application wants to be told of (OpenID Connect Back-Channel Logout 1.0).
struct LogoutNotice {
    Uuid id;
    std::string clientId;
    std::string uri;
    crypto::SigningAlgorithm algorithm = crypto::SigningAlgorithm::Rs256;
    Uuid userId;
    Uuid sessionId;
    std::int64_t attempts = 0;
    Timestamp createdAt;
};

// What a user has allowed a client of which users are asked.
struct OidcConsent {
    OidcClient client;
    std::vector<OidcScope> scopes;
    Timestamp givenAt;
};

inline constexpr unsigned kMostGrantsAlike = 1000;

// Grants of one user that have been redeemed, of one client, session and kind: what one of them is alive by, all are.
struct GrantsAlike {
    GrantInUse use;  // with the time of the first as createdAt
    Timestamp lastUsedAt;
};

class OidcStore {
public:
    virtual ~OidcStore() = default;

    virtual bool addClient(const OidcClient& client, const AuditNote& note) = 0;  // false: there is one of this id
    virtual std::vector<OidcClient> listClients(std::string_view after, unsigned limit) = 0;  // by id
    virtual std::optional<OidcClient> findClient(std::string_view id) = 0;
    // Each false where there is no such client. One that is disabled or gone has no grants any more.
    // All but its secret and its state.
    virtual bool changeClient(const OidcClient& client, const AuditNote& note) = 0;
    virtual bool setClientSecret(std::string_view id, const std::string& secretHash, const AuditNote& note) = 0;
    virtual bool setClientDisabled(std::string_view id, bool isDisabled, const AuditNote& note) = 0;
    virtual bool removeClient(std::string_view id, const AuditNote& note) = 0;

    virtual void addGrant(const OidcGrant& grant, const AuditNote& note) = 0;
    // The client of this id, and the grant, whoever's it is.
    virtual FoundGrant find(std::string_view clientId, const Uuid& grantId, Timestamp now) = 0;
    // The grant with its own client.
    virtual std::optional<GrantInUse> findGrant(const Uuid& grantId, Timestamp now) = 0;
    // True for exactly one of all who redeem this code, over all processes.
    virtual bool redeem(const Uuid& grantId, Timestamp now) = 0;
    // True for exactly one of all who use this refresh token.
    virtual bool rotate(const Uuid& grantId, std::int64_t counter, Timestamp now) = 0;
    virtual void endGrant(const Uuid& grantId, Timestamp now) = 0;

    // What the user has allowed the client, as toText() of scopes; nullopt: nothing yet.
    virtual std::optional<std::string> findConsent(const Uuid& userId, std::string_view clientId) = 0;
    virtual void putConsent(const Uuid& userId, std::string_view clientId, const std::string& scopes,
                            const AuditNote& note) = 0;
    virtual std::vector<OidcConsent> listConsents(const Uuid& userId) = 0;
    // Those that have not ended, by the newest use; at most kMostGrantsAlike.
    virtual std::vector<GrantsAlike> listGrants(const User& user, Timestamp now) = 0;
    // What the user allowed the client and all that it was given for him are gone, and it is told of the sessions that
    // it was given in. False: there was nothing.
    virtual bool withdraw(const Uuid& userId, std::string_view clientId, const AuditNote& note) = 0;

    // Notices that are due, the oldest first. Each is in the hands of whoever asked until `leaseUntil`.
    virtual std::vector<LogoutNotice> takeLogouts(Timestamp now, Timestamp leaseUntil, unsigned limit) = 0;
    virtual void removeLogout(const Uuid& id) = 0;
    virtual void postponeLogout(const Uuid& id, Timestamp until) = 0;  // and counts the attempt
};

}  // namespace otpgate::domain
