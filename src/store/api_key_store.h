// The table api_keys.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/api_key_store.h"

namespace otpgate::store {

class ApiKeyTable final : public domain::ApiKeyStore {
public:
    explicit ApiKeyTable(db::Connection& connection) : connection_(connection) {}
    domain::ApiKeyInsertion create(const domain::NewApiKey& key) override;
    std::vector<domain::ApiKey> list(const Uuid& userId, Timestamp now) override;
    std::vector<domain::OwnedApiKey> listAll(const std::optional<Uuid>& before, unsigned limit) override;
    bool revoke(const domain::ApiKeyRevocation& revocation) override;
    std::optional<domain::StoredApiKey> findActive(std::string_view prefix, Timestamp now) override;
    void touch(const Uuid& id, Timestamp now, Timestamp unlessSince) override;

private:
    db::Connection& connection_;
};

}  // namespace otpgate::store
