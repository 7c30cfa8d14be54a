// Sends over any gateway that takes a message as one HTTP request, which the settings describe (sms.http_...), and
// keeps the connection for the next message until idle(). Used by one thread of the courier.
#pragma once

#include "delivery/secrets.h"
#include "delivery/sms/http_client.h"
#include "delivery/sms/http_template.h"
#include "otpgate/delivery/sms_transport.h"

#include <string>
#include <utility>
#include <vector>

namespace otpgate::delivery {

class HttpSmsTransport final : public SmsTransport {
public:
    // Throws ConfigurationError("sms.http_... ") for what could never work or would tell the secret to others.
    explicit HttpSmsTransport(const SmsSettings& settings);

    SendResult send(const SmsMessage& message) override;
    void idle() override { client_.disconnect(); }
    std::chrono::seconds longestSend() const override { return timeout_; }

private:
    void check(const SmsSettings& settings) const;
    bool holds(Placeholder placeholder) const;
    HttpRequest request(const SmsMessage& message) const;
    bool isSuccess(int status) const;
    SendResult judge(const HttpReply& reply) const;

    HttpSmsSettings settings_;
    std::string from_;
    HttpTemplate url_;
    std::vector<HttpTemplate> headers_;
    HttpTemplate body_;
    std::vector<std::pair<int, int>> success_;  // first and last status
    std::chrono::seconds timeout_;
    HttpClient client_;
    Secrets secrets_;
};

}  // namespace otpgate::delivery
