#include "delivery/courier/waiting_messages.h"

#include <algorithm>
#include <utility>

namespace otpgate::delivery {

void WaitingMessages::addClaimed(std::span<const domain::OutboxMessage> messages, Timestamp lookedAt) {
    for (const auto& message : messages) claimed_.push_back({message, nullptr, {}, lookedAt});
}

std::optional<WaitingMessages::SteadyTime> WaitingMessages::nextDue() const {
    if (!urgent_.empty() || !claimed_.empty()) return SteadyTime{};
    if (handedOver_.empty()) return std::nullopt;
    return handedOver_.front().dueAt;
}

std::optional<QueuedMessage> WaitingMessages::takeDue(SteadyTime now) {
    const bool isHandedOverDue = !handedOver_.empty() && handedOver_.front().dueAt <= now;
    std::deque<QueuedMessage>* from = nullptr;
    if (!urgent_.empty())
        from = &urgent_;
    else if (!claimed_.empty() && (isClaimedNext_ || !isHandedOverDue))
        from = &claimed_;
    else if (isHandedOverDue)
        from = &handedOver_;
    if (from == nullptr) return std::nullopt;
    isClaimedNext_ = from != &claimed_;
    QueuedMessage taken = std::move(from->front());
    from->pop_front();
    return taken;
}

std::vector<QueuedMessage> WaitingMessages::takeAllDue(SteadyTime now) {
    std::vector<QueuedMessage> all;
    while (auto queued = takeDue(now)) all.push_back(std::move(*queued));
    return all;
}

bool WaitingMessages::withdraw(const Uuid& id) {
    return std::erase_if(urgent_, [&](const QueuedMessage& queued) { return queued.message.id == id; }) > 0;
}

}  // namespace otpgate::delivery
