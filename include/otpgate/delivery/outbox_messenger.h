// The messenger of a process that sends nothing (delivery.mode = outbox): the row in the outbox says it all, and
// whoever looks there first may take it at once. Any thread.
#pragma once

#include "otpgate/domain/messenger.h"

namespace otpgate::delivery {

class OutboxMessenger final : public domain::Messenger {
public:
    std::chrono::seconds lease() const override { return std::chrono::seconds(0); }
    void handOver(const domain::OutboxMessage&) override {}
    domain::Delivery deliver(const domain::OutboxMessage&) override { return domain::Delivery::UnderWay; }
};

}  // namespace otpgate::delivery
