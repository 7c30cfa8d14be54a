#include "otpgate/delivery/courier.h"

#include "delivery/courier_lane.h"
#include "delivery/outbox_desk.h"
#include "otpgate/base/errors.h"
#include "otpgate/delivery/message_composer.h"

#include <algorithm>
#include <cstdint>

namespace otpgate::delivery {

using domain::OutboxMessage;
using std::chrono::steady_clock;

namespace {

class MailSender final : public ChannelSender {
public:
    MailSender(const MessageComposer& composer, MailTransport& transport)
        : composer_(composer),
          transport_(transport) {}
    SendResult send(const OutboxMessage& message, Timestamp now) override {
        return transport_.send(composer_.compose(message, now));
    }
    void idle() override { transport_.idle(); }
    std::chrono::seconds longestSend() const override { return transport_.longestSend(); }

private:
    const MessageComposer& composer_;
    MailTransport& transport_;
};

class SmsSender final : public ChannelSender {
public:
    SmsSender(const MessageComposer& composer, SmsTransport* transport) : composer_(composer), transport_(transport) {}
    SendResult send(const OutboxMessage& message, Timestamp now) override {
        if (transport_ == nullptr) return {SendResult::Outcome::Refused, "no SMS provider"};
        return transport_->send(composer_.composeSms(message, now));
    }
    void idle() override {
        if (transport_ != nullptr) transport_->idle();
    }
    std::chrono::seconds longestSend() const override {
        return transport_ == nullptr ? std::chrono::seconds(0) : transport_->longestSend();
    }

private:
    const MessageComposer& composer_;
    SmsTransport* transport_;
};

}  // namespace

Courier::Courier(CourierSettings settings, domain::OutboxStore& outbox, const MessageComposer& composer,
                 Transports transports, const Clock& clock, Random& random, Logger& log)
    : settings_(settings),
      clock_(clock),
      log_(log),
      desk_(std::make_unique<OutboxDesk>(outbox, clock, random, log)),
      mailSender_(std::make_unique<MailSender>(composer, transports.mail)),
      smsSender_(std::make_unique<SmsSender>(composer, transports.sms)) {
    const LaneSurroundings surroundings{*desk_, clock, random, log, [this] {
                                            { const std::lock_guard lock(mutex_); }
                                            wake_.notify_one();
                                        }};
    mail_ = std::make_unique<CourierLane>(settings_, *mailSender_, surroundings);
    sms_ = std::make_unique<CourierLane>(settings_, *smsSender_, surroundings);
}

Courier::~Courier() {
    stop(std::chrono::milliseconds(0));
}

void Courier::start() {
    threads_.emplace_back([this] { repeat([this] { return isStopping(); }, [this] { look(); }); });
    for (CourierLane* lane : {mail_.get(), sms_.get()}) {
        threads_.emplace_back([this, lane] { repeat([lane] { return lane->isOver(); }, [lane] { lane->round(); }); });
    }
}

void Courier::stop(std::chrono::milliseconds patience) {
    {
        const std::lock_guard lock(mutex_);
        isStopping_ = true;
    }
    wake_.notify_one();
    const auto giveUpAt = steady_clock::now() + patience;
    mail_->stop(giveUpAt);
    sms_->stop(giveUpAt);
    for (auto& thread : threads_) thread.join();
    if (!threads_.empty()) finish();
    threads_.clear();
}

void Courier::handOver(const OutboxMessage& message) {
    laneOf(message).handOver(message);
}

CourierLane& Courier::laneOf(const OutboxMessage& message) {
    switch (message.destination.channel()) {
    case domain::Channel::Email: return *mail_;
    case domain::Channel::Sms: return *sms_;
    }
    return *mail_;
}

void Courier::repeat(const std::function<bool()>& isOver, const std::function<void()>& round) {
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
}

// Waits until it is time to look into the outbox again, and gives the lanes what was found there.
void Courier::look() {
    {
        std::unique_lock lock(mutex_);
        wake_.wait_until(lock, nextLook_,
                         [this] { return isStopping_ || (isMoreWaiting_ && mail_->hasRoom() && sms_->hasRoom()); });
        if (isStopping_) return;  // what is in memory goes out; nothing more is claimed
    }
    nextLook_ = steady_clock::now() + settings_.lookEvery;  // before what may throw: an outage makes no busy loop
    isMoreWaiting_ = false;

    const auto longest = std::max(mail_->longestSend(), sms_->longestSend());
    const auto claimed = desk_->claim(clock_.now() + leaseFor(longest));
    isMoreWaiting_ = claimed.size() == OutboxDesk::kBatch;
    CourierLane::Batch mails;
    CourierLane::Batch texts;
    for (const auto& message : claimed) (&laneOf(message) == mail_.get() ? mails : texts).push_back(message);
    mail_->take(mails);
    sms_->take(texts);
}

bool Courier::isStopping() {
    const std::lock_guard lock(mutex_);
    return isStopping_;
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
        mail_->disconnect();
        sms_->disconnect();
    } catch (const std::exception& error) {
        log_.warning("courier could not say good-bye to a provider", {{"reason", error.what()}});
    }
}

}  // namespace otpgate::delivery
