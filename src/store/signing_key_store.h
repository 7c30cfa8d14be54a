// The table signing_keys, and id_token_keys of the same form.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/stores.h"

#include <string>

namespace otpgate::store {

class SigningKeyTable final : public domain::SigningKeyStore {
public:
    SigningKeyTable(db::Connection& connection, const std::string& table);
    std::vector<domain::StoredSigningKey> list() override;
    bool add(const domain::StoredSigningKey& key) override;
    void reseal(std::int64_t sequence, const std::string& sealedPem) override;
    void removeUpTo(std::int64_t sequence) override;

private:
    db::Connection& connection_;
    const std::string listSql_;
    const std::string addSql_;
    const std::string resealSql_;
    const std::string removeSql_;
};

}  // namespace otpgate::store
