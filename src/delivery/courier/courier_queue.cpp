#include "delivery/courier/courier_queue.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace otpgate::delivery {

using domain::Delivery;
using domain::OutboxMessage;
using std::chrono::steady_clock;

namespace {

// So few may be left of what was claimed when more is.
constexpr std::size_t kRefillAt = OutboxDesk::kBatch / 4;
// Messages that are due at about the same time wake a sender once.
constexpr int kTicksARest = 5;

}  // namespace

// A message in a sender's hand, until whatever happens to it has happened.
class CourierQueue::InHand {
public:
    InHand(CourierQueue& queue, const Uuid& id) : queue_(queue), id_(id) {}
    InHand(const InHand&) = delete;
    InHand& operator=(const InHand&) = delete;
    ~InHand() {
        HeldMessages& held = queue_.held_;
        const std::lock_guard lock(held.mutex);
        const auto own = std::ranges::find(held.inHand, id_, [](const OutboxMessage& message) { return message.id; });
        held.inHand.erase(own);
        // Where the provider is down, or the end has come, the others have waited for this one.
        if (queue_.isStopping_) queue_.wakeAll();
        if (held.breaker.hasJustFailed() && !held.waiting.isEmpty()) queue_.wakeOne();
    }

private:
    CourierQueue& queue_;
    const Uuid id_;
};

CourierQueue::CourierQueue(domain::Channel channel, const CourierSettings& settings, ChannelSenders senders,
                           const CourierSurroundings& surroundings, std::function<void()> onRoom)
    : channel_(channel),
      settings_(settings),
      clock_(surroundings.clock),
      onRoom_(std::move(onRoom)),
      leases_(held_, surroundings),
      sending_(channel, held_, leases_, surroundings) {
    for (auto& sender : senders) {
        hands_.push_back(std::make_unique<Hand>());
        hands_.back()->sender = std::move(sender);
    }
}

void CourierQueue::handOver(const OutboxMessage& message) {
    const std::lock_guard lock(held_.mutex);
    if (isStopping_ || held_.waiting.countHandedOver() >= settings_.queueLength) return;
    auto dueAt = steady_clock::now() + settings_.rest;
    if (settings_.rest.count() > 0) {
        const steady_clock::duration tick = steady_clock::duration(settings_.rest) / kTicksARest;
        // The last byte of an id is random.
        dueAt += (settings_.rest - tick) * static_cast<unsigned char>(message.id.bytes().back()) / 256;
        dueAt += tick - dueAt.time_since_epoch() % tick;
    }
    doubtOlder(message);
    held_.waiting.addHandedOver({message, nullptr, dueAt, clock_.now()});
    if (watcher_ == nullptr) wakeOne();
}

// A new code voids the older ones for the same, so what waits of them is looked at however short it has waited.
void CourierQueue::doubtOlder(const OutboxMessage& newer) {
    if (!domain::carriesSecret(newer.kind) || newer.isDiscarded) return;
    held_.waiting.forEach([&](QueuedMessage& queued) {
        const OutboxMessage& older = queued.message;
        if (domain::carriesSecret(older.kind) && older.purpose == newer.purpose &&
            older.destination == newer.destination)
            queued.lookedAt = {};
    });
}

Delivery CourierQueue::deliver(OutboxMessage message) {
    const auto start = steady_clock::now();
    if (message.isDiscarded) {
        handOver(message);
        return imitateLast(start);
    }
    const auto firstTry = std::make_shared<FirstTry>();
    const QueuedMessage queued{std::move(message), firstTry, {}, clock_.now()};
    bool isQueued = false;
    {
        const std::lock_guard lock(held_.mutex);
        isQueued = !isStopping_ && held_.waiting.countHandedOver() < std::max<std::size_t>(settings_.queueLength, 1);
        if (isQueued) {
            doubtOlder(queued.message);
            held_.waiting.addUrgent(queued);
            wakeOne();
        }
    }
    if (!isQueued) sending_.giveUp(queued, "too many messages wait");
    const auto patience =
        std::max<std::chrono::milliseconds>(settings_.patience, hands_.front()->sender->longestSend());
    if (!firstTry->waitUntil(start + patience)) {
        std::unique_lock lock(held_.mutex);
        const bool isWithdrawn = held_.waiting.withdraw(queued.message.id);
        lock.unlock();
        if (isWithdrawn) sending_.giveUp(queued, "no sender was free in time");
    }
    const Delivery delivery = firstTry->wait();  // a sending that has begun comes to an end
    const std::lock_guard lock(held_.mutex);
    lastWait_ = steady_clock::now() - start;
    lastDelivery_ = delivery;
    return delivery;
}

