// How a composed e-mail leaves the house. One object, used by one thread of the courier.
#pragma once

#include "otpgate/delivery/send_result.h"

#include <chrono>
#include <memory>
#include <string>

namespace otpgate::delivery {

struct MailMessage {
    std::string envelopeFrom;
    std::string recipient;
    std::string content;  // RFC 5322 with MIME, CRLF line ends
};

class MailTransport {
public:
    virtual ~MailTransport() = default;
    virtual SendResult send(const MailMessage& message) = 0;
    // Called when nothing more waits: close kept connections.
    virtual void idle() {}
    // Nothing is sent later than this after the call of send(): what a lease must still hold.
    virtual std::chrono::seconds longestSend() const = 0;
};

enum class MailTransportKind { Smtp, File, Null };
enum class SmtpSecurity { None, StartTls, Tls };

struct MailSettings {
    MailTransportKind transport = MailTransportKind::Smtp;
    std::string directory;  // of File
    std::string from;       // address, or Name <address>
    std::string smtpHost = "localhost";
    unsigned smtpPort = 25;
    SmtpSecurity smtpSecurity = SmtpSecurity::None;
    std::string smtpCaFile;
    std::string smtpUsername;
    std::string smtpPassword;
    std::chrono::seconds smtpTimeout{10};
};

// Checks what can be checked without sending: the directory is there (made, mode 0700) and writable, the CA file
// readable, the sender an address. Throws ConfigurationError that names the setting.
std::unique_ptr<MailTransport> makeMailTransport(const MailSettings& settings);

}  // namespace otpgate::delivery
