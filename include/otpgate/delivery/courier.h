// Sends what waits in the outbox: at once what a worker hands over, and what a crash or a failure left behind when its
// lease is over. At least once, never after the code has expired. A lane with a thread for each channel, so that a
// provider that is slow or down does not hold up the other; one database connection of its own, which they share.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/log.h"
#include "otpgate/base/random.h"
#include "otpgate/delivery/mail_transport.h"
#include "otpgate/delivery/sms_transport.h"
#include "otpgate/domain/messenger.h"
#include "otpgate/domain/stores.h"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace otpgate::delivery {

class ChannelSender;
class CourierLane;
class MessageComposer;
class OutboxDesk;

struct CourierSettings {
    std::size_t queueLength = 10000;  // of each channel
    // How often the outbox is looked into for what others left behind.
    std::chrono::milliseconds lookEvery{1000};
    // A worker's message rests for so long, or up to twice of it, before it is sent. Sending right away would compete
    // with the answer to the request, and the time that the answer takes would tell whether there is an account to send
    // to.
    std::chrono::milliseconds rest{0};
};

struct Transports {
    MailTransport& mail;
    SmsTransport* sms = nullptr;  // null: a message to a telephone number is given up, "no SMS provider"
};

class Courier final : public domain::Messenger {
public:
    Courier(CourierSettings settings, domain::OutboxStore& outbox, const MessageComposer& composer,
            Transports transports, const Clock& clock, Random& random, Logger& log);
    ~Courier() override;  // stops, if nobody did
    Courier(const Courier&) = delete;
    Courier& operator=(const Courier&) = delete;

    void start();
    // Sends what is in memory, for at most `patience` and the sendings that are under way then, and ends the threads;
    // the rest waits in the outbox.
    void stop(std::chrono::milliseconds patience);

    void handOver(const domain::OutboxMessage& message) override;

private:
    using SteadyTime = std::chrono::steady_clock::time_point;

    CourierLane& laneOf(const domain::OutboxMessage& message);
    // Calls round() until isOver(), whatever it throws.
    void repeat(const std::function<bool()>& isOver, const std::function<void()>& round);
    void look();
    bool isStopping();
    void finish();

    const CourierSettings settings_;
    const Clock& clock_;
    Logger& log_;
    std::unique_ptr<OutboxDesk> desk_;
    std::unique_ptr<ChannelSender> mailSender_;
    std::unique_ptr<ChannelSender> smsSender_;
    std::unique_ptr<CourierLane> mail_;
    std::unique_ptr<CourierLane> sms_;

    std::mutex mutex_;  // over isStopping_; no other is taken by whoever holds it, but a lane's
    std::condition_variable wake_;
    bool isStopping_ = false;

    // The looking thread's own.
    SteadyTime nextLook_;
    bool isMoreWaiting_ = false;

    std::vector<std::thread> threads_;
};

}  // namespace otpgate::delivery