// What stands for an account that does not exist takes as long as the last message, and ends as it did.
Delivery CourierQueue::imitateLast(SteadyTime start) {
    std::unique_lock lock(held_.mutex);
    const auto end = start + lastWait_;
    const Delivery delivery = lastDelivery_;
    lock.unlock();
    std::this_thread::sleep_until(end);
    return delivery;
}

void CourierQueue::take(const OutboxDesk::Claim& claim) {
    const std::lock_guard lock(held_.mutex);
    leftSome_ = claim.isFull;
    if (isStopping_ || claim.messages.empty()) return;
    held_.waiting.addClaimed(claim.messages, clock_.now());
    wakeOne();
}

bool CourierQueue::hasRoom() const {
    const std::lock_guard lock(held_.mutex);
    return held_.waiting.countClaimed() <= kRefillAt;
}

bool CourierQueue::wantsMore() const {
    const std::lock_guard lock(held_.mutex);
    return leftSome_ && held_.waiting.countClaimed() <= kRefillAt && !held_.breaker.isOpen(clock_.now());
}

void CourierQueue::noteLook() {
    const std::lock_guard lock(held_.mutex);
    leftSome_ = false;
}

void CourierQueue::stop(SteadyTime giveUpAt) {
    const std::lock_guard lock(held_.mutex);
    if (!isStopping_) giveUpAt_ = giveUpAt;
    isStopping_ = true;
    wakeAll();
}

bool CourierQueue::isOver() const {
    const std::lock_guard lock(held_.mutex);
    return isOverNow();
}

bool CourierQueue::isOverNow() const {
    return isStopping_ && (held_.waiting.isEmpty() || steady_clock::now() >= giveUpAt_);
}

void CourierQueue::leave() {
    std::unique_lock lock(held_.mutex);
    const auto left = held_.waiting.takeAll();
    lock.unlock();
    for (const auto& queued : left) {
        if (queued.firstTry) queued.firstTry->tell(Delivery::UnderWay);
    }
    for (auto& hand : hands_) hand->sender->idle();
}

// Always the first that waits, so that few connections are used while few are needed.
void CourierQueue::wakeOne() {
    for (auto& hand : hands_) {
        if (!hand->isWaiting) continue;
        hand->isWaiting = false;
        hand->wake.notify_one();
        return;
    }
}

void CourierQueue::wakeAll() {
    for (auto& hand : hands_) hand->wake.notify_one();
}

void CourierQueue::round(std::size_t sender) {
    Hand& hand = *hands_[sender];
    if (auto queued = next(hand)) {
        const InHand inHand(*this, queued->message.id);
        hand.isConnectionKept = true;
        if (sending_.work(*hand.sender, std::move(*queued))) hand.lastSend = steady_clock::now();
    } else if (hand.isConnectionKept) {
        hand.sender->idle();
        hand.isConnectionKept = false;
    }
}

// Waits for a message, or until a kept connection has rested long enough.
std::optional<QueuedMessage> CourierQueue::next(Hand& hand) {
    std::optional<QueuedMessage> taken;
    bool hasGotRoom = false;
    {
        std::unique_lock lock(held_.mutex);
        while (!isOverNow()) {
            const auto now = steady_clock::now();
            const std::size_t claimed = held_.waiting.countClaimed();
            taken = takeNext(now);
            hasGotRoom = claimed > kRefillAt && held_.waiting.countClaimed() <= kRefillAt;
            const auto idleAt = hand.isConnectionKept ? hand.lastSend + settings_.lookEvery : SteadyTime::max();
            if (taken || idleAt <= now) break;
            waitForWork(lock, hand, idleAt);
        }
        const auto due = held_.waiting.nextDue();
        if (due && (watcher_ == nullptr || *due <= steady_clock::now())) wakeOne();
    }
    if (hasGotRoom) onRoom_();
    return taken;
}

std::optional<QueuedMessage> CourierQueue::takeNext(SteadyTime now) {
    // A provider that is down is tried by one sender at a time.
    if (!held_.inHand.empty() && held_.breaker.wantsOneAtATime()) return std::nullopt;
    auto taken = held_.waiting.takeDue(isStopping_ ? SteadyTime::max() : now);
    if (taken) held_.inHand.push_back(taken->message);
    return taken;
}

void CourierQueue::waitForWork(std::unique_lock<std::mutex>& lock, Hand& hand, SteadyTime until) {
    const auto due = held_.waiting.nextDue();
    const bool watches = due && *due > steady_clock::now() && watcher_ == nullptr;
    if (watches) {
        watcher_ = &hand;
        until = std::min(until, *due);
    }
    if (isStopping_) until = std::min(until, giveUpAt_);
    hand.isWaiting = true;
    if (until == SteadyTime::max())
        hand.wake.wait(lock);
    else
        hand.wake.wait_until(lock, until);
    hand.isWaiting = false;
    if (watches) watcher_ = nullptr;
}

}  // namespace otpgate::delivery
