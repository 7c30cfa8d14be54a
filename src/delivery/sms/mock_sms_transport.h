// Sends nothing: says that it did, or fails as often as it is told. For load tests, and to see how clients and the
// outbox bear a provider that stumbles.
#pragma once

#include "otpgate/delivery/sms_transport.h"

namespace otpgate::delivery {

class MockSmsTransport final : public SmsTransport {
public:
    // `failureRate` of 0 never fails, of 1 always. Throws ConfigurationError("sms.failure_rate ...").
    MockSmsTransport(double failureRate, Random& random);

    SendResult send(const SmsMessage& message) override;
    std::chrono::seconds longestSend() const override { return std::chrono::seconds(1); }

private:
    double failureRate_;
    Random& random_;
};

}  // namespace otpgate::delivery
