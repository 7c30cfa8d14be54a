// One key, as a table would keep it.
#pragma once

#include "otpgate/domain/api_key_store.h"

#include <optional>
#include <string_view>
#include <vector>

namespace otpgate::test {

class FakeApiKeyStore final : public domain::ApiKeyStore {
public:
    domain::ApiKeyInsertion create(const domain::NewApiKey& key) override {
        asked = key;
        if (outcome == domain::ApiKeyInsertion::Outcome::Created) {
            stored = domain::StoredApiKey{key.key, key.secretHash};
        }
        return {outcome, hits};
    }
    std::vector<domain::ApiKey> list(const Uuid&, Timestamp) override {
        if (!stored) return {};
        return {stored->key};
    }
    bool revoke(const domain::ApiKeyRevocation& revocation) override {
        return stored && stored->key.id == revocation.id && stored->key.userId == revocation.userId;
    }
    std::optional<domain::StoredApiKey> findActive(std::string_view prefix, Timestamp) override {
        ++lookUps;
        return stored && stored->key.prefix == prefix ? stored : std::nullopt;
    }
    void touch(const Uuid&, Timestamp now, Timestamp) override {
        ++touches;
        stored->key.lastUsedAt = now;
    }

    domain::ApiKeyInsertion::Outcome outcome = domain::ApiKeyInsertion::Outcome::Created;
    std::string hits;
    std::optional<domain::NewApiKey> asked;
    std::optional<domain::StoredApiKey> stored;
    int lookUps = 0;
    int touches = 0;
};

}  // namespace otpgate::test
