#include "otpgate/delivery/courier.h"

#include "delivery/courier/courier_queue.h"
#include "delivery/courier/outbox_desk.h"
#include "otpgate/base/errors.h"

#include <algorithm>
#include <cstdint>

namespace otpgate::delivery {

using domain::Channel;
using domain::OutboxMessage;
using std::chrono::steady_clock;

Courier::Courier(CourierSettings settings, domain::OutboxStore& outbox, const MessageComposer& composer,
                 const Transports& transports, const Clock& clock, Random& random, Logger& log,
                 domain::OtpMetrics& metrics)
    : settings_(settings),
      clock_(clock),
      log_(log),
      desk_(std::make_unique<OutboxDesk>(outbox, clock, random, log, metrics)) {
    const CourierSurroundings surroundings{*desk_, clock, random, log};
    const auto onRoom = [this] {
        { const std::lock_guard lock(mutex_); }
        wake_.notify_one();
    };
    mail_ = std::make_unique<CourierQueue>(
        Channel::Email, settings_, makeMailSenders(settings_.mailSenders, composer, transports), surroundings, onRoom);
    sms_ = std::make_unique<CourierQueue>(
        Channel::Sms, settings_, makeSmsSenders(settings_.smsSenders, composer, transports), surroundings, onRoom);
}

Courier::~Courier() {
    stop(std::chrono::milliseconds(0));
}

void Courier::start() {
    finisher_ = startThread([this] { return desk_->isFinishingOver(); }, [this] { desk_->finishNextGroup(); });
    looker_ = startThread([this] { return isOver(); }, [this] { look(); });
    for (CourierQueue* queue : queues()) {
        for (std::size_t sender = 0; sender < queue->countSenders(); ++sender) {
            threads_.push_back(
                startThread([queue] { return queue->isOver(); }, [queue, sender] { queue->round(sender); }));
        }
    }
}

void Courier::stop(std::chrono::milliseconds patience) {
    {
        const std::lock_guard lock(mutex_);
        isStopping_ = true;
    }
    wake_.notify_one();
    const auto giveUpAt = steady_clock::now() + patience;
    for (CourierQueue* queue : queues()) queue->stop(giveUpAt);
    for (auto& thread : threads_) thread.join();
    threads_.clear();
    if (!finisher_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        isOver_ = true;
    }
    wake_.notify_one();
    looker_.join();
    desk_->stopFinishing();
    finisher_.join();
    finish();
}

domain::Messenger::Place Courier::takePlace() {
    if (settings_.mode != DeliveryMode::Sync) return {};
    Place place(&waiting_);
    if (++waiting_ > settings_.maxWaiting) throw ServiceUnavailable("too many requests wait for their message");
    return place;
}

std::chrono::seconds Courier::lease() const {
    return kHandOverLease;
}

void Courier::handOver(const OutboxMessage& message) {
    queueOf(message).handOver(message);
}

domain::Delivery Courier::deliver(const OutboxMessage& message) {
    if (settings_.mode == DeliveryMode::Sync) return queueOf(message).deliver(message);
    handOver(message);
    return domain::Delivery::UnderWay;
}

CourierQueue& Courier::queueOf(const OutboxMessage& message) {
    switch (message.destination.channel()) {
    case Channel::Email: return *mail_;
    case Channel::Sms: return *sms_;
    }
    return *mail_;
}

std::thread Courier::startThread(std::function<bool()> isOver, std::function<void()> round) {
    return std::thread([this, isOver = std::move(isOver), round = std::move(round)] {
        while (!isOver()) {
            try {
                round();
            } catch (const ServiceUnavailable&) {
                // Whoever asked the database has said so; its messages come back when their leases are over.
            } catch (const std::exception& error) {
                log_.error("courier failed and goes on", {{"reason", error.what()}});
            } catch (...) {
                log_.error("courier failed and goes on", {{"reason", "unknown"}});
            }
        }
    });
}

// Waits until it is time to look into the outbox again, renews leases that end soon, and gives the queues what was
// found.
void Courier::look() {
    bool isForAll = false;
    bool isStopping = false;
    {
        std::unique_lock lock(mutex_);
        isForAll = !wake_.wait_until(lock, nextLook_, [this] { return isOver_ || (!isStopping_ && isMoreWanted()); });
        if (isOver_) return;
        isStopping = isStopping_;
    }
    isForAll = isForAll || steady_clock::now() >= nextLook_;
    if (isForAll) {
        nextLook_ = steady_clock::now() + settings_.lookEvery;  // before what may throw: no busy loop
        for (CourierQueue* queue : queues()) queue->renewLeases();
    }
    if (isStopping) return;  // what is in memory goes out; nothing more is claimed
    for (CourierQueue* queue : queues()) {
        if (!(isForAll ? queue->hasRoom() : queue->wantsMore())) continue;
        queue->noteLook();
        queue->take(desk_->claim(queue->channel(), clock_.now() + kLease));
    }
}

bool Courier::isMoreWanted() const {
    return mail_->wantsMore() || sms_->wantsMore();
}

bool Courier::isOver() {
    const std::lock_guard lock(mutex_);
    return isOver_;
}

// After the threads have ended.
void Courier::finish() {
    try {
        desk_->finishDone();
    } catch (const std::exception& error) {
        log_.error("courier stopped with messages that were sent but not finished",
                   {{"count", static_cast<std::int64_t>(desk_->countDone())}, {"reason", error.what()}});
    }
    try {
        for (CourierQueue* queue : queues()) queue->leave();
    } catch (const std::exception& error) {
        log_.warning("courier could not say good-bye to a provider", {{"reason", error.what()}});
    }
}

}  // namespace otpgate::delivery
