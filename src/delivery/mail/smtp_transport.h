// Sends over SMTP and keeps the connection for the next message until idle(). Used by one thread of the courier.
#pragma once

#include "delivery/mail/smtp_dialogue.h"
#include "otpgate/delivery/mail_transport.h"

#include <memory>
#include <optional>

namespace otpgate::delivery {

class SmtpTransport final : public MailTransport {
public:
    // Loads the authorities. Throws ConfigurationError("mail.smtp_... "). The transcript, if any, outlives the
    // transport.
    SmtpTransport(SmtpServer server, const SmtpManners& manners, SmtpTranscript* transcript = nullptr);
    ~SmtpTransport() override;

    // A reason of Cause::Provider begins with the server: "mail.example.com:587: ...".
    SendResult send(const MailMessage& message) override;
    // Greets, sees to TLS and logs in, as before a message, and sends none.
    SendResult greet();
    void idle() override;
    std::chrono::seconds longestSend() const override;

private:
    void connect(const TimeLimit& limit);
    SendResult attempt(const MailMessage& message, const TimeLimit& limit);
    std::string mailFrom(const MailMessage& message) const;
    SendResult refusal(std::string_view step, const SmtpReply& reply, const TimeLimit& limit);
    SendResult serverFailure(std::string_view reason) const;

    SmtpServer server_;
    SmtpTimeouts timeouts_;
    std::unique_ptr<SmtpTls> tls_;  // null when the settings say none
    Secrets secrets_;
    Secrets::Message spokenOf_;
    std::optional<DialogueSurroundings> surroundings_;
    std::unique_ptr<SmtpDialogue> dialogue_;
};

}  // namespace otpgate::delivery
