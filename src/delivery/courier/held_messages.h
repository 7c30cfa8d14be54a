// All messages of one channel that this process holds leases of: those that wait, and those that are being sent. Shared
// by the queue, its leases and its sending; whoever looks into it holds the mutex.
#pragma once

#include "delivery/courier/outbox_desk.h"
#include "delivery/courier/provider_breaker.h"
#include "delivery/courier/waiting_messages.h"

#include <mutex>
#include <vector>

namespace otpgate::delivery {

struct HeldMessages {
    std::mutex mutex;  // over the rest
    WaitingMessages waiting;
    std::vector<domain::OutboxMessage> inHand;  // that are being sent
    ProviderBreaker breaker;
};

// What a channel's queue, its leases and its sending need of the courier.
struct CourierSurroundings {
    OutboxDesk& desk;
    const Clock& clock;
    Random& random;
    Logger& log;
};

}  // namespace otpgate::delivery
