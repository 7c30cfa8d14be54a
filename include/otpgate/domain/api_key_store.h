// What the domain needs of the table api_keys. Each function is one atomic step; one object a thread; throws
// ServiceUnavailable when the database does not answer.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/uuid.h"
#include "otpgate/domain/limits.h"
#include "otpgate/domain/models.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

// What a key may do beside introspection, which any key may.
enum class ApiScope {
    Verify,       // have codes sent
    VerifyCaller  // be told codes, to send them itself
};
inline constexpr ApiScope kApiScopes[] = {ApiScope::Verify, ApiScope::VerifyCaller};
std::string_view toString(ApiScope scope);  // "verify:caller"
std::optional<ApiScope> parseApiScope(std::string_view text);

// A key without its secret, which nobody knows but its holder.
struct ApiKey {
    Uuid id;
    Uuid userId;
    std::string name;
    std::string prefix;
    std::vector<ApiScope> scopes;
    Timestamp createdAt;
    std::optional<Timestamp> expiresAt;
    std::optional<Timestamp> lastUsedAt;
    Role ownerRole = Role::User;  // of its user now, where findActive() found it, and so are the groups
    std::vector<std::string> ownerGroups{};
    // What may be asked for by it, as LimitRule has it, in place of what its user may; empty: as its user.
    std::string sendLimit{};

    bool has(ApiScope scope) const;
};

struct NewApiKey {
    ApiKey key;
    std::string secretHash;
    std::optional<Uuid> sessionId;  // which asks for it, and must not have ended by then
    unsigned maxActive = 0;
    std::string bucket;  // of the user's making of keys
    LimitRule rule;
    Uuid auditId;
    Client client;
};

struct ApiKeyInsertion {
    enum class Outcome { Created, TooMany, Limited, SessionEnded };
    Outcome outcome = Outcome::Created;
    std::string hits;  // of the bucket
};

struct ApiKeyRevocation {
    Uuid id;
    std::optional<Uuid> userId;  // nullopt: whosever it is
    Timestamp now;
    Uuid auditId;
    Client client;
};

// A key, and whose it is.
struct OwnedApiKey {
    ApiKey key;
    User owner;
};

struct StoredApiKey {
    ApiKey key;
    std::string secretHash;
};

class ApiKeyStore {
public:
    virtual ~ApiKeyStore() = default;
    // TooMany: the user has `maxActive` keys that are good already. Exact, however many are made at once.
    virtual ApiKeyInsertion create(const NewApiKey& key) = 0;
    // Those that are not revoked: the good ones first, then the newest; at most 100.
    virtual std::vector<ApiKey> list(const Uuid& userId, Timestamp now) = 0;
    // The same of all users, behind this one, the newest first; expired ones, too.
    virtual std::vector<OwnedApiKey> listAll(const std::optional<Uuid>& before, unsigned limit) = 0;
    // Whether there was such a key, of the user where one is named.
    virtual bool revoke(const ApiKeyRevocation& revocation) = 0;
    // Neither revoked nor expired, and its user is active.
    virtual std::optional<StoredApiKey> findActive(std::string_view prefix, Timestamp now) = 0;
    // Sets last_used_at where it is not later than `unlessSince`.
    virtual void touch(const Uuid& id, Timestamp now, Timestamp unlessSince) = 0;
};

}  // namespace otpgate::domain
