// API keys, by which other applications call: makes them, recognises them, revokes them. One object a worker thread.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/random.h"
#include "otpgate/domain/api_key_store.h"
#include "otpgate/domain/otp_service.h"
#include "otpgate/domain/session_store.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

inline constexpr unsigned kMaxApiKeys = 50;  // that are good at a time, of one user

// Who may make API keys, and have messages sent by them: with a key, an account sends to any address.
enum class ApiKeyHolders { Admins, Everybody };
bool mayHoldApiKeys(ApiKeyHolders allowed, Role role);

struct ApiKeyRequest {
    std::string name;
    std::vector<ApiScope> scopes;
    std::optional<Timestamp> expiresAt;
    // As LimitRule has it: administrators give one to the key of an application, in place of their own.
    std::string sendLimit{};
};

struct IssuedApiKey {
    ApiKey key;
    std::string text;  // `otpg_<prefix>_<secret>`: the one time that it is known
};

struct ApiKeyCreation {
    enum class Outcome { Created, NotAllowed, TooMany, Limited, SessionEnded };
    Outcome outcome = Outcome::NotAllowed;
    std::optional<IssuedApiKey> issued;  // where Created
    std::optional<LimitReport> limit;    // where Limited
};

class ApiKeyService {
public:
    // Keys are good as long as the rule lets their user in.
    ApiKeyService(ApiKeyStore& store, const Clock& clock, Random& random, ApiKeyHolders holders, SignInRule signIn = {})
        : store_(store),
          clock_(clock),
          random_(random),
          holders_(holders),
          signIn_(std::move(signIn)) {}

    // TooMany: the user has kMaxApiKeys already. Limited: too many were made today, revoked ones too.
    ApiKeyCreation create(const AuthenticatedSession& caller, const ApiKeyRequest& request, const Client& client);
    // Whether messages may be sent by the key: its user may have become another since it was made.
    bool maySend(const ApiKey& key) const { return mayHoldApiKeys(holders_, key.ownerRole); }
    std::vector<ApiKey> list(const Uuid& userId) { return store_.list(userId, clock_.now()); }
    // Of everybody, for administrators: the newest first, those before `before`.
    std::vector<OwnedApiKey> listAll(const std::optional<Uuid>& before, unsigned limit) {
        return store_.listAll(before, limit);
    }
    // False: the user has no such key, or where none is named, nobody has.
    bool revoke(const Uuid& id, const std::optional<Uuid>& userId, const Client& client);

    // The key that a client shows, where it is good; its last use is noted, at most once a minute.
    std::optional<ApiKey> authenticate(std::string_view text);

private:
    ApiKeyStore& store_;
    const Clock& clock_;
    Random& random_;
    ApiKeyHolders holders_;
    SignInRule signIn_;
};

}  // namespace otpgate::domain
