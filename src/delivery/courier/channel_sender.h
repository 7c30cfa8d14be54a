// Composes and sends the messages of one channel. One object a sender of the courier, used by its thread.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/delivery/courier.h"
#include "otpgate/delivery/send_result.h"
#include "otpgate/domain/models.h"

#include <chrono>
#include <memory>
#include <vector>

namespace otpgate::delivery {

class ChannelSender {
public:
    virtual ~ChannelSender() = default;
    virtual SendResult send(const domain::OutboxMessage& message, Timestamp now) = 0;
    virtual void idle() = 0;
    virtual std::chrono::seconds longestSend() const = 0;
};

using ChannelSenders = std::vector<std::unique_ptr<ChannelSender>>;

ChannelSenders makeMailSenders(unsigned count, const MessageComposer& composer, const Transports& transports);
// One, which refuses, where there is no provider.
ChannelSenders makeSmsSenders(unsigned count, const MessageComposer& composer, const Transports& transports);

}  // namespace otpgate::delivery
