// Where services leave what is to be sent, after the transaction that wrote its outbox row has committed. Implemented
// by the courier in delivery/. Called by all worker threads.
#pragma once

#include "otpgate/domain/models.h"

#include <atomic>
#include <chrono>
#include <memory>

namespace otpgate::domain {

// What is known of a message when its request is answered.
enum class Delivery {
    UnderWay,
    Sent,   // a provider has accepted it
    Failed  // it was refused, or the first sending failed, and it will not be sent
};

class Messenger {
public:
    struct GiveBack {
        void operator()(std::atomic<unsigned>* taken) const { --*taken; }
    };
    // Of those who may wait at the same time; given back at its end. Empty where nobody waits.
    using Place = std::unique_ptr<std::atomic<unsigned>, GiveBack>;

    virtual ~Messenger() = default;
    // Before a request that may call deliver() writes anything: throws ServiceUnavailable where so many wait already
    // that others would find no thread to answer them.
    virtual Place takePlace() { return {}; }
    // How long a row that is written now is left to this process; then whoever looks first takes it from the outbox. 0
    // where this process sends nothing. A row's `available_at_us` is now and this.
    virtual std::chrono::seconds lease() const = 0;
    // Never blocks and never fails: what does not fit stays in the outbox and is found there when its lease is over.
    virtual void handOver(const OutboxMessage& message) = 0;
    // Where the settings want it (delivery.mode = sync), waits until the first sending has been tried; else as
    // handOver(). For answers that may depend on what came of it.
    virtual Delivery deliver(const OutboxMessage& message) = 0;
};

}  // namespace otpgate::domain
