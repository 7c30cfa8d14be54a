// Sends what waits in the outbox: what a worker of this process hands over, and what others left there or a crash or a
// failure left behind, when its lease is over. At least once, never after the message has expired. A queue for each
// channel, so that a provider that is slow or down does not hold up the other, with as many senders as the settings
// say, each a thread; one database connection, which they share.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/log.h"
#include "otpgate/base/random.h"
#include "otpgate/delivery/mail_transport.h"
#include "otpgate/delivery/sms_transport.h"
#include "otpgate/domain/messenger.h"
#include "otpgate/domain/otp_metrics.h"
#include "otpgate/domain/stores.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace otpgate::delivery {

class CourierQueue;
class MessageComposer;
class OutboxDesk;

enum class DeliveryMode {
    Async,  // requests are answered at once
    Sync,   // requests wait for the first sending
    Outbox  // this process writes rows, and others send them
};

// The process that wrote a message sends it itself for so long.
inline constexpr std::chrono::seconds kHandOverLease{10};

struct CourierSettings {
    DeliveryMode mode = DeliveryMode::Async;
    // At the same time, of each channel.
    unsigned mailSenders = 1;
    unsigned smsSenders = 1;
    std::size_t queueLength = 10000;  // of each channel
    // How many requests may wait at the same time in DeliveryMode::Sync.
    unsigned maxWaiting = std::numeric_limits<unsigned>::max();
    // How often the outbox is looked into for what others left behind.
    std::chrono::milliseconds lookEvery{1000};
    // A worker's message rests for so long, or up to twice of it, before it is sent. Sending right away would compete
    // with the answer to the request, and the time that the answer takes would tell whether there is an account to send
    // to.
    std::chrono::milliseconds rest{0};
    // Whoever waits for a message (DeliveryMode::Sync) waits at least so long for a free sender.
    std::chrono::milliseconds patience{5000};
};

// Called once for each sender, whose thread alone uses what it makes.
struct Transports {
    std::function<std::unique_ptr<MailTransport>()> mail;
    // Absent, or makes null: a message to a telephone number is given up, "no SMS provider".
    std::function<std::unique_ptr<SmsTransport>()> sms;
};

class Courier final : public domain::Messenger {
public:
    Courier(CourierSettings settings, domain::OutboxStore& outbox, const MessageComposer& composer,
            const Transports& transports, const Clock& clock, Random& random, Logger& log, domain::OtpMetrics& metrics);
    ~Courier() override;  // stops, if nobody did
    Courier(const Courier&) = delete;
    Courier& operator=(const Courier&) = delete;

    void start();
    // Sends what is in memory, for at most `patience` and the sendings that are under way then, and ends the threads;
    // the rest waits in the outbox.
    void stop(std::chrono::milliseconds patience);

    Place takePlace() override;
    std::chrono::seconds lease() const override;
    void handOver(const domain::OutboxMessage& message) override;
    domain::Delivery deliver(const domain::OutboxMessage& message) override;

private:
    using SteadyTime = std::chrono::steady_clock::time_point;

    CourierQueue& queueOf(const domain::OutboxMessage& message);
    std::vector<CourierQueue*> queues() const { return {mail_.get(), sms_.get()}; }
    // A thread that calls round() until isOver(), whatever it throws.
    std::thread startThread(std::function<bool()> isOver, std::function<void()> round);
    void look();
    bool isOver();
    bool isMoreWanted() const;
    void finish();

    const CourierSettings settings_;
    const Clock& clock_;
    Logger& log_;
    std::unique_ptr<OutboxDesk> desk_;
    std::unique_ptr<CourierQueue> mail_;
    std::unique_ptr<CourierQueue> sms_;

    std::atomic<unsigned> waiting_ = 0;

    std::mutex mutex_;  // over isStopping_ and isOver_; no other is taken by whoever holds it, but a queue's
    std::condition_variable wake_;
    bool isStopping_ = false;
    bool isOver_ = false;  // no queue sends any more
    SteadyTime nextLook_;  // the looking thread's own

    std::thread finisher_;
    std::thread looker_;
    std::vector<std::thread> threads_;  // the senders
};

}  // namespace otpgate::delivery
