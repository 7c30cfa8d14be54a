#include "delivery/courier/sending.h"

#include "delivery/courier/back_off.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <utility>

namespace otpgate::delivery {

using domain::Delivery;
using domain::MessageEnd;
using domain::OutboxMessage;
using std::chrono::steady_clock;
using Outcome = SendResult::Outcome;

bool Sending::work(ChannelSender& sender, QueuedMessage queued) {
    if (isAtRest(queued) || !isToBeSent(queued)) return false;
    const SendResult result = send(sender, queued.message);
    auto others = noteResult(result);
    ++queued.message.attempts;
    judge(queued, result);
    postpone(std::move(others), result.reason);
    return true;
}

bool Sending::isAtRest(QueuedMessage& queued) {
    std::unique_lock lock(held_.mutex);
    const auto reason = held_.breaker.restReason(around_.clock.now());
    if (!reason) return false;
    auto messages = held_.waiting.takeAllDue(steady_clock::now());
    lock.unlock();
    messages.insert(messages.begin(), std::move(queued));
    postpone(std::move(messages), *reason);
    return true;
}

bool Sending::isToBeSent(QueuedMessage& queued) {
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
    return leases_.isStillToBeSent(queued);
}

SendResult Sending::send(ChannelSender& sender, const OutboxMessage& message) {
    const auto start = steady_clock::now();
    SendResult result;
    try {
        result = sender.send(message, around_.clock.now());
    } catch (const std::exception& error) {
        // Neither composer nor transport is known to throw; one message must not keep the others from being sent.
        result = {Outcome::TryLater, std::string("internal error: ") + error.what()};
    }
    if (result.outcome == Outcome::Sent) {
        const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - start);
        around_.log.debug("message sent", {{"outbox_id", message.id.toString()},
                                           {"channel", toString(channel_)},
                                           {"ms", static_cast<std::int64_t>(took.count())}});
    }
    return result;
}

std::vector<QueuedMessage> Sending::noteResult(const SendResult& result) {
    const std::lock_guard lock(held_.mutex);
    const Timestamp now = around_.clock.now();
    held_.breaker.note(result, now);
    if (result.outcome != Outcome::TryLater || !held_.breaker.isOpen(now)) return {};
    return held_.waiting.takeAllDue(steady_clock::now());
}

void Sending::judge(QueuedMessage& queued, const SendResult& result) {
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

void Sending::postpone(std::vector<QueuedMessage> messages, const std::string& reason) {
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

Timestamp Sending::restsUntil(const OutboxMessage& message) {
    std::array<std::uint8_t, 2> noise{};
    around_.random.fill(noise);
    const unsigned failuresBefore = std::max(message.attempts, 1U) - 1;
    const auto pause = backOff(failuresBefore, static_cast<std::uint16_t>(noise[0] << 8U | noise[1]));
    const std::lock_guard lock(held_.mutex);
    return std::max<Timestamp>(around_.clock.now() + pause, held_.breaker.restUntil());
}

void Sending::giveUp(const QueuedMessage& queued, const std::string& reason) {
    around_.desk.addDone(queued.message, MessageEnd::GivenUp, reason);
    if (!queued.firstTry) return;
    around_.desk.tryFinishDone();  // before anybody is told: a crash must not send it after all
    queued.firstTry->tell(Delivery::Failed);
}

void Sending::logFailure(const OutboxMessage& message, std::string_view what, std::string_view reason) {
    around_.log.warning(what, {{"outbox_id", message.id.toString()},
                               {"channel", toString(channel_)},
                               {"attempts", static_cast<std::int64_t>(message.attempts)},
                               {"reason", reason}});
}

}  // namespace otpgate::delivery
