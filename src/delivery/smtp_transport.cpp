#include "delivery/smtp_transport.h"

#include "otpgate/base/errors.h"

#include <openssl/err.h>

#include <algorithm>

namespace otpgate::delivery {

namespace {

using Outcome = SendResult::Outcome;
using Cause = SendResult::Cause;

SSL_CTX* makeTlsContext(const std::string& caFile) {
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    if (context == nullptr) throw ConfigurationError("mail.smtp_security: OpenSSL gives no TLS context");
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    const int loaded =
        caFile.empty() ? SSL_CTX_set_default_verify_paths(context) : SSL_CTX_load_verify_file(context, caFile.c_str());
    if (loaded != 1) {
        ERR_clear_error();
        SSL_CTX_free(context);
        throw ConfigurationError("mail.smtp_ca_file holds no certificates or cannot be read: " + caFile);
    }
    return context;
}

// An address that came out of Destination cannot hold these; should one ever, it must not become a command.
bool isFitForCommand(const std::string& address) {
    return !address.empty() && address.size() <= 254 && std::all_of(address.begin(), address.end(), [](char c) {
        return c > 0x20 && c < 0x7F && c != '<' && c != '>';
    });
}

// 530 and 538 (RFC 4954): the server wants a login or TLS first, which a later setting may give it.
bool isAboutSettings(int code) {
    return code == 530 || code == 538;
}

}  // namespace

SmtpTransport::SmtpTransport(MailSettings settings) : settings_(std::move(settings)) {
    const auto& host = settings_.smtpHost;
    if (host.empty() || !std::all_of(host.begin(), host.end(), [](char c) { return c > 0x20 && c < 0x7F; })) {
        throw ConfigurationError("mail.smtp_host is no host name: " + host);
    }
    if (settings_.smtpPort < 1 || settings_.smtpPort > 65535)
        throw ConfigurationError("mail.smtp_port must be 1 to 65535");
    if (settings_.smtpUsername.empty() != settings_.smtpPassword.empty()) {
        throw ConfigurationError("mail.smtp_username and mail.smtp_password go together: one of them is missing");
    }
    if (settings_.smtpSecurity != SmtpSecurity::None) tls_.reset(makeTlsContext(settings_.smtpCaFile));
}

SmtpTransport::~SmtpTransport() {
    idle();
}

SendResult SmtpTransport::send(const MailMessage& message) {
    if (!isFitForCommand(message.envelopeFrom) || !isFitForCommand(message.recipient)) {
        return {Outcome::Refused, "the address is not fit for SMTP"};
    }
    return attempt(message, TimeLimit(settings_.smtpTimeout));
}

void SmtpTransport::idle() {
    if (dialogue_) dialogue_->quit();
    dialogue_.reset();
}

std::chrono::seconds SmtpTransport::longestSend() const {
    return settings_.smtpTimeout * TimeLimit::kStepsInAll;
}

SendResult SmtpTransport::attempt(const MailMessage& message, const TimeLimit& limit) {
    const bool kept = dialogue_ != nullptr;
    bool accepted = false;
    try {
        if (!kept) dialogue_ = std::make_unique<SmtpDialogue>(settings_, tls_.get(), limit);
        SmtpReply reply = dialogue_->command("MAIL FROM", "MAIL FROM:<" + message.envelopeFrom + ">", limit);
        if (reply.kind() != 2) return refusal("MAIL FROM", reply, limit);
        accepted = true;
        reply = dialogue_->command("RCPT TO", "RCPT TO:<" + message.recipient + ">", limit);
        if (reply.kind() != 2) return refusal("RCPT TO", reply, limit);
        reply = dialogue_->command("DATA", "DATA", limit);
        if (reply.kind() != 3) return refusal("DATA", reply, limit);
        reply = dialogue_->content(message.content, limit);
        if (reply.kind() != 2) return refusal("message", reply, limit);
        return {};
    } catch (const SmtpError& error) {
        dialogue_.reset();
        // Servers end connections that rest; that says nothing about the message.
        if (kept && !accepted) return attempt(message, limit);
        // Once MAIL FROM was accepted the message may be what the server stumbles over: others may still get through.
        return {Outcome::TryLater, error.what(), accepted ? Cause::Message : Cause::Provider};
    }
}

SendResult SmtpTransport::refusal(std::string_view step, const SmtpReply& reply, const TimeLimit& limit) {
    const std::string reason = std::string(step) + ": " + reply.forLog();
    if (reply.kind() != 4 && reply.kind() != 5) throw SmtpError(reason);  // out of step: begin anew
    if (isAboutSettings(reply.code)) {
        dialogue_.reset();
        return {Outcome::TryLater, reason, Cause::Provider};
    }
    try {
        dialogue_->command("RSET", "RSET", limit);
    } catch (const SmtpError&) {
        dialogue_.reset();
    }
    return {reply.kind() == 4 ? Outcome::TryLater : Outcome::Refused, reason};
}

}  // namespace otpgate::delivery
