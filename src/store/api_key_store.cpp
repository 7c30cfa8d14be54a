#include "store/api_key_store.h"

#include "otpgate/base/text.h"
#include "store/audit_events.h"
#include "store/batches.h"
#include "store/rate_limits.h"
#include "store/users.h"
#include "store/words.h"

namespace otpgate::store {

namespace {

constexpr std::string_view kKeyColumns =
    "k.id, k.user_id, k.name, k.prefix, k.scopes, k.created_at_us, k.expires_at_us, k.last_used_at_us, k.send_limit";
constexpr std::size_t kColumnCount = 9;

const db::LookUp kOpenSession("SELECT s.id FROM sessions s WHERE s.revoked_at_us IS NULL AND", "s.id = ?",
                              db::Locking::Wait);

std::string textOf(const std::vector<domain::ApiScope>& scopes) {
    std::vector<std::string> words;
    words.reserve(scopes.size());
    for (const domain::ApiScope scope : scopes) words.emplace_back(domain::toString(scope));
    return joined(words, " ");
}

std::vector<domain::ApiScope> scopesOf(std::string_view text) {
    std::vector<domain::ApiScope> scopes;
    if (text.empty()) return scopes;
    for (const std::string_view word : split(text, ' ')) scopes.push_back(parseApiScope(word));
    return scopes;
}

domain::ApiKey readKey(const db::Row& row) {
    return {.id = row.uuid(0),
            .userId = row.uuid(1),
            .name = row.text(2),
            .prefix = row.text(3),
            .scopes = scopesOf(row.text(4)),
            .createdAt = row.timestamp(5),
            .expiresAt = row.optionalTimestamp(6),
            .lastUsedAt = row.optionalTimestamp(7),
            .ownerRole = domain::Role::User,
            .ownerGroups = {},
            .sendLimit = row.optionalText(8).value_or("")};
}

// Which key it was, for the audit trail.
std::string prefixMetadata(std::string_view prefix) {
    return R"({"prefix":")" + std::string{prefix} + R"("})";
}

}  // namespace

domain::ApiKeyInsertion ApiKeyTable::create(const domain::NewApiKey& newKey) {
    const domain::ApiKey& key = newKey.key;
    const std::string scopes = textOf(key.scopes);
    using Outcome = domain::ApiKeyInsertion::Outcome;
    const auto work = [&]() -> domain::ApiKeyInsertion {
        // Whoever ends the session waits for the key, and then ends it too: see endSessions().
        if (newKey.sessionId && connection_.lookUp({{kOpenSession, {*newKey.sessionId}}})[0].empty()) {
            return {Outcome::SessionEnded, {}};
        }
        // One at a time of each user, so that the count is still true when the row is written.
        Buckets buckets(connection_, {newKey.bucket});
        domain::Bucket& bucket = buckets.at(newKey.bucket);
        const bool isAccepted = bucket.take(newKey.rule, key.createdAt);
        buckets.hold(newKey.bucket);
        buckets.write(connection_);
        if (!isAccepted) return {Outcome::Limited, bucket.hits()};
        const auto active = connection_.queryOne(
            "SELECT COUNT(*) FROM api_keys WHERE user_id = ? AND revoked_at_us IS NULL"
            " AND (expires_at_us IS NULL OR expires_at_us > ?)",
            {key.userId, key.createdAt});
        if (active->integer(0) >= newKey.maxActive) return {Outcome::TooMany, bucket.hits()};
        connection_.execute(
            "INSERT INTO api_keys (id, user_id, name, prefix, secret_hash, scopes, created_at_us, expires_at_us,"
            " send_limit) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            {key.id, key.userId, key.name, key.prefix, db::Param::blob(newKey.secretHash), scopes, key.createdAt,
             key.expiresAt, key.sendLimit.empty() ? db::Param{std::nullopt} : db::Param{key.sendLimit}});
        insertAuditEvent(connection_, {newKey.auditId, domain::AuditEvent::ApiKeyCreated, key.userId, std::nullopt,
                                       newKey.client, key.createdAt, prefixMetadata(key.prefix)});
        return {Outcome::Created, bucket.hits()};
    };
    return connection_.transact(work, db::RetryOn::DeadlockOrDuplicate);
}

std::vector<domain::ApiKey> ApiKeyTable::list(const Uuid& userId, Timestamp now) {
    static const std::string sql = "SELECT " + std::string{kKeyColumns} +
                                   " FROM api_keys k WHERE k.user_id = ? AND k.revoked_at_us IS NULL"
                                   " ORDER BY CASE WHEN k.expires_at_us <= ? THEN 1 ELSE 0 END, k.id DESC LIMIT 100";
    std::vector<domain::ApiKey> keys;
    for (const db::Row& row : connection_.query(sql, {userId, now})) keys.push_back(readKey(row));
    return keys;
}

std::vector<domain::OwnedApiKey> ApiKeyTable::listAll(const std::optional<Uuid>& before, unsigned limit) {
    static const std::string sql = "SELECT " + std::string{kKeyColumns} + ", " + std::string{kUserColumns} +
                                   " FROM api_keys k JOIN users u ON u.id = k.user_id"
                                   " WHERE k.revoked_at_us IS NULL AND k.id < ? ORDER BY k.id DESC LIMIT ?";
    const Uuid end = before.value_or(kLastId);
    std::vector<domain::OwnedApiKey> keys;
    for (const db::Row& row : connection_.query(sql, {end, limit}))
        keys.push_back({readKey(row), readUser(row, kColumnCount)});
    return keys;
}

bool ApiKeyTable::revoke(const domain::ApiKeyRevocation& revocation) {
    return connection_.transact([&] {
        const auto row = connection_.queryOne("SELECT user_id, prefix FROM api_keys WHERE id = ?", {revocation.id});
        if (!row) return false;
        const Uuid owner = row->uuid(0);
        if (revocation.userId.value_or(owner) != owner) return false;
        const auto changed =
            connection_.execute("UPDATE api_keys SET revoked_at_us = ? WHERE id = ? AND revoked_at_us IS NULL",
                                {revocation.now, revocation.id});
        if (changed == 0) return false;
        insertAuditEvent(connection_, {revocation.auditId, domain::AuditEvent::ApiKeyRevoked, owner, std::nullopt,
                                       revocation.client, revocation.now, prefixMetadata(row->text(1))});
        return true;
    });
}

std::optional<domain::StoredApiKey> ApiKeyTable::findActive(std::string_view prefix, Timestamp now) {
    static const std::string sql =
        "SELECT " + std::string{kKeyColumns} +
        ", k.secret_hash, u.role, u.group_names FROM api_keys k JOIN users u ON u.id = k.user_id"
        " WHERE k.prefix = ? AND k.revoked_at_us IS NULL"
        " AND (k.expires_at_us IS NULL OR k.expires_at_us > ?) AND u.status = 'active'";
    const auto row = connection_.queryOne(sql, {prefix, now});
    if (!row) return std::nullopt;
    domain::StoredApiKey stored{readKey(*row), row->text(kColumnCount)};
    stored.key.ownerRole = parseRole(row->text(kColumnCount + 1));
    stored.key.ownerGroups = readGroupNames(row->text(kColumnCount + 2));
    return stored;
}

void ApiKeyTable::touch(const Uuid& id, Timestamp now, Timestamp unlessSince) {
    connection_.execute(
        "UPDATE api_keys SET last_used_at_us = ? WHERE id = ? AND (last_used_at_us IS NULL OR last_used_at_us <= ?)",
        {now, id, unlessSince});
}

}  // namespace otpgate::store
