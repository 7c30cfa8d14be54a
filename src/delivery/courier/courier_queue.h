// The courier's queue of one channel: what waits for it in memory, and the senders that take it up, each with a thread.
#pragma once

#include "delivery/courier/channel_sender.h"
#include "delivery/courier/held_messages.h"
#include "delivery/courier/leases.h"
#include "delivery/courier/sending.h"
#include "otpgate/delivery/courier.h"

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace otpgate::delivery {

class CourierQueue {
public:
    using SteadyTime = std::chrono::steady_clock::time_point;

    // `onRoom` is called when more can be claimed for the queue.
    CourierQueue(domain::Channel channel, const CourierSettings& settings, ChannelSenders senders,
                 const CourierSurroundings& surroundings, std::function<void()> onRoom);

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
    void renewLeases() { leases_.renewEnding(); }
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
    void wakeOne();
    void wakeAll();
    void doubtOlder(const domain::OutboxMessage& newer);
    void waitForWork(std::unique_lock<std::mutex>& lock, Hand& hand, SteadyTime until);
    std::optional<QueuedMessage> takeNext(SteadyTime now);

    std::optional<QueuedMessage> next(Hand& hand);
    domain::Delivery imitateLast(SteadyTime start);

    const domain::Channel channel_;
    const CourierSettings settings_;
    const Clock& clock_;
    std::function<void()> onRoom_;
    mutable HeldMessages held_;
    Leases leases_;
    Sending sending_;
    std::vector<std::unique_ptr<Hand>> hands_;

    // The mutex of held_ is over the rest, too.
    Hand* watcher_ = nullptr;  // the one that waits for the next message to be due
    bool leftSome_ = false;    // the last claim
    bool isStopping_ = false;
    SteadyTime giveUpAt_;
    // Of the last message that somebody waited for.
    std::chrono::steady_clock::duration lastWait_{};
    domain::Delivery lastDelivery_ = domain::Delivery::Sent;
};

}  // namespace otpgate::delivery
