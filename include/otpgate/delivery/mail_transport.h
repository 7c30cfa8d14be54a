// How a composed e-mail leaves the house. One object, used by one thread of the courier.
#pragma once

#include "otpgate/delivery/mail_settings.h"
#include "otpgate/delivery/send_result.h"

#include <chrono>
#include <memory>
#include <string>

namespace otpgate {
class Logger;
}

namespace otpgate::delivery {

struct MailMessage {
    std::string envelopeFrom;
    std::string recipient;
    std::string content;  // RFC 5322 with MIME, CRLF line ends
    std::string code{};   // that is in it: what nobody may tell again; empty in a notice, or beside a link alone
    std::string link{};   // the same of the secret part of a link; mostly empty
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

// Checks what can be checked without sending: the directory is there (made, mode 0700) and writable, the CA files
// readable, the sender an address. Throws ConfigurationError that names the setting. `log` outlives the transport and
// hears when mail goes to the fallback server, and when it no longer does.
std::unique_ptr<MailTransport> makeMailTransport(const MailSettings& settings, Logger* log = nullptr);

}  // namespace otpgate::delivery
