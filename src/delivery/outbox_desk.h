// The outbox as the threads of the courier share it: one at a time at its database connection. Keeps what was sent and
// is not finished in the database yet, and does not ask a database that is known to be down. Any thread.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/log.h"
#include "otpgate/base/random.h"
#include "otpgate/domain/stores.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <exception>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::delivery {

class OutboxDesk {
public:
    static constexpr unsigned kBatch = 100;

    OutboxDesk(domain::OutboxStore& outbox, const Clock& clock, Random& random, Logger& log);

    // Finishes what is done, then takes up to kBatch messages that are available. Asks a database that is down, too:
    // this is how it is found to be back. Throws ServiceUnavailable.
    std::vector<domain::OutboxMessage> claim(Timestamp leaseUntil);
    // Whether nobody else has the message now; false also while the database is down.
    bool renewLease(domain::OutboxMessage& message, Timestamp leaseUntil);
    // Counts a failure and lets the message rest; without a database it rests until its lease is over.
    void postpone(const domain::OutboxMessage& message, Timestamp until, std::string_view reason);

    void addDone(const domain::OutboxMessage& message, domain::AuditEvent event, std::string reason);
    // Whether the message was sent or given up and the database does not know yet.
    bool isDone(const Uuid& id) const;
    std::size_t countDone() const;
    void finishDone();          // throws ServiceUnavailable and keeps what was not finished
    void tryFinishDone();       // notes it instead
    void tryFinishDoneIfDue();  // when they are many, or wait for long

private:
    using FinishedMessages = std::vector<domain::FinishedMessage>;

    // With the database's turn held.
    void finishAll();
    void finishOneByOne(const FinishedMessages& messages);
    FinishedMessages firstDone(std::size_t count) const;
    void dropFirstDone(std::size_t count);

    void noteOutage(const std::exception& error);
    void noteAnswer();

    domain::OutboxStore& outbox_;  // over it: database_
    const Clock& clock_;
    Random& random_;
    Logger& log_;

    std::mutex database_;  // taken before state_, never after it
    std::atomic<bool> isDatabaseDown_ = false;
    mutable std::mutex state_;  // over the next two; never held while the database is asked
    FinishedMessages done_;     // only whoever holds database_ takes from it, from the front
    std::chrono::steady_clock::time_point doneSince_;
};

}  // namespace otpgate::delivery
