#include "delivery/sms/mock_sms_transport.h"

#include "otpgate/base/errors.h"

#include <array>
#include <cstdint>

namespace otpgate::delivery {

MockSmsTransport::MockSmsTransport(double failureRate, Random& random) : failureRate_(failureRate), random_(random) {
    // Written so that a rate which is no number is refused too.
    if (!(failureRate >= 0.0 && failureRate <= 1.0)) throw ConfigurationError("sms.failure_rate must be 0 to 1");
}

SendResult MockSmsTransport::send(const SmsMessage& /*message*/) {
    constexpr double kDraws = 65536.0;
    std::array<std::uint8_t, 2> bytes{};
    random_.fill(bytes);
    const double draw = (bytes[0] * 256 + bytes[1]) / kDraws;  // 0 or more, less than 1
    if (draw >= failureRate_) return {};
    return {SendResult::Outcome::TryLater, "mock: failed as sms.failure_rate asks for"};
}

}  // namespace otpgate::delivery
