#include "delivery/courier/channel_sender.h"

#include "otpgate/delivery/message_composer.h"

namespace otpgate::delivery {

using domain::OutboxMessage;

namespace {

class MailSender final : public ChannelSender {
public:
    MailSender(const MessageComposer& composer, std::unique_ptr<MailTransport> transport)
        : composer_(composer),
          transport_(std::move(transport)) {}
    SendResult send(const OutboxMessage& message, Timestamp now) override {
        return transport_->send(composer_.compose(message, now));
    }
    void idle() override { transport_->idle(); }
    std::chrono::seconds longestSend() const override { return transport_->longestSend(); }

private:
    const MessageComposer& composer_;
    std::unique_ptr<MailTransport> transport_;
};

class SmsSender final : public ChannelSender {
public:
    SmsSender(const MessageComposer& composer, std::unique_ptr<SmsTransport> transport)
        : composer_(composer),
          transport_(std::move(transport)) {}
    SendResult send(const OutboxMessage& message, Timestamp now) override {
        return transport_->send(composer_.composeSms(message, now));
    }
    void idle() override { transport_->idle(); }
    std::chrono::seconds longestSend() const override { return transport_->longestSend(); }

private:
    const MessageComposer& composer_;
    std::unique_ptr<SmsTransport> transport_;
};

class NoSender final : public ChannelSender {
public:
    SendResult send(const OutboxMessage&, Timestamp) override {
        return {SendResult::Outcome::Refused, "no SMS provider"};
    }
    void idle() override {}
    std::chrono::seconds longestSend() const override { return std::chrono::seconds(0); }
};

}  // namespace

ChannelSenders makeMailSenders(unsigned count, const MessageComposer& composer, const Transports& transports) {
    ChannelSenders senders;
    for (unsigned i = 0; i < count; ++i) senders.push_back(std::make_unique<MailSender>(composer, transports.mail()));
    return senders;
}

ChannelSenders makeSmsSenders(unsigned count, const MessageComposer& composer, const Transports& transports) {
    ChannelSenders senders;
    for (unsigned i = 0; i < count; ++i) {
        auto transport = transports.sms ? transports.sms() : nullptr;
        if (!transport) {
            senders.push_back(std::make_unique<NoSender>());
            break;
        }
        senders.push_back(std::make_unique<SmsSender>(composer, std::move(transport)));
    }
    return senders;
}

}  // namespace otpgate::delivery
