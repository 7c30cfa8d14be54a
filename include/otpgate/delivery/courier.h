// Sends what waits in the outbox: at once what a worker hands over, and what a crash or a failure left behind when its
// lease is over. At least once, never after the code has expired. One thread of its own, with a database connection of
// its own.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/log.h"
#include "otpgate/base/random.h"
#include "otpgate/delivery/mail_transport.h"
#include "otpgate/domain/messenger.h"
#include "otpgate/domain/stores.h"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace otpgate::delivery {

class MessageComposer;

struct CourierSettings {
    std::size_t queueLength = 10000;
    // How often the outbox is looked into for what others left behind.
    std::chrono::milliseconds lookEvery{1000};
    // How long a worker's message is left to the process that wrote it; what NewOtpRequest::outboxAvailableAt is made
    // with.
    static constexpr std::chrono::seconds kHandOverLease{10};
};

class Courier final : public domain::Messenger {
public:
    Courier(CourierSettings settings, domain::OutboxStore& outbox, const MessageComposer& composer,
            MailTransport& transport, const Clock& clock, Random& random, Logger& log);
    ~Courier() override;  // stops, if nobody did
    Courier(const Courier&) = delete;
    Courier& operator=(const Courier&) = delete;

    void start();
    // Sends what is in memory, for at most `patience` and the sending that is under way then, and ends the thread; the
    // rest waits in the outbox.
    void stop(std::chrono::milliseconds patience);

    void handOver(const domain::OutboxMessage& message) override;

private:
    using SteadyTime = std::chrono::steady_clock::time_point;
    using Batch = std::vector<domain::OutboxMessage>;

    void run();
    void round();
    Batch takeHandedOver();
    bool isOver();
    bool isOutOfPatience();

    enum class Provider { Answers, Down };
    Provider sendAll(Batch& batch);
    // What came of the sending; Sent also for what was finished or left to others without one.
    SendResult deliver(domain::OutboxMessage& message);
    SendResult send(const domain::OutboxMessage& message);
    bool holdsLease(domain::OutboxMessage& message);
    Timestamp leaseEnd() const;

    void postpone(const domain::OutboxMessage& message, const std::string& reason);
    void postponeAll(std::span<const domain::OutboxMessage> messages, const std::string& reason);

    void addDone(const domain::OutboxMessage& message, domain::AuditEvent event, std::string reason);
    bool isDone(const Uuid& id) const;
    bool isFinishDue() const;
    void finishDone();     // throws ServiceUnavailable and keeps what was not finished
    void tryFinishDone();  // notes it instead, and does not ask a database that is known to be down
    void finishOneByOne(std::size_t count);

    void noteOutage(const std::exception& error);
    void noteAnswer();
    void logFailure(const domain::OutboxMessage& message, std::string_view what, std::string_view reason);

    const CourierSettings settings_;
    domain::OutboxStore& outbox_;
    const MessageComposer& composer_;
    MailTransport& transport_;
    const Clock& clock_;
    Random& random_;
    Logger& log_;

    std::mutex mutex_;  // over the next four
    std::condition_variable wake_;
    std::deque<domain::OutboxMessage> queue_;
    bool isStopping_ = false;
    SteadyTime giveUpAt_;

    // The thread's own.
    SteadyTime nextLook_;
    SteadyTime lastSend_;
    std::vector<domain::FinishedMessage> done_;  // sent or given up, and the database does not know yet
    SteadyTime doneSince_;
    bool isDatabaseDown_ = false;

    std::thread thread_;
};

}  // namespace otpgate::delivery
