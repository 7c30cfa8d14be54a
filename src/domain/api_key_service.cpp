#include "otpgate/domain/api_key_service.h"

#include "otpgate/crypto/hash.h"

#include <algorithm>

namespace otpgate::domain {

namespace {

// Letters and digits only: a key is marked by a double click, and its parts are told apart by the underscores.
constexpr std::string_view kCharacters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kMark = "otpg_";  // for those who look for leaked secrets
constexpr std::size_t kPrefixCharacters = 8;
constexpr std::size_t kKeySecretCharacters = 43;  // 256 bits
constexpr std::chrono::minutes kTouchKeyEvery{1};

// Each leaves a row of its own and two in the audit trail, so making and revoking them must come to an end.
const LimitRule kCreations{{{100, std::chrono::days{1}}}};

std::string randomText(std::size_t length, Random& random) {
    // The bytes from here on would make the first characters likelier than the others.
    constexpr std::size_t kUnfair = 256 - 256 % kCharacters.size();
    std::string text;
    while (text.size() < length) {
        std::uint8_t byte = 0;
        random.fill({&byte, 1});
        if (byte < kUnfair) text += kCharacters[byte % kCharacters.size()];
    }
    return text;
}

struct KeyParts {
    std::string_view prefix;
    std::string_view secret;
};

std::optional<KeyParts> parseKey(std::string_view text) {
    constexpr std::size_t kUnderscore = kMark.size() + kPrefixCharacters;
    if (text.size() != kUnderscore + 1 + kKeySecretCharacters || !text.starts_with(kMark) || text[kUnderscore] != '_') {
        return std::nullopt;
    }
    const KeyParts parts{text.substr(kMark.size(), kPrefixCharacters), text.substr(kUnderscore + 1)};
    for (const std::string_view part : {parts.prefix, parts.secret}) {
        if (part.find_first_not_of(kCharacters) != std::string_view::npos) return std::nullopt;
    }
    return parts;
}

}  // namespace

bool mayHoldApiKeys(ApiKeyHolders allowed, Role role) {
    return allowed == ApiKeyHolders::Everybody || role == Role::Admin;
}

std::string_view toString(ApiScope scope) {
    switch (scope) {
    case ApiScope::Verify: return "verify";
    case ApiScope::VerifyCaller: return "verify:caller";
    }
    return {};
}

std::optional<ApiScope> parseApiScope(std::string_view text) {
    for (const ApiScope scope : kApiScopes) {
        if (text == toString(scope)) return scope;
    }
    return std::nullopt;
}

bool ApiKey::has(ApiScope scope) const {
    return std::find(scopes.begin(), scopes.end(), scope) != scopes.end();
}

ApiKeyCreation ApiKeyService::create(const AuthenticatedSession& caller, const ApiKeyRequest& request,
                                     const Client& client) {
    const User& user = caller.user;
    using Outcome = ApiKeyCreation::Outcome;
    const bool mayLimit = request.sendLimit.empty() || user.role == Role::Admin;
    if (!mayHoldApiKeys(holders_, user.role) || !mayLimit) return {Outcome::NotAllowed, std::nullopt, std::nullopt};
    const Timestamp now = clock_.now();
    const std::string prefix = randomText(kPrefixCharacters, random_);
    const std::string secret = randomText(kKeySecretCharacters, random_);
    const ApiKey key{.id = Uuid::makeV7(now, random_),
                     .userId = user.id,
                     .name = request.name,
                     .prefix = prefix,
                     .scopes = request.scopes,
                     .createdAt = now,
                     .expiresAt = request.expiresAt,
                     .lastUsedAt = std::nullopt,
                     .ownerRole = user.role,
                     .ownerGroups = user.groups,
                     .sendLimit = request.sendLimit};
    auto insertion = store_.create({.key = key,
                                    .secretHash = crypto::sha256(secret),
                                    .sessionId = caller.session.id,
                                    .maxActive = kMaxApiKeys,
                                    .bucket = limitBucket("api-keys", user.id.bytes()),
                                    .rule = kCreations,
                                    .auditId = Uuid::makeV7(now, random_),
                                    .client = client});
    switch (insertion.outcome) {
    case ApiKeyInsertion::Outcome::Created: break;
    case ApiKeyInsertion::Outcome::TooMany: return {Outcome::TooMany, std::nullopt, std::nullopt};
    case ApiKeyInsertion::Outcome::SessionEnded: return {Outcome::SessionEnded, std::nullopt, std::nullopt};
    case ApiKeyInsertion::Outcome::Limited:
        return {Outcome::Limited, std::nullopt,
                reportLimit("api_keys_per_account", kCreations, std::move(insertion.hits), now)};
    }
    return {Outcome::Created, IssuedApiKey{key, std::string{kMark} + prefix + "_" + secret}, std::nullopt};
}

bool ApiKeyService::revoke(const Uuid& id, const std::optional<Uuid>& userId, const Client& client) {
    const Timestamp now = clock_.now();
    return store_.revoke(
        {.id = id, .userId = userId, .now = now, .auditId = Uuid::makeV7(now, random_), .client = client});
}

std::optional<ApiKey> ApiKeyService::authenticate(std::string_view text) {
    const auto parts = parseKey(text);
    if (!parts) return std::nullopt;
    const Timestamp now = clock_.now();
    // The prefix is a name, not a secret: that there is such a key tells nobody anything.
    auto stored = store_.findActive(parts->prefix, now);
    if (!stored || !crypto::equalInConstantTime(stored->secretHash, crypto::sha256(parts->secret))) return std::nullopt;
    if (!signIn_.allows(stored->key.ownerRole, stored->key.ownerGroups)) return std::nullopt;
    const auto& lastUsedAt = stored->key.lastUsedAt;
    if (!lastUsedAt || *lastUsedAt <= now - kTouchKeyEvery) store_.touch(stored->key.id, now, now - kTouchKeyEvery);
    return std::move(stored->key);
}

}  // namespace otpgate::domain
