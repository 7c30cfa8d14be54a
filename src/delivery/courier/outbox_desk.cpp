#include "delivery/courier/outbox_desk.h"

#include "otpgate/base/errors.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace otpgate::delivery {

using domain::FinishedMessage;
using domain::OutboxMessage;
using std::chrono::steady_clock;

namespace {

// What was sent and not finished is sent again after a crash, so a message that comes alone is finished at once; under
// load a transaction each so often, because one for each message would cost more than its sending.
constexpr std::chrono::milliseconds kBetweenGroups{20};
constexpr std::size_t kLargestGroup = 128;

void countIn(domain::OtpMetrics& metrics, const OutboxMessage& message, domain::MessageEnd end) {
    if (!domain::carriesSecret(message.kind)) return;
    switch (end) {
    case domain::MessageEnd::Sent: metrics.count(domain::OtpEvent::Sent, message.destination, message.purpose); break;
    case domain::MessageEnd::GivenUp:
        metrics.count(domain::OtpEvent::SendFailed, message.destination, message.purpose);
        break;
    case domain::MessageEnd::Discarded: break;
    }
}

// Of several that waited together and bring the same code (otp.on_resend = repeat), one is enough.
std::map<Uuid, Uuid> lastOfEachCode(std::span<const OutboxMessage> messages) {
    std::map<Uuid, Uuid> last;
    for (const OutboxMessage& message : messages) {
        if (!domain::carriesSecret(message.kind) || message.isDiscarded) continue;
        const auto [known, isFirst] = last.try_emplace(message.otpId, message.id);
        if (!isFirst && known->second < message.id) known->second = message.id;
    }
    return last;
}

}  // namespace

OutboxDesk::OutboxDesk(domain::OutboxStore& outbox, const Clock& clock, Random& random, Logger& log,
                       domain::OtpMetrics& metrics)
    : outbox_(outbox),
      clock_(clock),
      random_(random),
      log_(log),
      metrics_(metrics) {}

OutboxDesk::Claim OutboxDesk::claim(domain::Channel channel, Timestamp leaseUntil) {
    const std::lock_guard turn(database_);
    try {
        putBack(std::exchange(indigestible_, {}));
        finishAll();
        const auto claimed = outbox_.claimAvailable(channel, clock_.now(), leaseUntil, kBatch);
        const auto codes = outbox_.codeStates(claimed, clock_.now());
        noteAnswer();
        Claim claim{{}, claimed.size() == kBatch};
        std::erase_if(leases_, [now = clock_.now()](const auto& lease) { return lease.second < now; });
        const auto last = lastOfEachCode(claimed);
        for (std::size_t i = 0; i < claimed.size(); ++i) {
            leases_.erase(claimed[i].id);
            const bool isLast = !last.contains(claimed[i].otpId) || last.at(claimed[i].otpId) == claimed[i].id;
            if (codes[i] == domain::CodeState::Good && isLast)
                claim.messages.push_back(claimed[i]);
            else if (!isDone(claimed[i].id))
                addDone(claimed[i], domain::MessageEnd::Discarded,
                        isLast ? std::string(toString(codes[i])) : "a later message brings the same code");
        }
        return claim;
    } catch (const ServiceUnavailable& error) {
        noteOutage(error);
        throw;
    }
}

std::vector<OutboxDesk::Holding> OutboxDesk::renew(std::span<OutboxMessage> messages, Timestamp leaseUntil) {
    if (isDatabaseDown_) return {};  // they are safe in the outbox, and asking would cost a timeout for each
    const std::lock_guard turn(database_);
    std::vector<Holding> holdings(messages.size());
    try {
        for (OutboxMessage& message : messages) message.availableAt = leaseOf(message);
        const auto isRenewed = outbox_.renewLeases(messages, leaseUntil);
        for (std::size_t i = 0; i < messages.size(); ++i) {
            holdings[i].isOurs = isRenewed[i];
            if (isRenewed[i])
                leases_[messages[i].id] = leaseUntil;
            else if (!isDone(messages[i].id))
                log_.debug("message left to another process", {{"outbox_id", messages[i].id.toString()}});
        }
        const auto codes = outbox_.codeStates(messages, clock_.now());
        for (std::size_t i = 0; i < messages.size(); ++i) holdings[i].code = codes[i];
        return holdings;
    } catch (const ServiceUnavailable& error) {
        noteOutage(error);
        return {};
    }
}

void OutboxDesk::postpone(std::span<const domain::PostponedMessage> messages) {
    while (!messages.empty()) {
        if (isDatabaseDown_) return;
        const auto batch = messages.first(std::min<std::size_t>(messages.size(), kBatch));
        const std::lock_guard turn(database_);
        try {
            std::vector<domain::PostponedMessage> postponed(batch.begin(), batch.end());
            for (auto& one : postponed) one.message.availableAt = leaseOf(one.message);
            outbox_.postpone(postponed);
            for (const auto& one : postponed) leases_.erase(one.message.id);
        } catch (const ServiceUnavailable& error) {
            noteOutage(error);
        }
        messages = messages.subspan(batch.size());
    }
}

