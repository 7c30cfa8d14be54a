// The table signing_keys in memory.
#pragma once

#include "otpgate/domain/stores.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

namespace otpgate::test {

class FakeSigningKeyStore final : public domain::SigningKeyStore {
public:
    std::vector<domain::StoredSigningKey> list() override { return keys; }
    bool add(const domain::StoredSigningKey& key) override {
        if (beforeAdd) std::exchange(beforeAdd, nullptr)();
        const auto same = [&](const domain::StoredSigningKey& other) { return other.sequence == key.sequence; };
        if (std::any_of(keys.begin(), keys.end(), same)) return false;
        keys.push_back(key);
        return true;
    }
    void reseal(std::int64_t sequence, const std::string& sealedPem) override {
        for (auto& key : keys) {
            if (key.sequence == sequence) key.sealedPem = sealedPem;
        }
    }
    void removeUpTo(std::int64_t sequence) override {
        std::erase_if(keys, [&](const domain::StoredSigningKey& key) { return key.sequence <= sequence; });
    }

    std::vector<domain::StoredSigningKey> keys;
    std::function<void()> beforeAdd;  // what another process does at this moment; once
};

}  // namespace otpgate::test
