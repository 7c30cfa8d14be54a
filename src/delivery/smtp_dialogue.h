// One SMTP connection: greeting, EHLO, TLS, login, then commands and replies (RFC 5321, 3207, 4954). Used by
// SmtpTransport.
#pragma once

#include "delivery/smtp_stream.h"
#include "delivery/time_limit.h"
#include "otpgate/delivery/mail_transport.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::delivery {

struct SmtpReply {
    int code = 0;
    std::vector<std::string> lines;  // without the codes

    int kind() const { return code / 100; }
    // "550 5.1.1 no such user": one line, cut, printable, with what looks like an address masked.
    std::string forLog() const;
    // "535 5.7.8" alone: where a server might repeat what it was told.
    std::string codesForLog() const;
};

class SmtpDialogue {
public:
    // Connects, and returns when the server would accept MAIL FROM. Throws SmtpError, also for each refusal on the way:
    // that is a matter of the settings, not of a message. `tls` may be null when the settings say none.
    SmtpDialogue(const MailSettings& settings, SSL_CTX* tls, const TimeLimit& limit);

    // Sends a line and reads the reply. Throws SmtpError when the connection breaks and for 421, by which the server
    // takes its leave (RFC 5321, section 3.8). `step` is how errors name it.
    SmtpReply command(std::string_view step, std::string_view line, const TimeLimit& limit);
    // The message after 354, with dots doubled (RFC 5321, section 4.5.2) and the final dot.
    SmtpReply content(std::string_view message, const TimeLimit& limit);
    void quit();

private:
    void greet(const TimeLimit& limit);
    void hello(const TimeLimit& limit);
    void startTls(const MailSettings& settings, SSL_CTX* tls, const TimeLimit& limit);
    void secure(const MailSettings& settings, SSL_CTX* tls, const TimeLimit& limit);
    void logIn(const MailSettings& settings, const TimeLimit& limit);
    SmtpReply readReply(std::string_view step, SmtpStream::Deadline deadline);
    // What follows an EHLO keyword, in upper case; nullopt where the server did not offer it.
    std::optional<std::string> findExtension(std::string_view keyword) const;

    SmtpStream stream_;
    std::vector<std::string> extensions_;  // the lines of the EHLO reply, in upper case
};

}  // namespace otpgate::delivery
