// The courier's lane of one channel: what waits for it in memory, and how it is sent. Each lane has a thread, so that a
// provider that is slow or down holds up nobody but itself.
#pragma once

#include "delivery/outbox_desk.h"
#include "otpgate/delivery/courier.h"
#include "otpgate/delivery/send_result.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace otpgate::delivery {

// Composes and sends the messages of one channel.
class ChannelSender {
public:
    virtual ~ChannelSender() = default;
    virtual SendResult send(const domain::OutboxMessage& message, Timestamp now) = 0;
    virtual void idle() = 0;
    virtual std::chrono::seconds longestSend() const = 0;
};

struct LaneSurroundings {
    OutboxDesk& desk;
    const Clock& clock;
    Random& random;
    Logger& log;
    std::function<void()> onTaken;  // called when the messages of take() were taken up
};

class CourierLane {
public:
    using Batch = std::vector<domain::OutboxMessage>;
    using SteadyTime = std::chrono::steady_clock::time_point;

    CourierLane(const CourierSettings& settings, ChannelSender& sender, LaneSurroundings surroundings);

    // A worker's message; what does not fit stays in the outbox.
    void handOver(const domain::OutboxMessage& message);
    // Messages that were claimed from the outbox; what does not fit is found again when its lease is over.
    void take(std::span<const domain::OutboxMessage> claimed);
    // Whether more can be claimed for it now: it has taken up what it got, and its provider answers.
    bool hasRoom() const;
    std::chrono::seconds longestSend() const { return sender_.longestSend(); }
    void stop(SteadyTime giveUpAt);

    // Of the lane's thread. round() waits for messages and sends them.
    void round();
    bool isOver() const;
    void disconnect() { sender_.idle(); }

private:
    struct HandedOver {
        domain::OutboxMessage message;
        SteadyTime dueAt;
    };
    // When there is something for next() to take; nullopt: not before something comes.
    std::optional<SteadyTime> nextDue() const;
    Batch next();
    bool isOutOfPatience() const;
    void sendAll(Batch& batch);
    // What came of the sending; Sent also for what was finished or left to others without one.
    SendResult deliver(domain::OutboxMessage& message);
    SendResult send(const domain::OutboxMessage& message);
    bool holdsLease(domain::OutboxMessage& message);
    void rest(const SendResult& result);
    void postpone(const domain::OutboxMessage& message, const std::string& reason);
    void postponeAll(std::span<const domain::OutboxMessage> messages, const std::string& reason);
    void logFailure(const domain::OutboxMessage& message, std::string_view what, std::string_view reason);

    const CourierSettings settings_;
    ChannelSender& sender_;
    LaneSurroundings around_;

    mutable std::mutex mutex_;  // over the next five
    std::condition_variable wake_;
    std::deque<HandedOver> handedOver_;
    std::deque<domain::OutboxMessage> claimed_;
    bool isStopping_ = false;
    SteadyTime giveUpAt_;

    std::atomic<bool> isProviderDown_ = false;

    // The thread's own.
    bool isConnectionKept_ = false;
    SteadyTime lastSend_;
    Timestamp restUntil_;  // as the provider asked for
    std::string restReason_;
};

// How long a message is leased for a sending of at most `longestSend`.
std::chrono::seconds leaseFor(std::chrono::seconds longestSend);

}  // namespace otpgate::delivery
