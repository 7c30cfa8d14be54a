#include "delivery/courier_lane.h"

#include "delivery/back_off.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <utility>

namespace otpgate::delivery {

using domain::AuditEvent;
using domain::OutboxMessage;
using std::chrono::steady_clock;
using Outcome = SendResult::Outcome;

namespace {

constexpr std::size_t kMostClaimed = 2 * OutboxDesk::kBatch;
constexpr std::chrono::seconds kShortestLease{60};
constexpr std::chrono::seconds kSafetyMargin{1};
// A provider that asks for more is asked again after this: a code does not live longer.
constexpr std::chrono::seconds kLongestRest{300};

}  // namespace

std::chrono::seconds leaseFor(std::chrono::seconds longestSend) {
    return std::max(kShortestLease, 2 * longestSend);
}

CourierLane::CourierLane(const CourierSettings& settings, ChannelSender& sender, LaneSurroundings surroundings)
    : settings_(settings),
      sender_(sender),
      around_(std::move(surroundings)) {}

void CourierLane::handOver(const OutboxMessage& message) {
    {
        const std::lock_guard lock(mutex_);
        if (isStopping_ || handedOver_.size() >= settings_.queueLength) return;
        // The last byte of an id is random.
        const auto extra = settings_.rest * static_cast<unsigned char>(message.id.bytes().back()) / 256;
        handedOver_.push_back({message, steady_clock::now() + settings_.rest + extra});
    }
    wake_.notify_one();
}

void CourierLane::take(std::span<const OutboxMessage> claimed) {
    if (claimed.empty()) return;
    {
        const std::lock_guard lock(mutex_);
        if (isStopping_) return;
        for (const auto& message : claimed) {
            if (claimed_.size() < kMostClaimed) claimed_.push_back(message);
        }
    }
    wake_.notify_one();
}

bool CourierLane::hasRoom() const {
    const std::lock_guard lock(mutex_);
    return claimed_.empty() && !isProviderDown_;
}

void CourierLane::stop(SteadyTime giveUpAt) {
    {
        const std::lock_guard lock(mutex_);
        if (!isStopping_) giveUpAt_ = giveUpAt;
        isStopping_ = true;
    }
    wake_.notify_one();
}

void CourierLane::round() {
    Batch batch = next();
    sendAll(batch);
    if (!isConnectionKept_ || steady_clock::now() - lastSend_ < settings_.lookEvery) return;
    sender_.idle();
    isConnectionKept_ = false;
}

bool CourierLane::isOver() const {
    const std::lock_guard lock(mutex_);
    return isStopping_ && ((handedOver_.empty() && claimed_.empty()) || steady_clock::now() >= giveUpAt_);
}

bool CourierLane::isOutOfPatience() const {
    const std::lock_guard lock(mutex_);
    return isStopping_ && steady_clock::now() >= giveUpAt_;
}

std::optional<CourierLane::SteadyTime> CourierLane::nextDue() const {
    if (isStopping_ || !claimed_.empty()) return SteadyTime{};
    if (handedOver_.empty()) return std::nullopt;
    return handedOver_.front().dueAt;
}

// Waits for messages, or until a kept connection has rested long enough.
CourierLane::Batch CourierLane::next() {
    Batch batch;
    bool tookClaimed = false;
    {
        std::unique_lock lock(mutex_);
        while (true) {
            auto until = nextDue();
            if (isConnectionKept_) until = std::min(until.value_or(SteadyTime::max()), lastSend_ + settings_.lookEvery);
            if (until && *until <= steady_clock::now()) break;
            if (until)
                wake_.wait_until(lock, *until);
            else
                wake_.wait(lock);
        }
        const auto now = steady_clock::now();
        while (!handedOver_.empty() && batch.size() < OutboxDesk::kBatch &&
               (isStopping_ || handedOver_.front().dueAt <= now)) {
            batch.push_back(std::move(handedOver_.front().message));
            handedOver_.pop_front();
        }
        tookClaimed = !claimed_.empty();
        batch.insert(batch.end(), std::make_move_iterator(claimed_.begin()), std::make_move_iterator(claimed_.end()));
        claimed_.clear();
    }
    if (tookClaimed) around_.onTaken();
    return batch;
}

void CourierLane::sendAll(Batch& batch) {
    for (std::size_t i = 0; i < batch.size() && !isOutOfPatience(); ++i) {
        if (around_.clock.now() < restUntil_) {
            postponeAll(std::span(batch).subspan(i), restReason_);
            break;
        }
        const SendResult result = deliver(batch[i]);
        around_.desk.tryFinishDoneIfDue();
        isProviderDown_ = result.outcome == Outcome::TryLater && result.cause == SendResult::Cause::Provider;
        if (isProviderDown_) {
            postponeAll(std::span(batch).subspan(i + 1), result.reason);  // each would wait for the same failure
            break;
        }
    }
    around_.desk.tryFinishDone();
}

SendResult CourierLane::deliver(OutboxMessage& message) {
    if (around_.desk.isDone(message.id)) return {};
    if (message.isDiscarded) {
        // Written so that a request for an account that is not there costs the same work as any other.
        around_.desk.addDone(message, AuditEvent::OtpSendFailed, "no account to send to");
        return {};
    }
    if (around_.clock.now() >= message.expiresAt) {
        around_.desk.addDone(message, AuditEvent::OtpSendFailed, "expired");
        logFailure(message, "message not sent", "expired");
        return {};
    }
    if (!holdsLease(message)) return {};

    SendResult result = send(message);
    switch (result.outcome) {
    case Outcome::Sent: around_.desk.addDone(message, AuditEvent::OtpSent, ""); break;
    case Outcome::TryLater:
        logFailure(message, "message not sent, will try later", result.reason);
        rest(result);
        postpone(message, result.reason);
        break;
    case Outcome::Refused:
        if (!result.isLogged) logFailure(message, "message refused", result.reason);
        around_.desk.addDone(message, AuditEvent::OtpSendFailed, result.reason);
        break;
    }
    return result;
}

SendResult CourierLane::send(const OutboxMessage& message) {
    const auto start = steady_clock::now();
    SendResult result;
    try {
        result = sender_.send(message, around_.clock.now());
    } catch (const std::exception& error) {
        // Neither composer nor transport is known to throw; one message must not keep the others from being sent.
        result = {Outcome::TryLater, std::string("internal error: ") + error.what()};
    }
    lastSend_ = steady_clock::now();
    isConnectionKept_ = true;
    if (result.outcome == Outcome::Sent) {
        const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(lastSend_ - start);
        around_.log.debug("message sent", {{"outbox_id", message.id.toString()},
                                           {"channel", toString(message.destination.channel())},
                                           {"ms", static_cast<std::int64_t>(took.count())}});
    }
    return result;
}

// Whether nobody else will take the message while it is being sent.
bool CourierLane::holdsLease(OutboxMessage& message) {
    if (message.availableAt - around_.clock.now() >= sender_.longestSend() + kSafetyMargin) return true;
    return around_.desk.renewLease(message, around_.clock.now() + leaseFor(sender_.longestSend()));
}

void CourierLane::rest(const SendResult& result) {
    if (!result.retryAfter) return;
    restUntil_ = around_.clock.now() + std::min(*result.retryAfter, kLongestRest);
    restReason_ = result.reason;
}

void CourierLane::postpone(const OutboxMessage& message, const std::string& reason) {
    std::array<std::uint8_t, 2> noise{};
    around_.random.fill(noise);
    const auto pause = backOff(message.attempts, static_cast<std::uint16_t>(noise[0] << 8U | noise[1]));
    const Timestamp until = std::max<Timestamp>(around_.clock.now() + pause, restUntil_);
    if (until >= message.expiresAt)
        around_.desk.addDone(message, AuditEvent::OtpSendFailed, reason);
    else
        around_.desk.postpone(message, until, reason);
}

void CourierLane::postponeAll(std::span<const OutboxMessage> messages, const std::string& reason) {
    if (messages.empty()) return;
    for (const auto& message : messages) {
        if (!around_.desk.isDone(message.id)) postpone(message, reason);
    }
    around_.log.warning("messages postponed",
                        {{"count", static_cast<std::int64_t>(messages.size())}, {"reason", reason}});
}

void CourierLane::logFailure(const OutboxMessage& message, std::string_view what, std::string_view reason) {
    around_.log.warning(what, {{"outbox_id", message.id.toString()},
                               {"channel", toString(message.destination.channel())},
                               {"attempts", static_cast<std::int64_t>(message.attempts)},
                               {"reason", reason}});
}

}  // namespace otpgate::delivery
