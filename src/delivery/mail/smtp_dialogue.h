// One SMTP connection: greeting, EHLO, TLS, login, then commands and replies (RFC 5321, 3207, 4954). Used by
// SmtpTransport.
#pragma once

#include "delivery/mail/smtp_reply.h"
#include "delivery/mail/smtp_stream.h"
#include "delivery/mail/smtp_transcript.h"
#include "delivery/mail/time_limit.h"
#include "delivery/secrets.h"
#include "otpgate/delivery/mail_settings.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::delivery {

// What a dialogue needs to know besides the server. The transcript may be null, and TLS too where the server is to be
// spoken to in clear.
struct DialogueSurroundings {
    Secrets& secrets;  // of the message, and from the login on of the server
    SmtpTls* tls = nullptr;
    PlaintextAuth plaintextAuth = PlaintextAuth::Forbidden;
    SmtpTranscript* transcript = nullptr;
};

// A command that was refused, and how.
struct SmtpRefusal {
    std::string_view step;
    SmtpReply reply;
};

class SmtpDialogue {
public:
    // Connects, and returns when the server would accept MAIL FROM. Throws SmtpError, also for each refusal on the way:
    // that is a matter of the settings, not of a message.
    SmtpDialogue(const SmtpServer& server, const DialogueSurroundings& surroundings, const TimeLimit& limit);

    // Sends a line and reads the reply. Throws SmtpError when the connection breaks and SmtpLeave for 421. `step` is
    // how errors name it.
    SmtpReply command(std::string_view step, std::string_view line, const TimeLimit& limit);
    // MAIL FROM, RCPT TO and DATA: nullopt when the server waits for the message. In one packet where the server offers
    // PIPELINING (RFC 2920), which saves two turns of the network; up to the first refusal elsewhere. `isAccepted`
    // becomes true when MAIL FROM was accepted, also where this throws later.
    std::optional<SmtpRefusal> envelope(const std::string& mailFrom, const std::string& rcptTo, const TimeLimit& limit,
                                        bool& isAccepted);
    // The message after 354.
    SmtpReply content(std::string_view message, const TimeLimit& limit);
    void quit();
    // Whether the server offered an extension, such as SIZE.
    bool offers(std::string_view keyword) const { return findExtension(keyword).has_value(); }

private:
    void open(const TimeLimit& limit);
    void greet(const TimeLimit& limit);
    void hello(const TimeLimit& limit);
    void startTls(const TimeLimit& limit);
    void secure(const TimeLimit& limit);
    void logIn(const TimeLimit& limit);
    SmtpReply respond(SmtpAuth mechanism, const std::vector<std::string>& responses, const TimeLimit& limit);
    SmtpReply exchange(std::string_view step, std::string_view line, const TimeLimit& limit, std::string_view shown);
    // What is sent for a command, of which the transcript tells `shown`.
    std::string lineOf(std::string_view step, std::string_view command, std::string_view shown);
    void write(std::string_view step, std::string_view bytes, Deadline deadline);
    SmtpReply readReply(std::string_view step, Deadline deadline);
    void noteTls();
    std::string offeredMechanisms() const;  // for AUTH, in upper case
    // What follows an EHLO keyword, in upper case; nullopt where the server did not offer it.
    std::optional<std::string> findExtension(std::string_view keyword) const;

    const SmtpServer& server_;
    DialogueSurroundings around_;
    SmtpStream stream_;
    std::vector<std::string> extensions_;  // the lines of the EHLO reply, in upper case
    bool isOfOldDialect_ = false;          // the server knows HELO only
};

}  // namespace otpgate::delivery
