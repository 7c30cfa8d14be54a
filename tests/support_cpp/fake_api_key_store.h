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
    std::vector<domain::OwnedApiKey> listAll(const std::optional<Uuid>& before, unsigned limit) override {
        std::vector<domain::OwnedApiKey> found;
        for (const auto& each : everybodys) {
            if ((!before || each.key.id < *before) && found.size() < limit) found.push_back(each);
        }
        return found;
    }
    bool revoke(const domain::ApiKeyRevocation& revocation) override {
        revocations.push_back(revocation);
        if (!stored || stored->key.id != revocation.id) return false;
        return revocation.userId.value_or(stored->key.userId) == stored->key.userId;
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
    std::vector<domain::OwnedApiKey> everybodys;  // the newest first
    std::vector<domain::ApiKeyRevocation> revocations;
    int lookUps = 0;
    int touches = 0;
};

}  // namespace otpgate::test
