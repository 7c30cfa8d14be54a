// API keys, by which other applications call: makes them, recognises them, revokes them. One object a worker thread.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/random.h"
#include "otpgate/domain/api_key_store.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

inline constexpr unsigned kMaxApiKeys = 50;  // that are good at a time, of one user

struct ApiKeyRequest {
    std::string name;
    std::vector<ApiScope> scopes;
    std::optional<Timestamp> expiresAt;
};

struct IssuedApiKey {
    ApiKey key;
    std::string text;  // `otpg_<prefix>_<secret>`: the one time that it is known
};

class ApiKeyService {
public:
    ApiKeyService(ApiKeyStore& store, const Clock& clock, Random& random)
        : store_(store),
          clock_(clock),
          random_(random) {}

    // nullopt: the user has kMaxApiKeys already.
    std::optional<IssuedApiKey> create(const Uuid& userId, const ApiKeyRequest& request, const Client& client);
    std::vector<ApiKey> list(const Uuid& userId) { return store_.list(userId, clock_.now()); }
    // False: the user has no such key.
    bool revoke(const Uuid& id, const Uuid& userId, const Client& client);

    // The key that a client shows, where it is good; its last use is noted, at most once a minute.
    std::optional<ApiKey> authenticate(std::string_view text);

private:
    ApiKeyStore& store_;
    const Clock& clock_;
    Random& random_;
};

}  // namespace otpgate::domain
