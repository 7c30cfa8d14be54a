// The table signing_keys.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/stores.h"

namespace otpgate::store {

class SigningKeyTable final : public domain::SigningKeyStore {
public:
    explicit SigningKeyTable(db::Connection& connection) : connection_(connection) {}
    std::vector<domain::StoredSigningKey> list() override;
    bool add(const domain::StoredSigningKey& key) override;
    void reseal(std::int64_t sequence, const std::string& sealedPem) override;
    void removeUpTo(std::int64_t sequence) override;

private:
    db::Connection& connection_;
};

}  // namespace otpgate::store
