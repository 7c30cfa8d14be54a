// The table outbox, as the courier sees it.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/stores.h"
#include "otpgate/store/groups.h"

#include <set>
#include <span>
#include <vector>

namespace otpgate::store {

class OutboxTable final : public domain::OutboxStore {
public:
    OutboxTable(db::Connection& connection, Groups* groups) : connection_(connection), groups_(groups) {}
    std::vector<domain::OutboxMessage> claimAvailable(domain::Channel channel, Timestamp now, Timestamp leaseUntil,
                                                      unsigned limit) override;
    std::vector<bool> renewLeases(std::span<domain::OutboxMessage> messages, Timestamp leaseUntil) override;
    std::vector<domain::CodeState> codeStates(std::span<const domain::OutboxMessage> messages, Timestamp now) override;
    void finish(std::span<const domain::FinishedMessage> messages, Timestamp now) override;
    void postpone(std::span<const domain::PostponedMessage> messages) override;

private:
    std::vector<domain::OutboxMessage> takeAvailable(domain::Channel channel, Timestamp now, Timestamp leaseUntil,
                                                     unsigned limit);
    std::set<Uuid> heldOf(std::span<const domain::OutboxMessage> messages);
    void bury(const domain::FinishedMessage& finished, Timestamp now);
    void postponeOne(const domain::PostponedMessage& postponed);

    db::Connection& connection_;
    Groups* groups_;
};

}  // namespace otpgate::store
