#include "otpgate/domain/otp_metrics.h"

#include <algorithm>
#include <string_view>

namespace otpgate::domain {

namespace {

struct Description {
    std::string_view name;
    std::string_view help;
};

Description describe(OtpEvent event) {
    switch (event) {
    case OtpEvent::Requested: return {"otpgate_otp_requested_total", "Codes asked for and granted."};
    case OtpEvent::RateLimited: return {"otpgate_otp_rate_limited_total", "Codes asked for and refused by a limit."};
    case OtpEvent::Sent: return {"otpgate_otp_sent_total", "Codes that this process has sent."};
    case OtpEvent::SendFailed:
        return {"otpgate_otp_send_failed_total", "Codes that this process gave up sending: refused, or too late."};
    case OtpEvent::Verified: return {"otpgate_otp_verified_total", "Right codes."};
    case OtpEvent::Failed:
        return {"otpgate_otp_failed_total", "Codes that were wrong, used, unknown or of a disabled account."};
    case OtpEvent::Expired: return {"otpgate_otp_expired_total", "Codes that came too late."};
    case OtpEvent::Locked:
        return {"otpgate_otp_locked_total", "Codes not looked at, because there had been too many wrong ones."};
    }
    return {};
}

constexpr std::string_view kUnknown = "unknown";

// The word of the value at a place, or nothing where there is none.
template <typename Word>
std::string_view wordAt(std::size_t place) {
    return toString(static_cast<Word>(place));
}

}  // namespace

void OtpMetrics::count(OtpEvent event, std::optional<Channel> channel, std::optional<Purpose> purpose) {
    const auto placeOf = [](const auto& value, std::size_t unknown) {
        return value ? std::min(static_cast<std::size_t>(*value), unknown) : unknown;
    };
    counters_[static_cast<std::size_t>(event)][placeOf(channel, kChannels - 1)][placeOf(purpose, kPurposes - 1)].add();
}

void OtpMetrics::write(MetricsText& text) const {
    for (std::size_t event = 0; event < kEvents; ++event) {
        const Description description = describe(static_cast<OtpEvent>(event));
        text.begin(MetricKind::Counter, description.name, description.help);
        for (std::size_t channel = 0; channel < kChannels; ++channel) {
            for (std::size_t purpose = 0; purpose < kPurposes; ++purpose) {
                const Counter& counter = counters_[event][channel][purpose];
                const std::string_view channelWord = wordAt<Channel>(channel);
                const std::string_view purposeWord = wordAt<Purpose>(purpose);
                if (counter.value() == 0 && (channelWord.empty() || purposeWord.empty())) continue;
                text.sample(counter, {{"channel", channelWord.empty() ? kUnknown : channelWord},
                                      {"purpose", purposeWord.empty() ? kUnknown : purposeWord}});
            }
        }
    }
}

}  // namespace otpgate::domain
