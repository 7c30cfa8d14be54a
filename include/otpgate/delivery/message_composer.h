// From an outbox row to a finished e-mail or SMS: derives the code or the link, finds the language and renders the
// words. Immutable, any thread.
#pragma once

#include "otpgate/delivery/mail_transport.h"
#include "otpgate/delivery/message_texts.h"
#include "otpgate/delivery/sms_transport.h"
#include "otpgate/delivery/templates.h"
#include "otpgate/domain/models.h"
#include "otpgate/domain/otp_code.h"

#include <string>
#include <string_view>

namespace otpgate::delivery {

// What messages say of the service they come from.
struct ServiceWords {
    std::string publicUrl;        // without a trailing slash: where the pages are
    std::string name = {};        // empty: the host of the public URL
    std::string supportUrl = {};  // empty: nobody is named
    domain::LinkUse linkUse = domain::LinkUse::Off;
};

class MessageComposer {
public:
    // Throws ConfigurationError("mail.from ...") for an unusable sender, or one that names server.public_url when no
    // host can be found in it.
    MessageComposer(const domain::OtpCodes& codes, const Templates& templates, const std::string& from,
                    const ServiceWords& service);

    // In the language of message.locale, else the default. multipart/alternative with text/plain (a code alone on a
    // line of its own) and text/html; Message-ID from the outbox id, so that a duplicate can be recognised; Date,
    // Auto-Submitted: auto-generated; no code in the subject.
    MailMessage compose(const domain::OutboxMessage& message, Timestamp now) const;
    // One short message where that can be; the last line of a code binds it to the host of the public URL.
    SmsMessage composeSms(const domain::OutboxMessage& message, Timestamp now) const;

private:
    // What is in a message, and nobody else may learn.
    struct Secret {
        std::string code;
        std::string link;  // the part after the #
    };
    Secret secretOf(const domain::OutboxMessage& message) const;
    MessageContext contextOf(const domain::OutboxMessage& message, const Secret& secret, Timestamp now) const;

    const domain::OtpCodes& codes_;
    const Templates& templates_;
    std::string fromHeader_;
    std::string fromAddress_;
    std::string host_;
    std::string name_;
    std::string link_;
    std::string sessionsLink_;  // where the owner sees who is signed in, and ends it
    std::string support_;
    domain::LinkUse linkUse_;
};

}  // namespace otpgate::delivery
