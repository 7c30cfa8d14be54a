#include "delivery/mail/smtp_transport.h"

#include "delivery/mail/smtp_auth.h"
#include "otpgate/base/encoding.h"
#include "otpgate/base/errors.h"
#include "otpgate/base/text.h"

#include <algorithm>

namespace otpgate::delivery {

namespace {

using Outcome = SendResult::Outcome;
using Cause = SendResult::Cause;

bool isAscii(const std::string& text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// An address that came out of Destination cannot hold these; should one ever, it must not become a command.
bool isFitForCommand(const std::string& address) {
    const auto isBad = [](char c) { return (c >= 0 && c <= 0x20) || c == 0x7F || c == '<' || c == '>'; };
    return !address.empty() && address.size() <= 254 && isValidUtf8(address) &&
           std::none_of(address.begin(), address.end(), isBad);
}

bool isInternational(const MailMessage& message) {
    return !isAscii(message.envelopeFrom) || !isAscii(message.recipient);
}

// 530 and 538 (RFC 4954): the server wants a login or TLS first, which a later setting may give it.
bool isAboutSettings(int code) {
    return code == 530 || code == 538;
}

void checkLogin(const SmtpServer& server) {
    const auto named = [&server](const char* setting) { return server.section + "." + setting; };
    const bool hasPassword = !server.password.empty();
    const bool hasToken = !server.oauthTokenFile.empty();
    const bool needsToken = usesToken(server.auth);
    if (hasPassword && hasToken)
        throw ConfigurationError(named("smtp_password") + " and " + named("smtp_oauth_token_file") +
                                 " exclude each other: leave one of them out");
    if (needsToken && !hasToken)
        throw ConfigurationError(named("smtp_oauth_token_file") + " is needed with " + named("smtp_auth") + " = " +
                                 (server.auth == SmtpAuth::XOAuth2 ? "xoauth2" : "oauthbearer"));
    if (!needsToken && server.auth != SmtpAuth::Auto && hasToken)
        throw ConfigurationError(named("smtp_oauth_token_file") + " is of no use with this " + named("smtp_auth"));
    if (server.username.empty() && hasToken)
        throw ConfigurationError(named("smtp_username") + " is needed with " + named("smtp_oauth_token_file"));
    if (server.username.empty() != (!hasPassword && !hasToken))
        throw ConfigurationError(named("smtp_username") + " and " + named("smtp_password") +
                                 " go together: one of them is missing");
    // Neither may end a field of a SASL response.
    for (const std::string* text : {&server.username, &server.password}) {
        if (std::any_of(text->begin(), text->end(), isControl))
            throw ConfigurationError(named("smtp_username") + " and its password must have no control characters");
    }
}

}  // namespace

SmtpTransport::SmtpTransport(SmtpServer server, const SmtpManners& manners, SmtpTranscript* transcript)
    : server_(std::move(server)),
      timeouts_(manners.timeouts) {
    const auto& host = server_.host;
    if (host.empty() || !std::all_of(host.begin(), host.end(), [](char c) { return c > 0x20 && c < 0x7F; })) {
        throw ConfigurationError(server_.section + ".smtp_host is no host name: " + host);
    }
    if (server_.port < 1 || server_.port > 65535)
        throw ConfigurationError(server_.section + ".smtp_port must be 1 to 65535");
    checkLogin(server_);
    if (server_.security != SmtpSecurity::None) tls_ = std::make_unique<SmtpTls>(server_);
    surroundings_.emplace(DialogueSurroundings{secrets_, tls_.get(), manners.plaintextAuth, transcript});
}

SmtpTransport::~SmtpTransport() {
    idle();
}

SendResult SmtpTransport::send(const MailMessage& message) {
    if (!isFitForCommand(message.envelopeFrom) || !isFitForCommand(message.recipient)) {
        return {Outcome::Refused, "the address is not fit for SMTP"};
    }
    const auto body = message.content.find("\r\n\r\n");
    // The recipient is left out, because every address is masked.
    spokenOf_ = {
        message.code, body == std::string::npos ? message.content : message.content.substr(body), {}, message.link};
    secrets_.beginMessage(spokenOf_);
    return attempt(message, TimeLimit(timeouts_));
}

SendResult SmtpTransport::greet() {
    try {
        if (!dialogue_) connect(TimeLimit(timeouts_));
        return {};
    } catch (const SmtpError& error) {
        dialogue_.reset();
        return serverFailure(error.what());
    }
}

void SmtpTransport::idle() {
    if (dialogue_) dialogue_->quit();
    dialogue_.reset();
}

std::chrono::seconds SmtpTransport::longestSend() const {
    return TimeLimit::longest(timeouts_);
}

void SmtpTransport::connect(const TimeLimit& limit) {
    secrets_ = {};  // with access tokens of yesterday
    secrets_.add(server_.password);
    secrets_.beginMessage(spokenOf_);
    dialogue_ = std::make_unique<SmtpDialogue>(server_, *surroundings_, limit);
}

// With its size where the server wants to know it (RFC 1870). Our messages are 7-bit but for an address beyond ASCII
// (RFC 6531, section 3.4).
std::string SmtpTransport::mailFrom(const MailMessage& message) const {
    std::string line = "MAIL FROM:<" + message.envelopeFrom + ">";
    if (dialogue_->offers("SIZE")) line += " SIZE=" + std::to_string(message.content.size());
    if (isInternational(message)) line += " BODY=8BITMIME SMTPUTF8";
    return line;
}

SendResult SmtpTransport::attempt(const MailMessage& message, const TimeLimit& limit) {
    const bool kept = dialogue_ != nullptr;
    bool accepted = false;
    try {
        if (!kept) connect(limit);
        if (isInternational(message) && !dialogue_->offers("SMTPUTF8")) {
            return {Outcome::Refused,
                    "the server offers no SMTPUTF8, without which no address with letters beyond ASCII can be reached: "
                    "allow it there, or use another server"};
        }
        const auto refused =
            dialogue_->envelope(mailFrom(message), "RCPT TO:<" + message.recipient + ">", limit, accepted);
        if (refused) return refusal(refused->step, refused->reply, limit);
        const SmtpReply reply = dialogue_->content(message.content, limit);
        if (reply.kind() != 2) return refusal("message", reply, limit);
        return {};
    } catch (const SmtpLeave& leave) {
        dialogue_.reset();
        if (kept && !accepted) return attempt(message, limit);
        return serverFailure(leave.what());
    } catch (const SmtpError& error) {
        dialogue_.reset();
        // Servers end connections that rest; that says nothing about the message.
        if (kept && !accepted) return attempt(message, limit);
        // Once MAIL FROM was accepted the message may be what the server stumbles over: others may still get through.
        // And where the final dot was sent, the message may have been accepted: no other server must send it at once.
        if (accepted) return {Outcome::TryLater, error.what(), Cause::Message};
        return serverFailure(error.what());
    }
}

SendResult SmtpTransport::refusal(std::string_view step, const SmtpReply& reply, const TimeLimit& limit) {
    const std::string reason = std::string(step) + ": " + reply.forLog(secrets_);
    if (reply.kind() != 4 && reply.kind() != 5) throw SmtpError(reason);  // out of step: begin anew
    if (isAboutSettings(reply.code)) {
        dialogue_.reset();
        return serverFailure(reason);
    }
    try {
        dialogue_->command("RSET", "RSET", limit);
    } catch (const SmtpError&) {
        dialogue_.reset();
    }
    return {reply.kind() == 4 ? Outcome::TryLater : Outcome::Refused, reason};
}

SendResult SmtpTransport::serverFailure(std::string_view reason) const {
    return {Outcome::TryLater, server_.host + ":" + std::to_string(server_.port) + ": " + std::string(reason),
            Cause::Provider};
}

}  // namespace otpgate::delivery
