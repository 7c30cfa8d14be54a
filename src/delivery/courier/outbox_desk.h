// The outbox as the threads of the courier share it: one at a time at its database connection. Keeps what was sent and
// is not finished in the database yet, and does not ask a database that is known to be down. Any thread.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/log.h"
#include "otpgate/base/random.h"
#include "otpgate/domain/otp_metrics.h"
#include "otpgate/domain/stores.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <map>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace otpgate::delivery {

class OutboxDesk {
public:
    static constexpr unsigned kBatch = 100;

    OutboxDesk(domain::OutboxStore& outbox, const Clock& clock, Random& random, Logger& log,
               domain::OtpMetrics& metrics);

    struct Claim {
        std::vector<domain::OutboxMessage> messages;
        bool isFull = false;  // kBatch were taken, so there may be more
    };
    // Finishes what is done, then takes up to kBatch messages that are available; those whose codes are void end here.
    // Asks a database that is down, too: this is how it is found to be back. Throws ServiceUnavailable.
    Claim claim(domain::Channel channel, Timestamp leaseUntil);
    // What is known of a message in our hands.
    struct Holding {
        bool isOurs = false;  // else somebody else has it now
        domain::CodeState code = domain::CodeState::Good;

        bool isToBeSent() const { return isOurs && code == domain::CodeState::Good; }
    };
    // Renews the leases of messages, at most kBatch, and looks at their codes. Empty while the database is down.
    std::vector<Holding> renew(std::span<domain::OutboxMessage> messages, Timestamp leaseUntil);
    // Lets messages rest; without a database they rest until their leases are over.
    void postpone(std::span<const domain::PostponedMessage> messages);

    void addDone(const domain::OutboxMessage& message, domain::MessageEnd end, std::string reason);
    // Whether the message was sent or given up and the database does not know yet.
    bool isDone(const Uuid& id) const;
    std::size_t countDone() const;
    void finishDone();     // throws ServiceUnavailable and keeps what was not finished
    void tryFinishDone();  // notes it instead

    // Of the finishing thread: waits until something is done, then finishes all of it. What comes meanwhile, and within
    // a moment after, makes the next group, so that a message is soon finished and many share a transaction.
    void finishNextGroup();
    void stopFinishing();  // and it waits no more
    bool isFinishingOver() const;

private:
    using FinishedMessages = std::vector<domain::FinishedMessage>;

    // With the database's turn held.
    void finishAll();
    void finishOneByOne(const FinishedMessages& messages);
    FinishedMessages takeDone();
    void putBack(FinishedMessages messages);
    void forget(const FinishedMessages& messages);
    Timestamp leaseOf(const domain::OutboxMessage& message) const;

    void noteOutage(const std::exception& error);
    void noteAnswer();

    domain::OutboxStore& outbox_;  // over it: database_
    const Clock& clock_;
    Random& random_;
    Logger& log_;
    domain::OtpMetrics& metrics_;

    std::mutex database_;  // taken before state_, never after it
    FinishedMessages indigestible_;
    // Of messages whose lease was renewed while others held the message itself.
    std::map<Uuid, Timestamp> leases_;
    std::atomic<bool> isDatabaseDown_ = false;

    mutable std::mutex state_;  // over the rest; never held while the database is asked
    std::condition_variable wakeFinisher_;
    FinishedMessages done_;
    std::set<Uuid> doneIds_;  // of all that the database does not know yet
    std::chrono::steady_clock::time_point lastFinish_;
    bool isFinishingOver_ = false;
};

}  // namespace otpgate::delivery
