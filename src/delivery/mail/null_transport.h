// Sends nothing and says it did: for load tests and for services that only use codes of another channel.
#pragma once

#include "otpgate/delivery/mail_transport.h"

namespace otpgate::delivery {

class NullTransport final : public MailTransport {
public:
    SendResult send(const MailMessage& /*message*/) override { return {}; }
    std::chrono::seconds longestSend() const override { return std::chrono::seconds(1); }
};

}  // namespace otpgate::delivery
