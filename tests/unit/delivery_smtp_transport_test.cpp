#include "delivery/smtp_transport.h"
#include "otpgate/base/errors.h"
#include "support_cpp/temporary_directory.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <arpa/inet.h>
#include <atomic>
#include <mutex>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace otpgate::delivery {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Outcome = SendResult::Outcome;
using Cause = SendResult::Cause;

// What the server awaits and what it says then; the first of a connection awaits nothing: it is the greeting.
struct Step {
    std::string awaits;  // beginning of the line; kContent: everything up to the final dot
    std::string reply;   // sent as it stands with CRLF behind it; or one of the words below
};
const std::string kContent = "(content)";
const std::string kStall = "(stall)";  // says nothing until the client goes away
const std::string kDrip = "(drip)";    // a byte now and then, never a whole line
const std::string kClose = "(close)";

using Script = std::vector<Step>;

// Serves one scripted connection after the other on a loopback port and writes down what it is told.
class ScriptedServer {
public:
    explicit ScriptedServer(std::vector<Script> scripts) : scripts_(std::move(scripts)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof address;
        CPPUNIT_ASSERT(::bind(listener_, reinterpret_cast<sockaddr*>(&address), length) == 0);
        CPPUNIT_ASSERT(::listen(listener_, 8) == 0);
        CPPUNIT_ASSERT(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) == 0);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] {
            for (const auto& script : scripts_) serve(script);
            ++finished_;
        });
    }
    ~ScriptedServer() {
        isOver_ = true;
        thread_.join();
        ::close(listener_);
    }
    ScriptedServer(const ScriptedServer&) = delete;
    ScriptedServer& operator=(const ScriptedServer&) = delete;

    unsigned port() const { return port_; }
    std::vector<std::string> lines() {
        const std::lock_guard lock(mutex_);
        return lines_;
    }
    std::vector<std::string> contents() {
        const std::lock_guard lock(mutex_);
        return contents_;
    }
    void awaitEnd() const {
        for (int i = 0; i < 5000 && finished_ == 0; ++i) std::this_thread::sleep_for(milliseconds(1));
        CPPUNIT_ASSERT_EQUAL(1, finished_.load());
    }

private:
    bool awaitInput(int socket) const {
        for (int i = 0; i < 1000 && !isOver_; ++i) {
            pollfd entry{socket, POLLIN, 0};
            if (::poll(&entry, 1, 10) > 0) return true;
        }
        return false;
    }
    // Up to and with `end`; empty when the client went away.
    std::string readUntil(int socket, std::string_view end) const {
        std::string text;
        char c = 0;
        while (!text.ends_with(end)) {
            if (!awaitInput(socket) || ::recv(socket, &c, 1, 0) != 1) return {};
            text += c;
        }
        return text;
    }
    static void say(int socket, const std::string& text) { ::send(socket, text.data(), text.size(), MSG_NOSIGNAL); }
    void drip(int socket) const {
        pollfd entry{socket, POLLIN, 0};
        while (!isOver_ && ::poll(&entry, 1, 100) == 0) say(socket, "2");
    }

    void serve(const Script& script) {
        if (!awaitInput(listener_)) return;
        const int socket = ::accept(listener_, nullptr, nullptr);
        for (const auto& step : script) {
            if (step.awaits == kContent) {
                const std::string content = readUntil(socket, "\r\n.\r\n");
                const std::lock_guard lock(mutex_);
                contents_.push_back(content);
            } else if (!step.awaits.empty()) {
                const std::string line = readUntil(socket, "\r\n");
                const std::lock_guard lock(mutex_);
                lines_.push_back(line.substr(0, line.size() - std::min<std::size_t>(2, line.size())));
                if (!line.starts_with(step.awaits)) {
                    lines_.push_back("awaited " + step.awaits);
                    break;
                }
            }
            if (step.reply == kStall) awaitInput(socket);
            if (step.reply == kDrip) drip(socket);
            if (step.reply == kStall || step.reply == kDrip || step.reply == kClose) break;
            say(socket, step.reply + "\r\n");
        }
        ::close(socket);
    }

    std::vector<Script> scripts_;
    int listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unsigned port_ = 0;
    std::atomic<bool> isOver_ = false;
    std::atomic<int> finished_ = 0;
    std::mutex mutex_;
    std::vector<std::string> lines_;
    std::vector<std::string> contents_;
    std::thread thread_;
};

