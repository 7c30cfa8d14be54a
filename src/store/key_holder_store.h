// The table key_holders.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/stores.h"

namespace otpgate::store {

class KeyHolderTable final : public domain::KeyHolderStore {
public:
    explicit KeyHolderTable(db::Connection& connection) : connection_(connection) {}
    std::vector<domain::KeyHolder> list() override;
    void note(const domain::KeyHolder& holder, Timestamp goneSince) override;
    void forget(const Uuid& id) override;

private:
    db::Connection& connection_;
};

}  // namespace otpgate::store
