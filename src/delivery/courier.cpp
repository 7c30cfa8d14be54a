#include "otpgate/delivery/courier.h"

#include "delivery/back_off.h"
#include "otpgate/base/errors.h"
#include "otpgate/delivery/message_composer.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

namespace otpgate::delivery {

using domain::AuditEvent;
using domain::FinishedMessage;
using domain::OutboxMessage;
using std::chrono::steady_clock;
using Outcome = SendResult::Outcome;

namespace {

constexpr unsigned kBatch = 100;
// What was sent and not finished is sent again after a crash, so it must not pile up; a transaction for each of many
// quick sendings would be slower than they are. So: after each sending that is slower than this, and in groups of
// quicker ones.
constexpr std::chrono::milliseconds kFinishWithin{100};
constexpr std::chrono::seconds kShortestLease{60};
constexpr std::chrono::seconds kSafetyMargin{1};

}  // namespace

Courier::Courier(CourierSettings settings, domain::OutboxStore& outbox, const MessageComposer& composer,
                 MailTransport& transport, const Clock& clock, Random& random, Logger& log)
    : settings_(settings),
      outbox_(outbox),
      composer_(composer),
      transport_(transport),
      clock_(clock),
      random_(random),
      log_(log) {}

Courier::~Courier() {
    stop(std::chrono::milliseconds(0));
}

void Courier::start() {
    thread_ = std::thread([this] { run(); });
}

void Courier::stop(std::chrono::milliseconds patience) {
    {
        const std::lock_guard lock(mutex_);
        if (!isStopping_) giveUpAt_ = steady_clock::now() + patience;
        isStopping_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
}

void Courier::handOver(const OutboxMessage& message) {
    {
        const std::lock_guard lock(mutex_);
        if (isStopping_ || queue_.size() >= settings_.queueLength) return;
        queue_.push_back(message);
    }
    wake_.notify_one();
}

void Courier::run() {
    while (!isOver()) {
        try {
            round();
        } catch (const ServiceUnavailable& error) {
            noteOutage(error);
        } catch (const std::exception& error) {
            log_.error("courier failed and goes on", {{"reason", error.what()}});
        } catch (...) {
            log_.error("courier failed and goes on", {{"reason", "unknown"}});
        }
    }
    try {
        finishDone();
        transport_.idle();
    } catch (const std::exception& error) {
        log_.error("courier stopped with messages that were sent but not finished",
                   {{"count", static_cast<std::int64_t>(done_.size())}, {"reason", error.what()}});
    }
}

void Courier::round() {
    Batch handedOver = takeHandedOver();
    sendAll(handedOver);
    const auto now = steady_clock::now();
    if (now < nextLook_) return;
    nextLook_ = now + settings_.lookEvery;  // before what may throw, so that an outage makes no busy loop

    finishDone();
    Batch claimed = outbox_.claimAvailable(clock_.now(), leaseEnd(), kBatch);
    noteAnswer();
    const Provider provider = sendAll(claimed);
    if (claimed.size() == kBatch && provider == Provider::Answers) nextLook_ = now;  // more will be waiting
    if (steady_clock::now() - lastSend_ >= settings_.lookEvery) transport_.idle();
}

// Waits for messages or for the next look into the outbox.
Courier::Batch Courier::takeHandedOver() {
    std::unique_lock lock(mutex_);
    wake_.wait_until(lock, nextLook_, [this] { return isStopping_ || !queue_.empty(); });
    const auto count = static_cast<std::ptrdiff_t>(std::min<std::size_t>(queue_.size(), kBatch));
    Batch batch(std::make_move_iterator(queue_.begin()), std::make_move_iterator(queue_.begin() + count));
    queue_.erase(queue_.begin(), queue_.begin() + count);
    if (isStopping_) nextLook_ = SteadyTime::max();  // what is in memory goes out; nothing more is claimed
    return batch;
}

bool Courier::isOver() {
    const std::lock_guard lock(mutex_);
    return isStopping_ && (queue_.empty() || steady_clock::now() >= giveUpAt_);
}

bool Courier::isOutOfPatience() {
    const std::lock_guard lock(mutex_);
    return isStopping_ && steady_clock::now() >= giveUpAt_;
}

Courier::Provider Courier::sendAll(Batch& batch) {
    Provider provider = Provider::Answers;
    for (std::size_t i = 0; i < batch.size() && provider == Provider::Answers && !isOutOfPatience(); ++i) {
        const SendResult result = deliver(batch[i]);
        if (isFinishDue()) tryFinishDone();
        if (result.outcome == Outcome::TryLater && result.cause == SendResult::Cause::Provider) {
            provider = Provider::Down;
            postponeAll(std::span(batch).subspan(i + 1), result.reason);  // each would wait for the same failure
        }
    }
    tryFinishDone();
    return provider;
}

SendResult Courier::deliver(OutboxMessage& message) {
    if (isDone(message.id)) return {};
    if (clock_.now() >= message.expiresAt) {
        addDone(message, AuditEvent::OtpSendFailed, "expired");
        logFailure(message, "message not sent", "expired");
        return {};
    }
    if (!holdsLease(message)) return {};

    SendResult result = send(message);
    switch (result.outcome) {
    case Outcome::Sent: addDone(message, AuditEvent::OtpSent, ""); break;
    case Outcome::TryLater:
        logFailure(message, "message not sent, will try later", result.reason);
        postpone(message, result.reason);
        break;
    case Outcome::Refused:
        logFailure(message, "message refused", result.reason);
        addDone(message, AuditEvent::OtpSendFailed, result.reason);
        break;
    }
    return result;
}

SendResult Courier::send(const OutboxMessage& message) {
    switch (message.destination.channel()) {
    case domain::Channel::Sms: return {Outcome::Refused, "no SMS provider"};
    case domain::Channel::Email: break;
    }
    const auto start = steady_clock::now();
    SendResult result;
    try {
        result = transport_.send(composer_.compose(message, clock_.now()));
    } catch (const std::exception& error) {
        // Neither is known to throw; one message must not keep the others from being sent.
        result = {Outcome::TryLater, std::string("internal error: ") + error.what()};
    }
    lastSend_ = steady_clock::now();
    if (result.outcome == Outcome::Sent) {
        const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(lastSend_ - start);
        log_.debug("message sent", {{"outbox_id", message.id.toString()},
                                    {"channel", toString(message.destination.channel())},
                                    {"ms", static_cast<std::int64_t>(took.count())}});
    }
    return result;
}

// Whether nobody else will take the message while it is being sent.
bool Courier::holdsLease(OutboxMessage& message) {
    if (message.availableAt - clock_.now() >= transport_.longestSend() + kSafetyMargin) return true;
    if (isDatabaseDown_) return false;  // it is safe in the outbox, and asking would cost a timeout for each
    try {
        if (outbox_.renewLease(message, leaseEnd())) return true;
        log_.debug("message left to another process", {{"outbox_id", message.id.toString()}});
    } catch (const ServiceUnavailable& error) {
        noteOutage(error);
    }
    return false;
}

Timestamp Courier::leaseEnd() const {
    return clock_.now() + std::max(kShortestLease, 2 * transport_.longestSend());
}

void Courier::postpone(const OutboxMessage& message, const std::string& reason) {
    std::array<std::uint8_t, 2> noise{};
    random_.fill(noise);
    const auto rest = backOff(message.attempts, static_cast<std::uint16_t>(noise[0] << 8U | noise[1]));
    const Timestamp until = clock_.now() + rest;
    if (until >= message.expiresAt) {
        addDone(message, AuditEvent::OtpSendFailed, reason);
        return;
    }
    if (isDatabaseDown_) return;  // rests until its lease is over
    try {
        outbox_.postpone(message, until, reason);
    } catch (const ServiceUnavailable& error) {
        noteOutage(error);
    }
}

void Courier::postponeAll(std::span<const OutboxMessage> messages, const std::string& reason) {
    if (messages.empty()) return;
    for (const auto& message : messages) {
        if (!isDone(message.id)) postpone(message, reason);
    }
    log_.warning("messages postponed", {{"count", static_cast<std::int64_t>(messages.size())}, {"reason", reason}});
}

void Courier::addDone(const OutboxMessage& message, AuditEvent event, std::string reason) {
    if (done_.empty()) doneSince_ = steady_clock::now();
    done_.push_back({message, event, std::move(reason), Uuid::makeV7(clock_.now(), random_)});
}

bool Courier::isDone(const Uuid& id) const {
    return std::any_of(done_.begin(), done_.end(), [&](const FinishedMessage& done) { return done.message.id == id; });
}

bool Courier::isFinishDue() const {
    return done_.size() >= kBatch || (!done_.empty() && steady_clock::now() - doneSince_ >= kFinishWithin);
}

void Courier::tryFinishDone() {
    if (isDatabaseDown_) return;  // the next look tries again
    try {
        finishDone();
    } catch (const ServiceUnavailable& error) {
        noteOutage(error);
    }
}

void Courier::finishDone() {
    std::size_t left = done_.size();  // what is kept below is not tried twice
    while (left > 0) {
        const std::size_t count = std::min<std::size_t>(left, kBatch);
        try {
            outbox_.finish(std::span(done_).first(count), clock_.now());
            done_.erase(done_.begin(), done_.begin() + static_cast<std::ptrdiff_t>(count));
            noteAnswer();
        } catch (const ServiceUnavailable&) {
            throw;
        } catch (const std::exception&) {
            finishOneByOne(count);  // one row that the database will not take must not hold up the others
        }
        left -= count;
    }
}

// The first `count`; what fails goes to the end, where isDone() still keeps it from being sent again until it expires.
void Courier::finishOneByOne(std::size_t count) {
    for (; count > 0; --count) {
        try {
            outbox_.finish(std::span(done_).first(1), clock_.now());
        } catch (const ServiceUnavailable&) {
            throw;
        } catch (const std::exception& error) {
            log_.error("message cannot be finished",
                       {{"outbox_id", done_.front().message.id.toString()}, {"reason", error.what()}});
            if (clock_.now() < done_.front().message.expiresAt) done_.push_back(done_.front());
        }
        done_.erase(done_.begin());
    }
}

void Courier::noteOutage(const std::exception& error) {
    if (!isDatabaseDown_) log_.warning("courier waits for the database", {{"reason", error.what()}});
    isDatabaseDown_ = true;
}

void Courier::noteAnswer() {
    if (isDatabaseDown_) log_.info("courier has the database back");
    isDatabaseDown_ = false;
}

void Courier::logFailure(const OutboxMessage& message, std::string_view what, std::string_view reason) {
    log_.warning(what, {{"outbox_id", message.id.toString()},
                        {"channel", toString(message.destination.channel())},
                        {"attempts", static_cast<std::int64_t>(message.attempts)},
                        {"reason", reason}});
}

}  // namespace otpgate::delivery