const Step kGreeting{"", "220 test ESMTP"};
const Step kHello{"EHLO ", "250-test\r\n250-SIZE 1000\r\n250 AUTH LOGIN PLAIN"};
const Step kMail{"MAIL FROM:<from@a.example>", "250 2.1.0 ok"};
const Step kRecipient{"RCPT TO:<to@b.example>", "250 ok"};
const Step kData{"DATA", "354 go"};
const Step kEnd{kContent, "250 2.0.0 queued"};
const Step kReset{"RSET", "250 ok"};
const Step kQuit{"QUIT", "221 bye"};

Script operator+(Script script, const std::vector<Step>& more) {
    script.insert(script.end(), more.begin(), more.end());
    return script;
}
const Script kOpening{kGreeting, kHello};
const Script kMessage{kMail, kRecipient, kData, kEnd};

class SmtpTransportTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(SmtpTransportTest);
    CPPUNIT_TEST(speaksSmtp);
    CPPUNIT_TEST(saysHelloWithANameOrAnAddress);
    CPPUNIT_TEST(doublesDotsAtTheBeginningOfLines);
    CPPUNIT_TEST(sendsTwoMessagesOverOneConnection);
    CPPUNIT_TEST(connectsAgainWhenTheKeptConnectionIsDead);
    CPPUNIT_TEST(connectsAgainWhenTheServerTookItsLeave);
    CPPUNIT_TEST(connectsAgainOnlyOnce);
    CPPUNIT_TEST(goesOnAfterARefusalOverTheSameConnection);
    CPPUNIT_TEST(triesLaterWhenNobodyListens);
    CPPUNIT_TEST(triesLaterWhenTheHostIsUnknown);
    CPPUNIT_TEST(triesLaterForEachFailureBeforeTheMessage);
    CPPUNIT_TEST(tellsTemporaryFromFinalRefusals);
    CPPUNIT_TEST(triesLaterWhenTheServerWantsALoginFirst);
    CPPUNIT_TEST(triesLaterWhenTheConnectionBreaksAfterTheFinalDot);
    CPPUNIT_TEST(triesLaterWhenRepliesMakeNoSense);
    CPPUNIT_TEST(waitsNoLongerThanTheTimeout);
    CPPUNIT_TEST(isNotHeldByAServerThatDrips);
    CPPUNIT_TEST(logsInByPlain);
    CPPUNIT_TEST(logsInByLogin);
    CPPUNIT_TEST(doesNotSendWithoutTheLoginThatIsAskedFor);
    CPPUNIT_TEST(keepsTheRefusedPasswordToItself);
    CPPUNIT_TEST(doesNotSendWithoutTlsWhereItIsAskedFor);
    CPPUNIT_TEST(refusesRepliesThatAreSlippedInBeforeTls);
    CPPUNIT_TEST(masksAddressesInReasons);
    CPPUNIT_TEST(refusesAddressesThatWouldBreakACommand);
    CPPUNIT_TEST(namesTheSettingThatIsWrong);
    CPPUNIT_TEST_SUITE_END();

    static MailSettings settingsFor(unsigned port) {
        MailSettings settings;
        settings.from = "from@a.example";
        settings.smtpHost = "127.0.0.1";
        settings.smtpPort = port;
        settings.smtpTimeout = seconds(10);
        return settings;
    }
    static MailMessage message(const std::string& content = "Subject: x\r\n\r\nText\r\n") {
        return {"from@a.example", "to@b.example", content};
    }
    // One message over a connection that follows the script.
    static SendResult sendTo(const Script& script, const std::string& user = "",
                             SmtpSecurity security = SmtpSecurity::None, seconds timeout = seconds(10)) {
        ScriptedServer server({script});
        MailSettings settings = settingsFor(server.port());
        settings.smtpUsername = user;
        settings.smtpPassword = user.empty() ? "" : "secret";
        settings.smtpSecurity = security;
        settings.smtpTimeout = timeout;
        return SmtpTransport(settings).send(message());
    }
    static void assertResult(const SendResult& result, Outcome outcome, Cause cause, const std::string& reason) {
        CPPUNIT_ASSERT_EQUAL(reason, result.reason);
        CPPUNIT_ASSERT(result.outcome == outcome);
        CPPUNIT_ASSERT(result.cause == cause);
    }
    static void assertSent(const SendResult& result) { assertResult(result, Outcome::Sent, Cause::Message, ""); }

    void speaksSmtp() {
        ScriptedServer server({kOpening + kMessage + Script{kQuit}});
        {
            SmtpTransport transport(settingsFor(server.port()));
            assertSent(transport.send(message()));
        }
        server.awaitEnd();
        const auto lines = server.lines();
        CPPUNIT_ASSERT_EQUAL(std::size_t{5}, lines.size());
        CPPUNIT_ASSERT_EQUAL(std::string("MAIL FROM:<from@a.example>"), lines[1]);
        CPPUNIT_ASSERT_EQUAL(std::string("RCPT TO:<to@b.example>"), lines[2]);
        CPPUNIT_ASSERT_EQUAL(std::string("DATA"), lines[3]);
        CPPUNIT_ASSERT_EQUAL(std::string("QUIT"), lines[4]);
        CPPUNIT_ASSERT_EQUAL(std::string("Subject: x\r\n\r\nText\r\n.\r\n"), server.contents().at(0));
    }

    void saysHelloWithANameOrAnAddress() {
        ScriptedServer server({kOpening + kMessage});
        assertSent(SmtpTransport(settingsFor(server.port())).send(message()));
        const std::string name = server.lines().at(0).substr(5);
        CPPUNIT_ASSERT_MESSAGE(name, name == "[127.0.0.1]" || name.find('.') != std::string::npos);
    }

    void doublesDotsAtTheBeginningOfLines() {
        ScriptedServer server({kOpening + kMessage});
        const std::string content = ".\r\n..a\r\nb.\r\n.\r\n";
        assertSent(SmtpTransport(settingsFor(server.port())).send(message(content)));
        CPPUNIT_ASSERT_EQUAL(std::string("..\r\n...a\r\nb.\r\n..\r\n.\r\n"), server.contents().at(0));
    }

    void sendsTwoMessagesOverOneConnection() {
        ScriptedServer server({kOpening + kMessage + kMessage + Script{kQuit}});
        SmtpTransport transport(settingsFor(server.port()));
        assertSent(transport.send(message("one\r\n")));
        assertSent(transport.send(message("two\r\n")));
        transport.idle();
        server.awaitEnd();
        CPPUNIT_ASSERT((server.contents() == std::vector<std::string>{"one\r\n.\r\n", "two\r\n.\r\n"}));
        CPPUNIT_ASSERT_EQUAL(std::string("QUIT"), server.lines().back());
    }

    void connectsAgainWhenTheKeptConnectionIsDead() {
        ScriptedServer server({kOpening + kMessage, kOpening + kMessage});
        SmtpTransport transport(settingsFor(server.port()));
        assertSent(transport.send(message("one\r\n")));
        assertSent(transport.send(message("two\r\n")));
        CPPUNIT_ASSERT_EQUAL(std::string("two\r\n.\r\n"), server.contents().at(1));
    }

    void connectsAgainWhenTheServerTookItsLeave() {
        ScriptedServer server({kOpening + kMessage + Script{{"MAIL FROM:", "421 4.4.2 idle"}}, kOpening + kMessage});
        SmtpTransport transport(settingsFor(server.port()));
        assertSent(transport.send(message("one\r\n")));
        assertSent(transport.send(message("two\r\n")));
    }

    void connectsAgainOnlyOnce() {
        ScriptedServer server({kOpening + kMessage, kOpening + Script{{"MAIL FROM:", kClose}}, kOpening + kMessage});
        SmtpTransport transport(settingsFor(server.port()));
        assertSent(transport.send(message()));
        assertResult(transport.send(message()), Outcome::TryLater, Cause::Provider,
                     "MAIL FROM: the server closed the connection");
    }

    void goesOnAfterARefusalOverTheSameConnection() {
        ScriptedServer server({kOpening + Script{kMail, {"RCPT TO:", "550 5.1.1 unknown"}, kReset} + kMessage});
        SmtpTransport transport(settingsFor(server.port()));
        assertResult(transport.send(message()), Outcome::Refused, Cause::Message, "RCPT TO: 550 5.1.1 unknown");
        assertSent(transport.send(message()));
    }

    void triesLaterWhenNobodyListens() {
        unsigned port = 0;
        {
            const ScriptedServer server({});
            port = server.port();
        }
        assertResult(SmtpTransport(settingsFor(port)).send(message()), Outcome::TryLater, Cause::Provider,
                     "connect: Connection refused");
    }

    void triesLaterWhenTheHostIsUnknown() {
        MailSettings settings = settingsFor(25);
        settings.smtpHost = "256.256.256.256.";
        const SendResult result = SmtpTransport(settings).send(message());
        CPPUNIT_ASSERT_MESSAGE(result.reason, result.reason.starts_with("name lookup: "));
        CPPUNIT_ASSERT(result.outcome == Outcome::TryLater && result.cause == Cause::Provider);
    }

    void triesLaterForEachFailureBeforeTheMessage() {
        const std::vector<std::pair<Script, std::string>> cases{
            {{{"", "421 busy"}}, "greeting: 421 busy"},
            {{{"", "554 5.7.1 no"}}, "greeting: 554 5.7.1 no"},
            {{{"", kClose}}, "greeting: the server closed the connection"},
            {{kGreeting, {"EHLO", "421 busy"}}, "EHLO: 421 busy"},
            {{kGreeting, {"EHLO", "450 busy"}}, "EHLO: 450 busy"},
            {{kGreeting, {"EHLO", "550 bad name"}}, "EHLO: 550 bad name"},
            {{kGreeting, {"EHLO", kClose}}, "EHLO: the server closed the connection"},
            {kOpening + Script{{"MAIL", "421 bye"}}, "MAIL FROM: 421 bye"},
            {kOpening + Script{{"MAIL", kClose}}, "MAIL FROM: the server closed the connection"},
        };
        for (const auto& [script, reason] : cases)
            assertResult(sendTo(script), Outcome::TryLater, Cause::Provider, reason);
    }

    void tellsTemporaryFromFinalRefusals() {
        const std::vector<std::pair<Script, std::string>> steps{
            {kOpening, "MAIL FROM"},
            {kOpening + Script{kMail}, "RCPT TO"},
            {kOpening + Script{kMail, kRecipient}, "DATA"},
            {kOpening + Script{kMail, kRecipient, kData}, "message"},
        };
        for (const auto& [script, step] : steps) {
            const std::string awaits = step == "message" ? kContent : step;
            assertResult(sendTo(script + Script{{awaits, "450 4.2.0 later"}, kReset}), Outcome::TryLater,
                         Cause::Message, step + ": 450 4.2.0 later");
            assertResult(sendTo(script + Script{{awaits, "550-5.7.1 no\r\n550 5.7.1 never"}, kReset}), Outcome::Refused,
                         Cause::Message, step + ": 550 5.7.1 no 5.7.1 never");
        }
    }

    void triesLaterWhenTheServerWantsALoginFirst() {
        assertResult(sendTo(kOpening + Script{{"MAIL", "530 5.7.0 log in first"}}), Outcome::TryLater, Cause::Provider,
                     "MAIL FROM: 530 5.7.0 log in first");
    }

    void triesLaterWhenTheConnectionBreaksAfterTheFinalDot() {
        assertResult(sendTo(kOpening + Script{kMail, kRecipient, kData, {kContent, kClose}}), Outcome::TryLater,
                     Cause::Message, "message: the server closed the connection");
    }

    void triesLaterWhenRepliesMakeNoSense() {
        for (const std::string& reply : {std::string("HTTP/1.1 400 Bad Request"), std::string("22"),
                                         std::string("220+x"), std::string("\x16\x03\x01")}) {
            assertResult(sendTo({{"", reply}}), Outcome::TryLater, Cause::Provider,
                         "greeting: the server does not speak SMTP");
        }
        assertResult(sendTo({{"", std::string(10000, '2')}}), Outcome::TryLater, Cause::Provider,
                     "greeting: the server's line is too long");
        assertResult(sendTo(kOpening + Script{kMail, kRecipient, {"DATA", "250 what"}}), Outcome::TryLater,
                     Cause::Message, "DATA: 250 what");
    }

    void waitsNoLongerThanTheTimeout() {
        const auto start = std::chrono::steady_clock::now();
        assertResult(sendTo({{"", kStall}}, "", SmtpSecurity::None, seconds(1)), Outcome::TryLater, Cause::Provider,
                     "greeting: timeout");
        CPPUNIT_ASSERT(std::chrono::steady_clock::now() - start < milliseconds(2500));
    }

    void isNotHeldByAServerThatDrips() {
        const auto start = std::chrono::steady_clock::now();
        assertResult(sendTo({kGreeting, {"EHLO", kDrip}}, "", SmtpSecurity::None, seconds(1)), Outcome::TryLater,
                     Cause::Provider, "EHLO: timeout");
        CPPUNIT_ASSERT(std::chrono::steady_clock::now() - start < milliseconds(2500));
    }

    void logsInByPlain() {
        // \0user\0secret
        assertSent(sendTo(kOpening + Script{{"AUTH PLAIN AHVzZXIAc2VjcmV0\r\n", "235 2.7.0 ok"}} + kMessage, "user"));
    }

    void logsInByLogin() {
        const Script script{kGreeting,
                            {"EHLO", "250-test\r\n250 AUTH CRAM-MD5 LOGIN"},
                            {"AUTH LOGIN\r\n", "334 VXNlcm5hbWU6"},
                            {"dXNlcg==\r\n", "334 UGFzc3dvcmQ6"},
                            {"c2VjcmV0\r\n", "235 ok"}};
        assertSent(sendTo(script + kMessage, "user"));
    }

    void doesNotSendWithoutTheLoginThatIsAskedFor() {
        for (const char* extensions :
             {"250 test", "250-test\r\n250 AUTH CRAM-MD5 XPLAIN", "250-test\r\n250 AUTHPLAIN"}) {
            assertResult(sendTo(Script{kGreeting, {"EHLO", extensions}}, "user"), Outcome::TryLater, Cause::Provider,
                         "the server offers neither AUTH PLAIN nor AUTH LOGIN");
        }
    }

    void keepsTheRefusedPasswordToItself() {
        const std::string echo = "AHVzZXIAc2VjcmV0 user:secret";
        assertResult(sendTo(kOpening + Script{{"AUTH", "535 5.7.8 bad " + echo}}, "user"), Outcome::TryLater,
                     Cause::Provider, "AUTH: 535 5.7.8");
        assertResult(sendTo(kOpening + Script{{"AUTH", "535 " + echo}}, "user"), Outcome::TryLater, Cause::Provider,
                     "AUTH: 535");
        assertResult(sendTo(kOpening + Script{{"AUTH", "421 " + echo}}, "user"), Outcome::TryLater, Cause::Provider,
                     "AUTH: 421");
        assertResult(sendTo(kOpening + Script{{"AUTH", "454 4.7.0 later"}}, "user"), Outcome::TryLater, Cause::Provider,
                     "AUTH: 454 4.7.0");
    }

    void doesNotSendWithoutTlsWhereItIsAskedFor() {
        assertResult(sendTo(kOpening, "user", SmtpSecurity::StartTls), Outcome::TryLater, Cause::Provider,
                     "the server does not offer STARTTLS");
        const Step hello{"EHLO", "250-test\r\n250 STARTTLS"};
        assertResult(sendTo({kGreeting, hello, {"STARTTLS", "454 4.7.0 not now"}}, "user", SmtpSecurity::StartTls),
                     Outcome::TryLater, Cause::Provider, "STARTTLS: 454 4.7.0 not now");
        const Step untilTheClientGoes{"(nothing that a client would say)", ""};
        assertResult(sendTo({kGreeting, untilTheClientGoes}, "", SmtpSecurity::Tls), Outcome::TryLater, Cause::Provider,
                     "TLS: wrong version number");
        // Closed or reset: whether the server has read what the client began with is chance.
        const SendResult closed = sendTo({kGreeting, hello, {"STARTTLS", "220 go"}}, "", SmtpSecurity::StartTls);
        CPPUNIT_ASSERT_MESSAGE(closed.reason, closed.reason.starts_with("TLS: "));
        CPPUNIT_ASSERT(closed.outcome == Outcome::TryLater && closed.cause == Cause::Provider);
    }

    void refusesRepliesThatAreSlippedInBeforeTls() {
        const Script script{kGreeting, {"EHLO", "250-test\r\n250 STARTTLS"}, {"STARTTLS", "220 go\r\n250 AUTH PLAIN"}};
        assertResult(sendTo(script, "", SmtpSecurity::StartTls), Outcome::TryLater, Cause::Provider,
                     "TLS: the server sent more than its consent");
    }

    void masksAddressesInReasons() {
        assertResult(sendTo(kOpening + Script{kMail, {"RCPT", "550 5.1.1 <to@b.example>: to@b.example, x@y"}, kReset}),
                     Outcome::Refused, Cause::Message, "RCPT TO: 550 5.1.1 <(address)>: (address), (address)");
        const std::string filler(150, '.');
        const SendResult cut = sendTo(kOpening + Script{kMail, {"RCPT", "550 " + filler + " to@b.example"}, kReset});
        CPPUNIT_ASSERT(cut.reason.size() < 200);
        CPPUNIT_ASSERT(cut.reason.find("to@") == std::string::npos && cut.reason.find(" to") == std::string::npos);
    }

    void refusesAddressesThatWouldBreakACommand() {
        SmtpTransport transport(settingsFor(1));
        for (const char* address :
             {"", "a@b.example>\r\nRCPT TO:<c@d.example", "a@b.example\n", "a b@c.example", "a@b.example>"}) {
            CPPUNIT_ASSERT(transport.send({"from@a.example", address, ""}).outcome == Outcome::Refused);
            CPPUNIT_ASSERT(transport.send({address, "to@b.example", ""}).outcome == Outcome::Refused);
        }
    }

    void namesTheSettingThatIsWrong() {
        const test::TemporaryDirectory files;
        const auto reasonFor = [](const MailSettings& settings) -> std::string {
            try {
                makeMailTransport(settings);
            } catch (const ConfigurationError& error) {
                return error.what();
            }
            return "accepted";
        };
        MailSettings settings = settingsFor(25);
        CPPUNIT_ASSERT_EQUAL(std::string("accepted"), reasonFor(settings));
        settings.from = "nobody";
        CPPUNIT_ASSERT(reasonFor(settings).starts_with("mail.from "));
        settings = settingsFor(0);
        CPPUNIT_ASSERT(reasonFor(settings).starts_with("mail.smtp_port "));
        settings = settingsFor(25);
        settings.smtpHost = "a\r\nb";
        CPPUNIT_ASSERT(reasonFor(settings).starts_with("mail.smtp_host "));
        settings = settingsFor(25);
        settings.smtpUsername = "user";
        CPPUNIT_ASSERT(reasonFor(settings).starts_with("mail.smtp_username "));
        settings = settingsFor(25);
        settings.smtpSecurity = SmtpSecurity::StartTls;
        for (const std::string& file : {files.path("missing"), files.write("empty", "")}) {
            settings.smtpCaFile = file;
            CPPUNIT_ASSERT(reasonFor(settings).starts_with("mail.smtp_ca_file "));
        }
        settings.transport = MailTransportKind::Null;
        CPPUNIT_ASSERT_EQUAL(std::string("accepted"), reasonFor(settings));
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SmtpTransportTest);

}  // namespace
}  // namespace otpgate::delivery
