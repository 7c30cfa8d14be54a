// Remembers what it was handed, and sends nothing.
#pragma once

#include "otpgate/domain/messenger.h"

#include <vector>

namespace otpgate::test {

class FakeMessenger final : public domain::Messenger {
public:
    std::chrono::seconds lease() const override { return leaseFor; }
    void handOver(const domain::OutboxMessage& message) override { messages.push_back(message); }
    domain::Delivery deliver(const domain::OutboxMessage& message) override {
        waitedFor.push_back(message);
        messages.push_back(message);
        return delivery;
    }

    std::vector<domain::OutboxMessage> waitedFor;  // those of `messages` that the asker may wait for
    domain::Delivery delivery = domain::Delivery::UnderWay;
    std::chrono::seconds leaseFor{10};
    std::vector<domain::OutboxMessage> messages;
};

}  // namespace otpgate::test
