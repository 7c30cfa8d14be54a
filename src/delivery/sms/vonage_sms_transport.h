// Sends over Vonage's SMS API (rest.nexmo.com, POST /sms/json) and keeps the connection for the next message until
// idle(). Used by one thread of the courier.
#pragma once

#include "delivery/secrets.h"
#include "delivery/sms/http_client.h"
#include "otpgate/delivery/sms_transport.h"

#include <string>

namespace otpgate::delivery {

class VonageSmsTransport final : public SmsTransport {
public:
    // Throws ConfigurationError("sms.from ..."), ("sms.vonage_... ").
    explicit VonageSmsTransport(const SmsSettings& settings);

    SendResult send(const SmsMessage& message) override;
    void idle() override { client_.disconnect(); }
    std::chrono::seconds longestSend() const override { return timeout_; }

private:
    std::string url_;
    std::string sender_;
    std::string key_;
    std::string secret_;
    std::chrono::seconds timeout_;
    HttpClient client_;
    Secrets secrets_;
};

}  // namespace otpgate::delivery
