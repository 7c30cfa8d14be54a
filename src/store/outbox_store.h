// The table outbox, as the courier sees it.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/stores.h"

namespace otpgate::store {

class OutboxTable final : public domain::OutboxStore {
public:
    explicit OutboxTable(db::Connection& connection) : connection_(connection) {}
    std::vector<domain::OutboxMessage> claimAvailable(Timestamp now, Timestamp leaseUntil, unsigned limit) override;
    bool renewLease(domain::OutboxMessage& message, Timestamp leaseUntil) override;
    void finish(std::span<const domain::FinishedMessage> messages, Timestamp now) override;
    void postpone(const domain::OutboxMessage& message, Timestamp availableAt, std::string_view reason) override;

private:
    db::Connection& connection_;
};

}  // namespace otpgate::store
