// Whether the mail servers of the settings would take a message: by one test message with all that is said on the way
// (`otpgate mail-test`), or without any (`otpgate doctor`).
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/uuid.h"
#include "otpgate/delivery/mail_settings.h"
#include "otpgate/domain/destination.h"

#include <iosfwd>
#include <string>
#include <vector>

namespace otpgate::delivery {

struct TestMail {
    domain::Destination recipient;
    Uuid id;  // of the Message-ID
    Timestamp now;
};

// Writes the dialogue to `out` as it goes, without secrets and safe for a terminal; then what came of it and, where it
// failed, what to change. True when every server took the message. Throws ConfigurationError as makeMailTransport().
bool testMail(const MailSettings& settings, const TestMail& mail, std::ostream& out);

// How a server of mail.transport = smtp took us in.
struct MailProbe {
    std::string section;  // of the settings: mail or mail_fallback
    std::string server;   // host:port
    std::string fault;    // empty where it would take mail
    std::string advice;   // what to change; may be empty
    bool isSecured = false;
    bool isRemoteInClear = false;  // neither TLS nor on this machine
};
// Connects to each, greets, sees to TLS and logs in; no message is sent. Throws ConfigurationError as
// makeMailTransport().
std::vector<MailProbe> probeMail(const MailSettings& settings);

}  // namespace otpgate::delivery
