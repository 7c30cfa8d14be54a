// Sends over SMTP and keeps the connection for the next message until idle(). Used by the courier's thread.
#pragma once

#include "delivery/smtp_dialogue.h"
#include "otpgate/delivery/mail_transport.h"

#include <memory>

namespace otpgate::delivery {

class SmtpTransport final : public MailTransport {
public:
    // Loads the authorities. Throws ConfigurationError("mail.smtp_... ").
    explicit SmtpTransport(MailSettings settings);
    ~SmtpTransport() override;

    SendResult send(const MailMessage& message) override;
    void idle() override;
    std::chrono::seconds longestSend() const override;

private:
    SendResult attempt(const MailMessage& message, const TimeLimit& limit);
    SendResult refusal(std::string_view step, const SmtpReply& reply, const TimeLimit& limit);

    MailSettings settings_;
    struct Free {
        void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    };
    std::unique_ptr<SSL_CTX, Free> tls_;  // null when the settings say none
    std::unique_ptr<SmtpDialogue> dialogue_;
};

}  // namespace otpgate::delivery
