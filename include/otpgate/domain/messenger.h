// Where services leave what is to be sent, after the transaction that wrote its outbox row has committed. Implemented
// by the courier in delivery/. Called by all worker threads.
#pragma once

#include "otpgate/domain/models.h"

#include <chrono>

namespace otpgate::domain {

// The process that wrote a message sends it itself for so long; then whoever looks first takes it from the outbox.
inline constexpr std::chrono::seconds kHandOverLease{10};

class Messenger {
public:
    virtual ~Messenger() = default;
    // Never blocks and never fails: what does not fit stays in the outbox and is found there when its lease is over.
    virtual void handOver(const OutboxMessage& message) = 0;
};

}  // namespace otpgate::domain
