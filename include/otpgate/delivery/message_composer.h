// From an outbox row to a finished e-mail or SMS: derives the code and writes the words. Immutable, any thread.
#pragma once

#include "otpgate/delivery/mail_transport.h"
#include "otpgate/delivery/sms_transport.h"
#include "otpgate/domain/models.h"
#include "otpgate/domain/otp_code.h"

#include <string>

namespace otpgate::delivery {

class MessageComposer {
public:
    // The host of `publicUrl` names the service in the text; throws ConfigurationError("mail.from ...") for an unusable
    // sender, or one that names server.public_url when no host can be found in it.
    MessageComposer(const domain::OtpCodes& codes, const std::string& from, const std::string& publicUrl);

    // multipart/alternative with text/plain (the code alone on a line of its own) and text/html; Message-ID from the
    // outbox id, so that a duplicate can be recognised; Date, Auto-Submitted: auto-generated; no code in the subject.
    MailMessage compose(const domain::OutboxMessage& message, Timestamp now) const;
    // Plain characters that an SMS carries at full length; the last line binds the code to the host of `publicUrl`.
    SmsMessage composeSms(const domain::OutboxMessage& message, Timestamp now) const;

private:
    const domain::OtpCodes& codes_;
    std::string fromHeader_;
    std::string fromAddress_;
    std::string service_;
};

}  // namespace otpgate::delivery
