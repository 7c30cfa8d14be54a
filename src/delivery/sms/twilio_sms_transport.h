// Sends over Twilio's REST interface (Messages resource, version 2010-04-01) and keeps the connection for the next
// message until idle(). Used by one thread of the courier.
#pragma once

#include "delivery/secrets.h"
#include "delivery/sms/http_client.h"
#include "otpgate/delivery/sms_transport.h"

#include <string>

namespace otpgate::delivery {

class TwilioSmsTransport final : public SmsTransport {
public:
    // Throws ConfigurationError("sms.from ..."), ("sms.twilio_... ").
    explicit TwilioSmsTransport(const SmsSettings& settings);

    SendResult send(const SmsMessage& message) override;
    void idle() override { client_.disconnect(); }
    std::chrono::seconds longestSend() const override { return timeout_; }

private:
    std::string url_;
    std::string senderField_;  // From or MessagingServiceSid
    std::string sender_;
    std::chrono::seconds timeout_;
    HttpClient client_;
    Secrets secrets_;
};

}  // namespace otpgate::delivery
