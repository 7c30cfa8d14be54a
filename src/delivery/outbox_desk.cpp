#include "delivery/outbox_desk.h"

#include "otpgate/base/errors.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

namespace otpgate::delivery {

using domain::FinishedMessage;
using domain::OutboxMessage;
using std::chrono::steady_clock;

namespace {

// What was sent and not finished is sent again after a crash, so it must not pile up; a transaction for each of many
// quick sendings would be slower than they are. So: after each sending that is slower than this, and in groups of
// quicker ones.
constexpr std::chrono::milliseconds kFinishWithin{100};

}  // namespace

OutboxDesk::OutboxDesk(domain::OutboxStore& outbox, const Clock& clock, Random& random, Logger& log)
    : outbox_(outbox),
      clock_(clock),
      random_(random),
      log_(log) {}

std::vector<OutboxMessage> OutboxDesk::claim(Timestamp leaseUntil) {
    const std::lock_guard turn(database_);
    try {
        finishAll();
        auto claimed = outbox_.claimAvailable(clock_.now(), leaseUntil, kBatch);
        noteAnswer();
        return claimed;
    } catch (const ServiceUnavailable& error) {
        noteOutage(error);
        throw;
    }
}

bool OutboxDesk::renewLease(OutboxMessage& message, Timestamp leaseUntil) {
    if (isDatabaseDown_) return false;  // it is safe in the outbox, and asking would cost a timeout for each
    const std::lock_guard turn(database_);
    try {
        if (outbox_.renewLease(message, leaseUntil)) return true;
        log_.debug("message left to another process", {{"outbox_id", message.id.toString()}});
    } catch (const ServiceUnavailable& error) {
        noteOutage(error);
    }
    return false;
}

void OutboxDesk::postpone(const OutboxMessage& message, Timestamp until, std::string_view reason) {
    if (isDatabaseDown_) return;
    const std::lock_guard turn(database_);
    try {
        outbox_.postpone(message, until, reason);
    } catch (const ServiceUnavailable& error) {
        noteOutage(error);
    }
}

void OutboxDesk::addDone(const OutboxMessage& message, domain::AuditEvent event, std::string reason) {
    const Uuid auditId = Uuid::makeV7(clock_.now(), random_);
    const std::lock_guard lock(state_);
    if (done_.empty()) doneSince_ = steady_clock::now();
    done_.push_back({message, event, std::move(reason), auditId});
}

bool OutboxDesk::isDone(const Uuid& id) const {
    const std::lock_guard lock(state_);
    return std::any_of(done_.begin(), done_.end(), [&](const FinishedMessage& done) { return done.message.id == id; });
}

std::size_t OutboxDesk::countDone() const {
    const std::lock_guard lock(state_);
    return done_.size();
}

void OutboxDesk::finishDone() {
    const std::lock_guard turn(database_);
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

void OutboxDesk::tryFinishDoneIfDue() {
    {
        const std::lock_guard lock(state_);
        if (done_.empty()) return;
        if (done_.size() < kBatch && steady_clock::now() - doneSince_ < kFinishWithin) return;
    }
    tryFinishDone();
}

void OutboxDesk::finishAll() {
    std::size_t left = countDone();  // what is kept below is not tried twice
    while (left > 0) {
        const FinishedMessages batch = firstDone(std::min<std::size_t>(left, kBatch));
        try {
            outbox_.finish(batch, clock_.now());
            dropFirstDone(batch.size());
            noteAnswer();
        } catch (const ServiceUnavailable&) {
            throw;
        } catch (const std::exception&) {
            finishOneByOne(batch);  // one row that the database will not take must not hold up the others
        }
        left -= batch.size();
    }
}

// What fails goes to the end, where isDone() still keeps it from being sent again until it expires.
void OutboxDesk::finishOneByOne(const FinishedMessages& messages) {
    for (const auto& message : messages) {
        bool isKept = false;
        try {
            outbox_.finish(std::span(&message, 1), clock_.now());
        } catch (const ServiceUnavailable&) {
            throw;
        } catch (const std::exception& error) {
            log_.error("message cannot be finished",
                       {{"outbox_id", message.message.id.toString()}, {"reason", error.what()}});
            isKept = clock_.now() < message.message.expiresAt;
        }
        const std::lock_guard lock(state_);
        if (isKept) done_.push_back(message);
        done_.erase(done_.begin());
    }
}

OutboxDesk::FinishedMessages OutboxDesk::firstDone(std::size_t count) const {
    const std::lock_guard lock(state_);
    return {done_.begin(), done_.begin() + static_cast<std::ptrdiff_t>(count)};
}

void OutboxDesk::dropFirstDone(std::size_t count) {
    const std::lock_guard lock(state_);
    done_.erase(done_.begin(), done_.begin() + static_cast<std::ptrdiff_t>(count));
    doneSince_ = steady_clock::now();  // of those that were added meanwhile
}

void OutboxDesk::noteOutage(const std::exception& error) {
    if (!isDatabaseDown_.exchange(true)) log_.warning("courier waits for the database", {{"reason", error.what()}});
}

void OutboxDesk::noteAnswer() {
    if (isDatabaseDown_.exchange(false)) log_.info("courier has the database back");
}

}  // namespace otpgate::delivery
