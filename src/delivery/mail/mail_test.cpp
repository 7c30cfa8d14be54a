#include "otpgate/delivery/mail_test.h"

#include "delivery/mail/file_transport.h"
#include "delivery/mail/mailbox.h"
#include "delivery/mail/mime.h"
#include "delivery/mail/smtp_advice.h"
#include "delivery/mail/smtp_transport.h"
#include "otpgate/delivery/mail_transport.h"

#include <algorithm>
#include <ostream>

namespace otpgate::delivery {

namespace {

// Shows the dialogue; whatever the server sends could be meant for the terminal, so only ASCII passes.
class ShownTranscript final : public SmtpTranscript {
public:
    explicit ShownTranscript(std::ostream& out) : out_(out) {}
    void sent(std::string_view line) override { show("C: ", line); }
    void received(std::string_view line) override { show("S: ", line); }
    void noted(std::string_view text) override { show("-- ", text); }

private:
    void show(std::string_view who, std::string_view text) {
        std::string safe(text);
        std::replace_if(
            safe.begin(), safe.end(), [](char c) { return c < 0x20 || c > 0x7E; }, '?');
        out_ << who << safe << '\n' << std::flush;
    }
    std::ostream& out_;
};

MailMessage composeTest(const Mailbox& sender, const TestMail& mail, std::string_view server) {
    const std::string domain = sender.address.substr(sender.address.rfind('@') + 1);
    const std::string text = "This is the test message of `otpgate mail-test`.\n\nIt left through " +
                             std::string(server) + ", and you can read it: codes will arrive, too.\n";
    const std::string recipient = mail.recipient.mailbox();
    const MailHead head{sender.toHeader(), recipient, "Test message of otpgate", mail.now, mail.id.toString(), domain};
    return {sender.address, recipient, toMessage(head, text)};
}

bool show(const SendResult& result, std::string_view section, std::ostream& out) {
    if (result.outcome == SendResult::Outcome::Sent) {
        out << "sent\n";
        return true;
    }
    out << "failed: " << result.reason << '\n';
    const std::string advice = smtpAdvice(result.reason, section);
    if (!advice.empty()) out << "what to change: " << advice << '\n';
    return false;
}

bool testServer(const SmtpServer& server, const MailSettings& settings, const TestMail& mail, std::ostream& out) {
    const auto sender = Mailbox::parse(settings.from);
    const std::string name = server.host + ":" + std::to_string(server.port);
    out << "[" << server.section << "] " << name << '\n' << std::flush;
    ShownTranscript transcript(out);
    SmtpTransport transport(server, settings.smtpManners, &transcript);
    const SendResult result = transport.send(composeTest(sender.value(), mail, name));
    transport.idle();
    return show(result, server.section, out);
}

bool testFile(const MailSettings& settings, const TestMail& mail, std::ostream& out) {
    FileTransport transport(settings.directory);
    const SendResult result =
        transport.send(composeTest(Mailbox::parse(settings.from).value(), mail, "mail.directory"));
    if (result.outcome != SendResult::Outcome::Sent) return show(result, "mail", out);
    out << "written to " << transport.lastFile() << " (mail.transport = file)\n";
    return true;
}

MailProbe probeServer(const SmtpServer& server, const MailSettings& settings) {
    SmtpTransport transport(server, settings.smtpManners);
    const SendResult result = transport.greet();
    transport.idle();
    const bool isSecured = server.security != SmtpSecurity::None;
    const bool isHere = server.host == "localhost" || server.host.starts_with("127.") || server.host == "::1";
    MailProbe probe;
    probe.section = server.section;
    probe.server = server.host + ":" + std::to_string(server.port);
    probe.isSecured = isSecured;
    probe.isRemoteInClear = !isSecured && !isHere;
    if (result.outcome != SendResult::Outcome::Sent) {
        probe.fault = result.reason;
        probe.advice = smtpAdvice(result.reason, server.section);
    }
    return probe;
}

}  // namespace

bool testMail(const MailSettings& settings, const TestMail& mail, std::ostream& out) {
    makeMailTransport(settings);  // every mistake of the settings, before anything is said
    switch (settings.transport) {
    case MailTransportKind::Smtp: break;
    case MailTransportKind::File: return testFile(settings, mail, out);
    case MailTransportKind::Null:
        out << "nothing was sent: mail.transport = null sends nothing; set it to smtp\n";
        return false;
    }
    const bool isFirstGood = testServer(settings.smtp, settings, mail, out);
    if (settings.fallback.host.empty()) return isFirstGood;
    out << '\n';
    return testServer(settings.fallback, settings, mail, out) && isFirstGood;
}

std::vector<MailProbe> probeMail(const MailSettings& settings) {
    makeMailTransport(settings);  // every mistake of the settings
    std::vector<MailProbe> probes{probeServer(settings.smtp, settings)};
    if (!settings.fallback.host.empty()) probes.push_back(probeServer(settings.fallback, settings));
    return probes;
}

}  // namespace otpgate::delivery
