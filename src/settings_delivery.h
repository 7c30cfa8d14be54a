// The settings of delivery, read from a file and the environment. What is wrong is a ConfigurationError.
#pragma once

#include "otpgate/base/settings_reader.h"
#include "otpgate/delivery/courier.h"
#include "otpgate/delivery/mail_transport.h"
#include "otpgate/delivery/sms_transport.h"

namespace otpgate {

delivery::MailSettings readMail(SettingsReader& reader);
delivery::SmsSettings readSms(SettingsReader& reader);
delivery::CourierSettings readCourier(SettingsReader& reader);

}  // namespace otpgate
