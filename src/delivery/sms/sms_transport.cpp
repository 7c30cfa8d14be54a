#include "otpgate/delivery/sms_transport.h"

#include "delivery/sms/file_sms_transport.h"
#include "delivery/sms/http_sms_transport.h"
#include "delivery/sms/mock_sms_transport.h"
#include "delivery/sms/provider_settings.h"
#include "delivery/sms/twilio_sms_transport.h"
#include "delivery/sms/vonage_sms_transport.h"
#include "otpgate/base/errors.h"

namespace otpgate::delivery {

std::unique_ptr<SmsTransport> makeSmsTransport(const SmsSettings& settings, Random& random) {
    switch (settings.transport) {
    case SmsTransportKind::None: return nullptr;
    case SmsTransportKind::Twilio: return std::make_unique<TwilioSmsTransport>(settings);
    case SmsTransportKind::Vonage: return std::make_unique<VonageSmsTransport>(settings);
    case SmsTransportKind::Http: return std::make_unique<HttpSmsTransport>(settings);
    case SmsTransportKind::File: return std::make_unique<FileSmsTransport>(settings.directory);
    case SmsTransportKind::Mock: return std::make_unique<MockSmsTransport>(settings.mockFailureRate, random);
    }
    throw ConfigurationError("sms.transport is unknown");
}

std::string describeProvider(const SmsSettings& settings) {
    switch (settings.transport) {
    case SmsTransportKind::None: return "none";
    case SmsTransportKind::Twilio: return "twilio (" + hostAndPortOf(settings.twilioUrl) + ")";
    case SmsTransportKind::Vonage: return "vonage (" + hostAndPortOf(settings.vonageUrl) + ")";
    case SmsTransportKind::Http: return "http (" + hostAndPortOf(settings.http.url) + ")";
    case SmsTransportKind::File: return "file (" + settings.directory + ")";
    case SmsTransportKind::Mock: return "mock (sends nothing)";
    }
    return {};
}

}  // namespace otpgate::delivery
