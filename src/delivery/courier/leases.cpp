#include "delivery/courier/leases.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <string>

namespace otpgate::delivery {

using domain::Delivery;
using domain::OutboxMessage;

namespace {

// A lease that ends within this is renewed by the looking thread, which may be held up by a slow database meanwhile.
constexpr std::chrono::seconds kRenewBefore{7};
// Nothing is begun with a lease that ends before the looking thread has certainly come by.
constexpr std::chrono::seconds kShortestLease{5};
// A message that has waited for longer may have been overtaken by the next, or by its own code.
constexpr std::chrono::seconds kLookBefore{3};

}  // namespace

void Leases::renewEnding() {
    std::vector<OutboxMessage> ending;
    {
        const std::lock_guard lock(held_.mutex);
        const Timestamp soon = around_.clock.now() + kRenewBefore;
        const auto note = [&](const OutboxMessage& message) {
            if (message.availableAt < soon) ending.push_back(message);
        };
        for (const OutboxMessage& message : held_.inHand) note(message);
        held_.waiting.forEach([&](const QueuedMessage& queued) { note(queued.message); });
    }
    for (std::span<OutboxMessage> left = ending; !left.empty();) {
        const auto batch = left.first(std::min<std::size_t>(left.size(), OutboxDesk::kBatch));
        if (renew(batch).empty()) return;
        left = left.subspan(batch.size());
    }
}

bool Leases::isStillToBeSent(QueuedMessage& queued) {
    if (isFresh(queued)) return true;
    // Those that wait behind it, too: one question for many.
    std::vector<OutboxMessage> asked{queued.message};
    {
        const std::lock_guard lock(held_.mutex);
        held_.waiting.forEach([&](const QueuedMessage& other) {
            if (asked.size() < OutboxDesk::kBatch && !isFresh(other)) asked.push_back(other.message);
        });
    }
    const auto holdings = renew(asked);
    const OutboxDesk::Holding own = holdings.empty() ? OutboxDesk::Holding{} : holdings.front();
    queued.message.availableAt = asked.front().availableAt;
    if (own.isToBeSent()) return true;
    drop(queued, own);  // without a database it is left to whoever takes it from the outbox
    return false;
}

bool Leases::isFresh(const QueuedMessage& queued) const {
    const Timestamp now = around_.clock.now();
    return queued.message.availableAt - now >= kShortestLease && now - queued.lookedAt <= kLookBefore;
}

std::vector<OutboxDesk::Holding> Leases::renew(std::span<OutboxMessage> messages) {
    auto holdings = around_.desk.renew(messages, around_.clock.now() + kLease);
    if (holdings.empty()) return holdings;
    std::map<Uuid, std::size_t> places;
    for (std::size_t i = 0; i < messages.size(); ++i) places.emplace(messages[i].id, i);
    std::vector<QueuedMessage> gone;
    {
        const std::lock_guard lock(held_.mutex);
        const auto note = [&](OutboxMessage& message) {
            const auto place = places.find(message.id);
            if (place == places.end()) return false;
            message.availableAt = messages[place->second].availableAt;
            return true;
        };
        for (OutboxMessage& message : held_.inHand) note(message);
        held_.waiting.forEach([&](QueuedMessage& queued) {
            if (note(queued.message)) queued.lookedAt = around_.clock.now();
        });
        gone = held_.waiting.takeIf([&](const QueuedMessage& queued) {
            const auto place = places.find(queued.message.id);
            return place != places.end() && !holdings[place->second].isToBeSent();
        });
    }
    for (const QueuedMessage& queued : gone) drop(queued, holdings[places.at(queued.message.id)]);
    return holdings;
}

void Leases::drop(const QueuedMessage& queued, const OutboxDesk::Holding& holding) {
    if (holding.isOurs && !around_.desk.isDone(queued.message.id)) {
        const std::string reason(toString(holding.code));
        around_.log.info("message not sent", {{"outbox_id", queued.message.id.toString()}, {"reason", reason}});
        around_.desk.addDone(queued.message, domain::MessageEnd::Discarded, reason);
    }
    if (queued.firstTry) queued.firstTry->tell(holding.isOurs ? Delivery::Failed : Delivery::UnderWay);
}

}  // namespace otpgate::delivery
