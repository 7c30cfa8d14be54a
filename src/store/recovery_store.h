#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/recovery_store.h"

namespace otpgate::store {

class RecoveryTable final : public domain::RecoveryStore {
public:
    explicit RecoveryTable(db::Connection& connection) : connection_(connection) {}
    std::vector<domain::StoredRecoveryCode> list(const Uuid& userId) override;
    std::optional<std::string> takeTurn(const std::string& bucket, const domain::LimitRule& rule,
                                        Timestamp now) override;
    void propose(const Uuid& userId, const std::vector<domain::StoredRecoveryCode>& codes) override;
    domain::ConfirmedRecovery confirm(const domain::RecoveryConfirmation& confirmation) override;

private:
    db::Connection& connection_;
};

}  // namespace otpgate::store
