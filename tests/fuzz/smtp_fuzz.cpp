// What a mail server answers: any bytes, at once, then nothing more. $C is the code, $P the password, $R the recipient.
#include "fuzz/loopback.h"
#include "otpgate/delivery/mail_transport.h"

#include <algorithm>
#include <array>
#include <memory>

namespace {

using namespace otpgate;

constexpr std::string_view kMailedCode = "7350216948";
constexpr std::string_view kPassword = "correct-horse-battery";
constexpr std::string_view kRecipient = "to@b.example";
constexpr std::string_view kBody = "Subject: x\r\n\r\n7350216948\r\n.\r\n..two\r\nend\r\n";

std::string lowerCase(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return out;
}

// What was said is lines, each with CR LF, and the content once at most, with its dots doubled.
void requireHeard(std::string heard, bool isSent) {
    // What follows is TLS.
    constexpr std::string_view kStartTls = "STARTTLS\r\n";
    if (const auto tls = heard.find(kStartTls); tls != std::string::npos) heard.resize(tls + kStartTls.size());
    for (std::size_t i = 0; i < heard.size(); ++i) {
        if (heard[i] == '\n') REQUIRE(i > 0 && heard[i - 1] == '\r');
        if (heard[i] == '\r') REQUIRE(i + 1 < heard.size() && heard[i + 1] == '\n');
    }
    REQUIRE(heard.find(kPassword) == std::string::npos);  // within base64 alone
    const std::string content = "Subject: x\r\n\r\n7350216948\r\n..\r\n...two\r\nend\r\n.\r\n";
    const auto at = heard.find(content);
    if (isSent) REQUIRE(at != std::string::npos);
    if (at == std::string::npos) return;
    REQUIRE(heard.find(content, at + 1) == std::string::npos);
    REQUIRE(heard.find("MAIL FROM:<from@a.example>") < at && heard.find("RCPT TO:<to@b.example>") < at &&
            heard.find("DATA\r\n") < at);
}

// One for each kind of settings, because the authorities of TLS take long to read.
delivery::MailTransport& transportFor(unsigned port, unsigned choice) {
    static std::array<std::unique_ptr<delivery::MailTransport>, 4> transports;
    auto& transport = transports.at(choice);
    if (transport) return *transport;
    delivery::MailSettings settings;
    settings.from = "from@a.example";
    settings.smtp.host = "127.0.0.1";
    settings.smtp.port = port;
    if ((choice & 1U) != 0) {
        settings.smtp.username = "user";
        settings.smtp.password = kPassword;
    }
    if ((choice & 2U) != 0) settings.smtp.security = delivery::SmtpSecurity::StartTls;
    transport = delivery::makeMailTransport(settings);
    return *transport;
}

}  // namespace

FUZZ_TARGET(smtp) {
    static fuzz::Loopback server;
    fuzz::Input bytes(input);
    const unsigned choice = bytes.byte();
    delivery::MailTransport& transport = transportFor(server.port(), choice % 4);
    server.say(fuzz::filled(bytes.rest(), {{'C', kMailedCode}, {'P', kPassword}, {'R', kRecipient}}));
    const delivery::SendResult result =
        transport.send({"from@a.example", std::string{kRecipient}, std::string{kBody}, std::string{kMailedCode}});
    transport.idle();
    const std::string heard = server.heard();

    using Outcome = delivery::SendResult::Outcome;
    REQUIRE(server.connections() == 1);
    REQUIRE((result.outcome == Outcome::Sent) == result.reason.empty());
    REQUIRE(std::all_of(result.reason.begin(), result.reason.end(), [](char c) { return c >= ' ' && c <= '~'; }));
    REQUIRE(result.reason.size() < 400);
    const std::string reason = lowerCase(result.reason);
    for (const std::string_view secret : {kMailedCode, kRecipient}) REQUIRE(reason.find(secret) == std::string::npos);
    // Without a login there is no such password.
    if ((choice & 1U) != 0) REQUIRE(reason.find(kPassword) == std::string::npos);
    // No TLS came, so nothing of a message did either.
    if ((choice & 2U) != 0) REQUIRE(result.outcome == Outcome::TryLater);
    requireHeard(heard, result.outcome == Outcome::Sent);
}
