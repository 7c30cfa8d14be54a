// One test message by each mail server of the settings, with all that is said on the way. Used by `otpgate mail-test`.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/uuid.h"
#include "otpgate/delivery/mail_settings.h"
#include "otpgate/domain/destination.h"

#include <iosfwd>

namespace otpgate::delivery {

struct TestMail {
    domain::Destination recipient;
    Uuid id;  // of the Message-ID
    Timestamp now;
};

// Writes the dialogue to `out` as it goes, without secrets and safe for a terminal; then what came of it and, where it
// failed, what to change. True when every server took the message. Throws ConfigurationError as makeMailTransport().
bool testMail(const MailSettings& settings, const TestMail& mail, std::ostream& out);

}  // namespace otpgate::delivery
