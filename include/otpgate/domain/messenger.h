// Where services leave what is to be sent, after the transaction that wrote its outbox row has committed. Implemented
// by the courier in delivery/. Called by all worker threads.
#pragma once

#include "otpgate/domain/models.h"

namespace otpgate::domain {

class Messenger {
public:
    virtual ~Messenger() = default;
    // Never blocks and never fails: what does not fit stays in the outbox and is found there when its lease is over.
    virtual void handOver(const OutboxMessage& message) = 0;
};

}  // namespace otpgate::domain
