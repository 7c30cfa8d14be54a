#include "otpgate/delivery/sms_transport.h"

#include "delivery/file_sms_transport.h"
#include "delivery/mock_sms_transport.h"
#include "delivery/twilio_sms_transport.h"
#include "otpgate/base/errors.h"

namespace otpgate::delivery {

std::unique_ptr<SmsTransport> makeSmsTransport(const SmsSettings& settings, Random& random) {
    switch (settings.transport) {
    case SmsTransportKind::None: return nullptr;
    case SmsTransportKind::Twilio: return std::make_unique<TwilioSmsTransport>(settings);
    case SmsTransportKind::File: return std::make_unique<FileSmsTransport>(settings.directory);
    case SmsTransportKind::Mock: return std::make_unique<MockSmsTransport>(settings.mockFailureRate, random);
    }
    throw ConfigurationError("sms.transport is unknown");
}

}  // namespace otpgate::delivery
