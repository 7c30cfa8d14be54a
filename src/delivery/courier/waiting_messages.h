// What waits in memory for the senders of one channel. Not locked: its users do that (held_messages.h).
#pragma once

#include "delivery/courier/first_try.h"
#include "otpgate/domain/models.h"

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace otpgate::delivery {

struct QueuedMessage {
    domain::OutboxMessage message;
    std::shared_ptr<FirstTry> firstTry = nullptr;  // where somebody waits for what comes of it
    std::chrono::steady_clock::time_point dueAt{};
    Timestamp lookedAt{};  // when its code was last known to be good; 0: a newer one has been asked for since
};

class WaitingMessages {
public:
    using SteadyTime = std::chrono::steady_clock::time_point;

    void addUrgent(QueuedMessage queued) { urgent_.push_back(std::move(queued)); }
    void addHandedOver(QueuedMessage queued) { handedOver_.push_back(std::move(queued)); }
    void addClaimed(std::span<const domain::OutboxMessage> messages, Timestamp lookedAt);

    bool isEmpty() const { return urgent_.empty() && handedOver_.empty() && claimed_.empty(); }
    std::size_t countHandedOver() const { return urgent_.size() + handedOver_.size(); }
    std::size_t countClaimed() const { return claimed_.size(); }
    // When there is something to take; nullopt: not before something comes.
    std::optional<SteadyTime> nextDue() const;

    // The urgent ones first, then in turns what was handed over and what was claimed: neither can starve the other.
    std::optional<QueuedMessage> takeDue(SteadyTime now);
    std::vector<QueuedMessage> takeAllDue(SteadyTime now);
    std::vector<QueuedMessage> takeAll() { return takeAllDue(SteadyTime::max()); }
    // Whether the message had not been taken up.
    bool withdraw(const Uuid& id);
    // All that waits, those first that are taken first.
    template <typename Visitor>
    void forEach(Visitor visit) {
        for (auto* queue : {&urgent_, &claimed_, &handedOver_}) {
            for (QueuedMessage& queued : *queue) visit(queued);
        }
    }
    template <typename Condition>
    std::vector<QueuedMessage> takeIf(Condition isMeant) {
        std::vector<QueuedMessage> taken;
        forEach([&](const QueuedMessage& queued) {
            if (isMeant(queued)) taken.push_back(queued);
        });
        if (taken.empty()) return taken;
        for (auto* queue : {&urgent_, &claimed_, &handedOver_}) std::erase_if(*queue, isMeant);
        return taken;
    }

private:
    std::deque<QueuedMessage> urgent_;
    std::deque<QueuedMessage> handedOver_;
    std::deque<QueuedMessage> claimed_;
    bool isClaimedNext_ = false;
};

}  // namespace otpgate::delivery
