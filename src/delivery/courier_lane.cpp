#include "delivery/courier_lane.h"

#include "delivery/back_off.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <thread>
#include <utility>

namespace otpgate::delivery {

using domain::Delivery;
using domain::MessageEnd;
using domain::OutboxMessage;
using std::chrono::steady_clock;
using Outcome = SendResult::Outcome;

namespace {

// So few may be left of what was claimed when more is.
constexpr std::size_t kRefillAt = OutboxDesk::kBatch / 4;
// A lease that ends within this is renewed by the looking thread, which may be held up by a slow database meanwhile.
constexpr std::chrono::seconds kRenewBefore{7};
// Nothing is begun with a lease that ends before the looking thread has certainly come by.
constexpr std::chrono::seconds kShortestLease{5};
// A message that has waited for longer may have been overtaken by the next, or by its own code.
constexpr std::chrono::seconds kLookBefore{3};
// A provider that asks for more is asked again after this: a code does not live longer.
constexpr std::chrono::seconds kLongestRest{300};
// One connection that breaks is a chance; so many in a row, and the others need not try.
constexpr unsigned kFailuresOfADownProvider = 3;
// Messages that are due at about the same time wake a sender once.
constexpr int kTicksARest = 5;

}  // namespace

// A message in a sender's hand, until whatever happens to it has happened.
class CourierLane::InHand {
public:
    InHand(CourierLane& lane, const Uuid& id) : lane_(lane), id_(id) {}
    InHand(const InHand&) = delete;
    InHand& operator=(const InHand&) = delete;
    ~InHand() {
        const std::lock_guard lock(lane_.mutex_);
        const auto own = std::ranges::find(lane_.inHand_, id_, [](const OutboxMessage& message) { return message.id; });
        lane_.inHand_.erase(own);
        // Where the provider is down, or the end has come, the others have waited for this one.
        if (lane_.isStopping_) lane_.wakeAll();
        if (lane_.failuresInARow_ > 0 && !lane_.queue_.isEmpty()) lane_.wakeOne();
    }

private:
    CourierLane& lane_;
    const Uuid id_;
};

CourierLane::CourierLane(domain::Channel channel, const CourierSettings& settings, ChannelSenders senders,
                         LaneSurroundings surroundings)
    : channel_(channel),
      settings_(settings),
      around_(std::move(surroundings)) {
    for (auto& sender : senders) {
        hands_.push_back(std::make_unique<Hand>());
        hands_.back()->sender = std::move(sender);
    }
}

void CourierLane::handOver(const OutboxMessage& message) {
    const std::lock_guard lock(mutex_);
    if (isStopping_ || queue_.countHandedOver() >= settings_.queueLength) return;
    auto dueAt = steady_clock::now() + settings_.rest;
    if (settings_.rest.count() > 0) {
        const steady_clock::duration tick = steady_clock::duration(settings_.rest) / kTicksARest;
        // The last byte of an id is random.
        dueAt += (settings_.rest - tick) * static_cast<unsigned char>(message.id.bytes().back()) / 256;
        dueAt += tick - dueAt.time_since_epoch() % tick;
    }
    queue_.addHandedOver({message, nullptr, dueAt, around_.clock.now()});
    if (watcher_ == nullptr) wakeOne();
}

Delivery CourierLane::deliver(OutboxMessage message) {
    const auto start = steady_clock::now();
    if (message.isDiscarded) {
        handOver(message);
        return imitateLast(start);
    }
    const auto firstTry = std::make_shared<FirstTry>();
    const QueuedMessage queued{std::move(message), firstTry, {}, around_.clock.now()};
    bool isQueued = false;
    {
        const std::lock_guard lock(mutex_);
        isQueued = !isStopping_ && queue_.countHandedOver() < std::max<std::size_t>(settings_.queueLength, 1);
        if (isQueued) {
            queue_.addUrgent(queued);
            wakeOne();
        }
    }
    if (!isQueued) giveUp(queued, "too many messages wait");
    const auto patience =
        std::max<std::chrono::milliseconds>(settings_.patience, hands_.front()->sender->longestSend());
    if (!firstTry->waitUntil(start + patience)) {
        std::unique_lock lock(mutex_);
        const bool isWithdrawn = queue_.withdraw(queued.message.id);
        lock.unlock();
        if (isWithdrawn) giveUp(queued, "no sender was free in time");
    }
    const Delivery delivery = firstTry->wait();  // a sending that has begun comes to an end
    const std::lock_guard lock(mutex_);
    lastWait_ = steady_clock::now() - start;
    lastDelivery_ = delivery;
    return delivery;
}

// What stands for an account that does not exist takes as long as the last message, and ends as it did.
Delivery CourierLane::imitateLast(SteadyTime start) {
    std::unique_lock lock(mutex_);
    const auto end = start + lastWait_;
    const Delivery delivery = lastDelivery_;
    lock.unlock();
    std::this_thread::sleep_until(end);
    return delivery;
}

void CourierLane::take(const OutboxDesk::Claim& claim) {
    const std::lock_guard lock(mutex_);
    leftSome_ = claim.isFull;
    if (isStopping_ || claim.messages.empty()) return;
    queue_.addClaimed(claim.messages, around_.clock.now());
    wakeOne();
}

bool CourierLane::hasRoom() const {
    const std::lock_guard lock(mutex_);
    return queue_.countClaimed() <= kRefillAt;
}

bool CourierLane::wantsMore() const {
    const std::lock_guard lock(mutex_);
    return leftSome_ && queue_.countClaimed() <= kRefillAt && !isDown();
}

void CourierLane::noteLook() {
    const std::lock_guard lock(mutex_);
    leftSome_ = false;
}

void CourierLane::renewLeases() {
    std::vector<OutboxMessage> ending;
    {
        const std::lock_guard lock(mutex_);
        const Timestamp soon = around_.clock.now() + kRenewBefore;
        const auto note = [&](const OutboxMessage& message) {
            if (message.availableAt < soon) ending.push_back(message);
        };
        for (const OutboxMessage& message : inHand_) note(message);
        queue_.forEach([&](const QueuedMessage& queued) { note(queued.message); });
    }
    for (std::span<OutboxMessage> left = ending; !left.empty();) {
        const auto batch = left.first(std::min<std::size_t>(left.size(), OutboxDesk::kBatch));
        if (renew(batch).empty()) return;
        left = left.subspan(batch.size());
    }
}

std::vector<OutboxDesk::Holding> CourierLane::renew(std::span<OutboxMessage> messages) {
    auto holdings = around_.desk.renew(messages, around_.clock.now() + kLease);
    if (holdings.empty()) return holdings;
    std::map<Uuid, std::size_t> places;
    for (std::size_t i = 0; i < messages.size(); ++i) places.emplace(messages[i].id, i);
    std::vector<QueuedMessage> gone;
    {
        const std::lock_guard lock(mutex_);
        const auto note = [&](OutboxMessage& message) {
            const auto place = places.find(message.id);
            if (place == places.end()) return false;
            message.availableAt = messages[place->second].availableAt;
            return true;
        };
        for (OutboxMessage& message : inHand_) note(message);
        queue_.forEach([&](QueuedMessage& queued) {
            if (note(queued.message)) queued.lookedAt = around_.clock.now();
        });
        gone = queue_.takeIf([&](const QueuedMessage& queued) {
            const auto place = places.find(queued.message.id);
            return place != places.end() && !holdings[place->second].isToBeSent();
        });
    }
    for (const QueuedMessage& queued : gone) drop(queued, holdings[places.at(queued.message.id)]);
    return holdings;
}

void CourierLane::drop(const QueuedMessage& queued, const OutboxDesk::Holding& holding) {
    if (holding.isOurs && !around_.desk.isDone(queued.message.id)) {
        const std::string reason(toString(holding.code));
        around_.log.info("message not sent", {{"outbox_id", queued.message.id.toString()}, {"reason", reason}});
        around_.desk.addDone(queued.message, MessageEnd::Discarded, reason);
    }
    if (queued.firstTry) queued.firstTry->tell(holding.isOurs ? Delivery::Failed : Delivery::UnderWay);
}

void CourierLane::stop(SteadyTime giveUpAt) {
    const std::lock_guard lock(mutex_);
    if (!isStopping_) giveUpAt_ = giveUpAt;
    isStopping_ = true;
    wakeAll();
}

bool CourierLane::isOver() const {
    const std::lock_guard lock(mutex_);
    return isOverNow();
}

bool CourierLane::isOverNow() const {
    return isStopping_ && (queue_.isEmpty() || steady_clock::now() >= giveUpAt_);
}

bool CourierLane::isDown() const {
    return failuresInARow_ >= kFailuresOfADownProvider || around_.clock.now() < restUntil_;
}

void CourierLane::leave() {
    std::unique_lock lock(mutex_);
    const auto left = queue_.takeAll();
    lock.unlock();
    for (const auto& queued : left) {
        if (queued.firstTry) queued.firstTry->tell(Delivery::UnderWay);
    }
    for (auto& hand : hands_) hand->sender->idle();
}

// Always the first that waits, so that few connections are used while few are needed.
void CourierLane::wakeOne() {
    for (auto& hand : hands_) {
        if (!hand->isWaiting) continue;
        hand->isWaiting = false;
        hand->wake.notify_one();
        return;
    }
}

void CourierLane::wakeAll() {
    for (auto& hand : hands_) hand->wake.notify_one();
}

void CourierLane::round(std::size_t sender) {
    Hand& hand = *hands_[sender];
    if (auto queued = next(hand)) {
        work(hand, std::move(*queued));
    } else if (hand.isConnectionKept) {
        hand.sender->idle();
        hand.isConnectionKept = false;
    }
}

// Waits for a message, or until a kept connection has rested long enough.
std::optional<QueuedMessage> CourierLane::next(Hand& hand) {
    std::optional<QueuedMessage> taken;
    bool hasGotRoom = false;
    {
        std::unique_lock lock(mutex_);
        while (!isOverNow()) {
            const auto now = steady_clock::now();
            const std::size_t claimed = queue_.countClaimed();
            taken = takeNext(now);
            hasGotRoom = claimed > kRefillAt && queue_.countClaimed() <= kRefillAt;
            const auto idleAt = hand.isConnectionKept ? hand.lastSend + settings_.lookEvery : SteadyTime::max();
            if (taken || idleAt <= now) break;
            waitForWork(lock, hand, idleAt);
        }
        const auto due = queue_.nextDue();
        if (due && (watcher_ == nullptr || *due <= steady_clock::now())) wakeOne();
    }
    if (hasGotRoom) around_.onRoom();
    return taken;
}

std::optional<QueuedMessage> CourierLane::takeNext(SteadyTime now) {
    // A provider that is down is tried by one sender at a time.
    if (!inHand_.empty() && failuresInARow_ >= kFailuresOfADownProvider) return std::nullopt;
    auto taken = queue_.takeDue(isStopping_ ? SteadyTime::max() : now);
    if (taken) inHand_.push_back(taken->message);
    return taken;
}

void CourierLane::waitForWork(std::unique_lock<std::mutex>& lock, Hand& hand, SteadyTime until) {
    const auto due = queue_.nextDue();
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

void CourierLane::work(Hand& hand, QueuedMessage queued) {
    const InHand inHand(*this, queued.message.id);
    if (const auto reason = restReason()) {
        std::unique_lock lock(mutex_);
        auto messages = queue_.takeAllDue(steady_clock::now());
        lock.unlock();
        messages.insert(messages.begin(), std::move(queued));
        postpone(std::move(messages), *reason);
        return;
    }
    if (!isToBeSent(queued)) return;
    const SendResult result = send(hand, queued.message);
    auto others = noteResult(result);
    ++queued.message.attempts;
    judge(queued, result);
    postpone(std::move(others), result.reason);
}

std::optional<std::string> CourierLane::restReason() const {
    const std::lock_guard lock(mutex_);
    return around_.clock.now() < restUntil_ ? std::optional(restReason_) : std::nullopt;
}

bool CourierLane::isToBeSent(QueuedMessage& queued) {
    OutboxMessage& message = queued.message;
    if (around_.desk.isDone(message.id)) return false;
    if (message.isDiscarded) {
        // Written so that a request for an account that is not there costs the same work as any other.
        around_.desk.addDone(message, MessageEnd::Discarded, "no account to send to");
        return false;
    }
    if (around_.clock.now() >= message.expiresAt) {
        logFailure(message, "message not sent", "expired");
        giveUp(queued, "expired");
        return false;
    }
    if (isFresh(queued)) return true;
    // Those that wait behind it, too: one question for many.
    std::vector<OutboxMessage> asked{message};
    {
        const std::lock_guard lock(mutex_);
        queue_.forEach([&](const QueuedMessage& other) {
            if (asked.size() < OutboxDesk::kBatch && !isFresh(other)) asked.push_back(other.message);
        });
    }
    const auto holdings = renew(asked);
    const OutboxDesk::Holding own = holdings.empty() ? OutboxDesk::Holding{} : holdings.front();
    message.availableAt = asked.front().availableAt;
    if (own.isToBeSent()) return true;
    drop(queued, own);  // without a database it is left to whoever takes it from the outbox
    return false;
}

bool CourierLane::isFresh(const QueuedMessage& queued) const {
    const Timestamp now = around_.clock.now();
    return queued.message.availableAt - now >= kShortestLease && now - queued.lookedAt <= kLookBefore;
}

SendResult CourierLane::send(Hand& hand, const OutboxMessage& message) {
    const auto start = steady_clock::now();
    SendResult result;
    try {
        result = hand.sender->send(message, around_.clock.now());
    } catch (const std::exception& error) {
        // Neither composer nor transport is known to throw; one message must not keep the others from being sent.
        result = {Outcome::TryLater, std::string("internal error: ") + error.what()};
    }
    hand.lastSend = steady_clock::now();
    hand.isConnectionKept = true;
    if (result.outcome == Outcome::Sent) {
        const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(hand.lastSend - start);
        around_.log.debug("message sent", {{"outbox_id", message.id.toString()},
                                           {"channel", toString(channel_)},
                                           {"ms", static_cast<std::int64_t>(took.count())}});
    }
    return result;
}

std::vector<QueuedMessage> CourierLane::noteResult(const SendResult& result) {
    const std::lock_guard lock(mutex_);
    if (result.outcome != Outcome::TryLater) {
        failuresInARow_ = 0;
        return {};
    }
    if (result.retryAfter) {
        restUntil_ = around_.clock.now() + std::min(*result.retryAfter, kLongestRest);
        restReason_ = result.reason;
    }
    failuresInARow_ = result.cause == SendResult::Cause::Provider ? failuresInARow_ + 1 : 0;
    return isDown() ? queue_.takeAllDue(steady_clock::now()) : std::vector<QueuedMessage>{};
}

void CourierLane::judge(QueuedMessage& queued, const SendResult& result) {
    switch (result.outcome) {
    case Outcome::Sent:
        around_.desk.addDone(queued.message, MessageEnd::Sent, "");
        if (queued.firstTry) queued.firstTry->tell(Delivery::Sent);
        break;
    case Outcome::TryLater:
        logFailure(queued.message,
                   queued.firstTry ? "message not sent, and whoever asked for it was told"
                                   : "message not sent, will try later",
                   result.reason);
        postpone({queued}, result.reason);
        break;
    case Outcome::Refused:
        if (!result.isLogged) logFailure(queued.message, "message refused", result.reason);
        giveUp(queued, result.reason);
        break;
    }
}

void CourierLane::postpone(std::vector<QueuedMessage> messages, const std::string& reason) {
    std::vector<domain::PostponedMessage> postponed;
    for (auto& queued : messages) {
        OutboxMessage& message = queued.message;
        if (around_.desk.isDone(message.id)) continue;
        const Timestamp until = restsUntil(message);
        if (queued.firstTry || (!message.isDiscarded && until >= message.expiresAt))
            giveUp(queued, reason);
        else
            postponed.push_back({std::move(message), until, reason});
    }
    around_.desk.postpone(postponed);
    if (postponed.size() > 1) {
        around_.log.warning("messages postponed",
                            {{"count", static_cast<std::int64_t>(postponed.size())}, {"reason", reason}});
    }
}

Timestamp CourierLane::restsUntil(const OutboxMessage& message) {
    std::array<std::uint8_t, 2> noise{};
    around_.random.fill(noise);
    const unsigned failuresBefore = std::max(message.attempts, 1U) - 1;
    const auto pause = backOff(failuresBefore, static_cast<std::uint16_t>(noise[0] << 8U | noise[1]));
    const std::lock_guard lock(mutex_);
    return std::max<Timestamp>(around_.clock.now() + pause, restUntil_);
}

void CourierLane::giveUp(const QueuedMessage& queued, const std::string& reason) {
    around_.desk.addDone(queued.message, MessageEnd::GivenUp, reason);
    if (!queued.firstTry) return;
    around_.desk.tryFinishDone();  // before anybody is told: a crash must not send it after all
    queued.firstTry->tell(Delivery::Failed);
}

void CourierLane::logFailure(const OutboxMessage& message, std::string_view what, std::string_view reason) {
    around_.log.warning(what, {{"outbox_id", message.id.toString()},
                               {"channel", toString(channel_)},
                               {"attempts", static_cast<std::int64_t>(message.attempts)},
                               {"reason", reason}});
}

}  // namespace otpgate::delivery