// With the database's turn held. A lease only ever grows longer.
Timestamp OutboxDesk::leaseOf(const OutboxMessage& message) const {
    const auto renewed = leases_.find(message.id);
    return renewed == leases_.end() ? message.availableAt : std::max(renewed->second, message.availableAt);
}

void OutboxDesk::addDone(const OutboxMessage& message, domain::MessageEnd end, std::string reason) {
    countIn(metrics_, message, end);
    const Uuid auditId = Uuid::makeV7(clock_.now(), random_);
    const std::lock_guard lock(state_);
    done_.push_back({message, end, std::move(reason), auditId});
    doneIds_.insert(message.id);
    if (done_.size() == 1 || done_.size() == kLargestGroup) wakeFinisher_.notify_one();
}

bool OutboxDesk::isDone(const Uuid& id) const {
    const std::lock_guard lock(state_);
    return doneIds_.contains(id);
}

std::size_t OutboxDesk::countDone() const {
    const std::lock_guard lock(state_);
    return doneIds_.size();
}

void OutboxDesk::finishDone() {
    const std::lock_guard turn(database_);
    putBack(std::exchange(indigestible_, {}));
    finishAll();
}

void OutboxDesk::tryFinishDone() {
    if (isDatabaseDown_) return;  // the next look tries again
    const std::lock_guard turn(database_);
    try {
        finishAll();
    } catch (const ServiceUnavailable& error) {
        noteOutage(error);
    }
}

void OutboxDesk::finishNextGroup() {
    {
        std::unique_lock lock(state_);
        wakeFinisher_.wait(lock, [this] { return isFinishingOver_ || (!done_.empty() && !isDatabaseDown_); });
        if (isFinishingOver_) return;
        wakeFinisher_.wait_until(lock, lastFinish_ + kBetweenGroups,
                                 [this] { return isFinishingOver_ || done_.size() >= kLargestGroup; });
    }
    tryFinishDone();
}

void OutboxDesk::stopFinishing() {
    {
        const std::lock_guard lock(state_);
        isFinishingOver_ = true;
    }
    wakeFinisher_.notify_one();
}

bool OutboxDesk::isFinishingOver() const {
    const std::lock_guard lock(state_);
    return isFinishingOver_;
}

void OutboxDesk::finishAll() {
    while (true) {
        FinishedMessages group = takeDone();
        if (group.empty()) return;
        for (FinishedMessage& finished : group) finished.message.availableAt = leaseOf(finished.message);
        try {
            outbox_.finish(group, clock_.now());
            forget(group);
            noteAnswer();
        } catch (const ServiceUnavailable&) {
            putBack(std::move(group));
            throw;
        } catch (const std::exception&) {
            finishOneByOne(group);  // one row that the database will not take must not hold up the others
        }
    }
}

// What fails is kept, where isDone() still keeps it from being sent again until it expires.
void OutboxDesk::finishOneByOne(const FinishedMessages& messages) {
    for (std::size_t i = 0; i < messages.size(); ++i) {
        const FinishedMessage& finished = messages[i];
        try {
            outbox_.finish({&finished, 1}, clock_.now());
        } catch (const ServiceUnavailable&) {
            putBack({messages.begin() + static_cast<std::ptrdiff_t>(i), messages.end()});
            throw;
        } catch (const std::exception& error) {
            log_.error("message cannot be finished",
                       {{"outbox_id", finished.message.id.toString()}, {"reason", error.what()}});
            if (clock_.now() < finished.message.expiresAt) {
                indigestible_.push_back(finished);
                continue;
            }
        }
        forget({finished});
    }
}

OutboxDesk::FinishedMessages OutboxDesk::takeDone() {
    const std::lock_guard lock(state_);
    lastFinish_ = steady_clock::now();
    if (done_.size() <= kLargestGroup) return std::exchange(done_, {});
    const auto end = done_.begin() + static_cast<std::ptrdiff_t>(kLargestGroup);
    FinishedMessages group{std::make_move_iterator(done_.begin()), std::make_move_iterator(end)};
    done_.erase(done_.begin(), end);
    return group;
}

void OutboxDesk::putBack(FinishedMessages messages) {
    const std::lock_guard lock(state_);
    done_.insert(done_.end(), std::make_move_iterator(messages.begin()), std::make_move_iterator(messages.end()));
}

void OutboxDesk::forget(const FinishedMessages& messages) {
    const std::lock_guard lock(state_);
    for (const auto& finished : messages) {
        doneIds_.erase(finished.message.id);
        leases_.erase(finished.message.id);
    }
}

void OutboxDesk::noteOutage(const std::exception& error) {
    if (!isDatabaseDown_.exchange(true)) log_.warning("courier waits for the database", {{"reason", error.what()}});
}

void OutboxDesk::noteAnswer() {
    if (!isDatabaseDown_.exchange(false)) return;
    log_.info("courier has the database back");
    { const std::lock_guard lock(state_); }
    wakeFinisher_.notify_one();
}

}  // namespace otpgate::delivery
