// The courier's lane of one channel: what waits for it in memory, the senders that send it, and what is known of their
// provider. Each sender has a thread.
#pragma once

#include "delivery/channel_sender.h"
#include "delivery/lane_queue.h"
#include "delivery/outbox_desk.h"
#include "otpgate/delivery/courier.h"
#include "otpgate/delivery/send_result.h"

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace otpgate::delivery {

struct LaneSurroundings {
    OutboxDesk& desk;
    const Clock& clock;
    Random& random;
    Logger& log;
    std::function<void()> onRoom;  // called when more can be claimed for the lane
};

// How long a message is leased for. Short, because after a crash it rests for so long; so whoever holds a message, and
// be it in the middle of sending it, renews its lease in time.
inline constexpr std::chrono::seconds kLease{20};

class CourierLane {
public:
    using SteadyTime = std::chrono::steady_clock::time_point;

    CourierLane(domain::Channel channel, const CourierSettings& settings, ChannelSenders senders,
                LaneSurroundings surroundings);

    domain::Channel channel() const { return channel_; }
    // A worker's message; what does not fit stays in the outbox.
    void handOver(const domain::OutboxMessage& message);
    // Sends it before all others and returns when that was tried; what fails is given up.
    domain::Delivery deliver(domain::OutboxMessage message);
    // Messages that were claimed from the outbox: as many as claim() of the desk returns, where there is room.
    void take(const OutboxDesk::Claim& claim);
    bool hasRoom() const;
    // Whether it is worth while to claim before the next look: the last claim left some behind, and there is room.
    bool wantsMore() const;
    void noteLook();  // a claim comes, whatever becomes of it
    // Of what waits here or is being sent: of those leases that end soon. To be called each second or more often.
    void renewLeases();
    void stop(SteadyTime giveUpAt);

    std::size_t countSenders() const { return hands_.size(); }
    // Of a sender's thread. round() waits for a message and sends it.
    void round(std::size_t sender);
    bool isOver() const;
    // After the threads have ended: closes connections, and whoever still waits for a message is told that it is left.
    void leave();

private:
    // A sender and its thread.
    struct Hand {
        std::unique_ptr<ChannelSender> sender;
        std::condition_variable wake;
        bool isWaiting = false;
        // The thread's own.
        bool isConnectionKept = false;
        SteadyTime lastSend;
    };
    class InHand;

    // With the mutex held.
    bool isOverNow() const;
    bool isDown() const;
    void wakeOne();
    void wakeAll();
    void doubtOlder(const domain::OutboxMessage& newer);
    void waitForWork(std::unique_lock<std::mutex>& lock, Hand& hand, SteadyTime until);
    std::optional<QueuedMessage> takeNext(SteadyTime now);

    std::optional<QueuedMessage> next(Hand& hand);
    void work(Hand& hand, QueuedMessage queued);
    // Whether the message is to be sent; ends it where it is not.
    bool isToBeSent(QueuedMessage& queued);
    bool isFresh(const QueuedMessage& queued) const;
    // The same as the desk's; what waits and is not to be sent any more leaves the queue.
    std::vector<OutboxDesk::Holding> renew(std::span<domain::OutboxMessage> messages);
    void drop(const QueuedMessage& queued, const OutboxDesk::Holding& holding);
    SendResult send(Hand& hand, const domain::OutboxMessage& message);
    // Returns what would only meet the same failure now.
    std::vector<QueuedMessage> noteResult(const SendResult& result);
    void judge(QueuedMessage& queued, const SendResult& result);
    void postpone(std::vector<QueuedMessage> messages, const std::string& reason);
    Timestamp restsUntil(const domain::OutboxMessage& message);
    void giveUp(const QueuedMessage& queued, const std::string& reason);
    std::optional<std::string> restReason() const;
    domain::Delivery imitateLast(SteadyTime start);
    void logFailure(const domain::OutboxMessage& message, std::string_view what, std::string_view reason);

    const domain::Channel channel_;
    const CourierSettings settings_;
    LaneSurroundings around_;
    std::vector<std::unique_ptr<Hand>> hands_;

    mutable std::mutex mutex_;  // over the rest
    LaneQueue queue_;
    Hand* watcher_ = nullptr;  // the one that waits for the next message to be due
    bool leftSome_ = false;    // the last claim
    bool isStopping_ = false;
    SteadyTime giveUpAt_;

    // The provider.
    std::vector<domain::OutboxMessage> inHand_;  // messages that are being sent
    unsigned failuresInARow_ = 0;
    Timestamp restUntil_;  // as the provider asked for
    std::string restReason_;

    // Of the last message that somebody waited for.
    std::chrono::steady_clock::duration lastWait_{};
    domain::Delivery lastDelivery_ = domain::Delivery::Sent;
};

}  // namespace otpgate::delivery
