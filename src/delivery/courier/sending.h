// What becomes of a message of one channel whose turn it is: sent, tried again later, or given up. Any thread.
#pragma once

#include "delivery/courier/channel_sender.h"
#include "delivery/courier/held_messages.h"
#include "delivery/courier/leases.h"
#include "otpgate/delivery/send_result.h"

#include <string>
#include <string_view>
#include <vector>

namespace otpgate::delivery {

class Sending {
public:
    Sending(domain::Channel channel, HeldMessages& held, Leases& leases, const CourierSurroundings& around)
        : channel_(channel),
          held_(held),
          leases_(leases),
          around_(around) {}

    // Whether the provider was asked.
    bool work(ChannelSender& sender, QueuedMessage queued);
    // Ends a message without another try; whoever waits for it is told.
    void giveUp(const QueuedMessage& queued, const std::string& reason);

private:
    // Whether the provider asked for a rest; then all that is due rests.
    bool isAtRest(QueuedMessage& queued);
    // Whether the message is to be sent; ends it where it is not.
    bool isToBeSent(QueuedMessage& queued);
    SendResult send(ChannelSender& sender, const domain::OutboxMessage& message);
    // Returns what would only meet the same failure now.
    std::vector<QueuedMessage> noteResult(const SendResult& result);
    void judge(QueuedMessage& queued, const SendResult& result);
    void postpone(std::vector<QueuedMessage> messages, const std::string& reason);
    Timestamp restsUntil(const domain::OutboxMessage& message);
    void logFailure(const domain::OutboxMessage& message, std::string_view what, std::string_view reason);

    const domain::Channel channel_;
    HeldMessages& held_;
    Leases& leases_;
    CourierSurroundings around_;
};

}  // namespace otpgate::delivery
