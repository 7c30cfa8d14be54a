#include "delivery/mail/smtp_transport.h"
#include "support_cpp/scripted_smtp_server.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <chrono>
#include <vector>

namespace otpgate::delivery {
namespace delivery_smtp_transport_test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Outcome = SendResult::Outcome;
using Cause = SendResult::Cause;

using test::kClose;
using test::kContent;
using test::kData;
using test::kDrip;
using test::kGreeting;
using test::kMail;
using test::kMessage;
using test::kNothing;
using test::kOpening;
using test::kQuit;
using test::kRecipient;
using test::kReset;
using test::kStall;
using test::Script;
using test::ScriptedServer;
using test::serverAt;
using test::Step;

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
    CPPUNIT_TEST(sendsTheEnvelopeInOnePacketWhereItMay);
    CPPUNIT_TEST(keepsToTheFirstRefusalOfAPacket);
    CPPUNIT_TEST(sendsNobodysMessageEmpty);
    CPPUNIT_TEST(triesLaterWhenTheServerWantsALoginFirst);
    CPPUNIT_TEST(triesLaterWhenTheConnectionBreaksAfterTheFinalDot);
    CPPUNIT_TEST(takesALeaveAsTheServersMatterAtEachStep);
    CPPUNIT_TEST(asksNothingAboutTheSizeOfWhoDoesNotOfferIt);
    CPPUNIT_TEST(waitsForTheFinalAnswerByATimeOfItsOwn);
    CPPUNIT_TEST(sendsNothingLaterThanItSays);
    CPPUNIT_TEST(triesLaterWhenRepliesMakeNoSense);
    CPPUNIT_TEST(waitsNoLongerThanTheTimeout);
    CPPUNIT_TEST(isNotHeldByAServerThatDrips);
    CPPUNIT_TEST(doesNotSendWithoutTlsWhereItIsAskedFor);
    CPPUNIT_TEST(refusesRepliesThatAreSlippedInBeforeTls);
    CPPUNIT_TEST(masksAddressesInReasons);
    CPPUNIT_TEST(speaksTheDialectFromBeforeTheExtensions);
    CPPUNIT_TEST(takesAnAddressInBrackets);
    CPPUNIT_TEST(tellsNothingThatWasTold);
    CPPUNIT_TEST(refusesAddressesThatWouldBreakACommand);
    CPPUNIT_TEST(tellsTheServerOfAnAddressBeyondAscii);
    CPPUNIT_TEST(refusesAnAddressBeyondAsciiWhereTheServerCannotCarryIt);
    CPPUNIT_TEST_SUITE_END();

    static SmtpManners mannersWith(seconds timeout) {
        return {.timeouts = {timeout, timeout, timeout}, .plaintextAuth = PlaintextAuth::Forbidden};
    }
    static MailMessage message(const std::string& content = "Subject: x\r\n\r\nText\r\n") {
        return test::shortMessage(content);
    }
    // One message over a connection that follows the script.
    static SendResult sendTo(const Script& script, SmtpSecurity security = SmtpSecurity::None,
                             seconds timeout = seconds(10)) {
        ScriptedServer server({script});
        SmtpServer settings = serverAt(server.port());
        settings.security = security;
        return SmtpTransport(settings, mannersWith(timeout)).send(message());
    }
    // A failure of the server is told with its name.
    static void assertResult(const SendResult& result, Outcome outcome, Cause cause, const std::string& reason) {
        CPPUNIT_ASSERT_EQUAL(reason, test::withoutServer(result.reason));
        CPPUNIT_ASSERT(result.outcome == outcome);
        CPPUNIT_ASSERT(result.cause == cause);
        CPPUNIT_ASSERT_MESSAGE(result.reason, (cause == Cause::Provider) == (reason != result.reason));
    }
    static void assertSent(const SendResult& result) { assertResult(result, Outcome::Sent, Cause::Message, ""); }

    void speaksSmtp() {
        ScriptedServer server({kOpening + kMessage + Script{kQuit}});
        {
            SmtpTransport transport(serverAt(server.port()), {});
            assertSent(transport.send(message()));
        }
        server.awaitEnd();
        const auto lines = server.lines();
        CPPUNIT_ASSERT_EQUAL(std::size_t{5}, lines.size());
        CPPUNIT_ASSERT_EQUAL(std::string("MAIL FROM:<from@a.example> SIZE=20"), lines[1]);
        CPPUNIT_ASSERT_EQUAL(std::string("RCPT TO:<to@b.example>"), lines[2]);
        CPPUNIT_ASSERT_EQUAL(std::string("DATA"), lines[3]);
        CPPUNIT_ASSERT_EQUAL(std::string("QUIT"), lines[4]);
        CPPUNIT_ASSERT_EQUAL(std::string("Subject: x\r\n\r\nText\r\n.\r\n"), server.contents().at(0));
    }

    void saysHelloWithANameOrAnAddress() {
        ScriptedServer server({kOpening + kMessage});
        assertSent(SmtpTransport(serverAt(server.port()), {}).send(message()));
        const std::string name = server.lines().at(0).substr(5);
        CPPUNIT_ASSERT_MESSAGE(name, name == "[127.0.0.1]" || name.find('.') != std::string::npos);
    }

    void doublesDotsAtTheBeginningOfLines() {
        ScriptedServer server({kOpening + kMessage});
        const std::string content = ".\r\n..a\r\nb.\r\n.\r\n";
        assertSent(SmtpTransport(serverAt(server.port()), {}).send(message(content)));
        CPPUNIT_ASSERT_EQUAL(std::string("..\r\n...a\r\nb.\r\n..\r\n.\r\n"), server.contents().at(0));
    }

    void sendsTwoMessagesOverOneConnection() {
        ScriptedServer server({kOpening + kMessage + kMessage + Script{kQuit}});
        SmtpTransport transport(serverAt(server.port()), {});
        assertSent(transport.send(message("one\r\n")));
        assertSent(transport.send(message("two\r\n")));
        transport.idle();
        server.awaitEnd();
        CPPUNIT_ASSERT((server.contents() == std::vector<std::string>{"one\r\n.\r\n", "two\r\n.\r\n"}));
        CPPUNIT_ASSERT_EQUAL(std::string("QUIT"), server.lines().back());
    }

    void connectsAgainWhenTheKeptConnectionIsDead() {
        ScriptedServer server({kOpening + kMessage, kOpening + kMessage});
        SmtpTransport transport(serverAt(server.port()), {});
        assertSent(transport.send(message("one\r\n")));
        assertSent(transport.send(message("two\r\n")));
        CPPUNIT_ASSERT_EQUAL(std::string("two\r\n.\r\n"), server.contents().at(1));
    }

    void connectsAgainWhenTheServerTookItsLeave() {
        ScriptedServer server({kOpening + kMessage + Script{{"MAIL FROM:", "421 4.4.2 idle"}}, kOpening + kMessage});
        SmtpTransport transport(serverAt(server.port()), {});
        assertSent(transport.send(message("one\r\n")));
        assertSent(transport.send(message("two\r\n")));
    }

    void connectsAgainOnlyOnce() {
        ScriptedServer server({kOpening + kMessage, kOpening + Script{{"MAIL FROM:", kClose}}, kOpening + kMessage});
        SmtpTransport transport(serverAt(server.port()), {});
        assertSent(transport.send(message()));
        assertResult(transport.send(message()), Outcome::TryLater, Cause::Provider,
                     "MAIL FROM: the server closed the connection");
    }

    void goesOnAfterARefusalOverTheSameConnection() {
        ScriptedServer server({kOpening + Script{kMail, {"RCPT TO:", "550 5.1.1 unknown"}, kReset} + kMessage});
        SmtpTransport transport(serverAt(server.port()), {});
        assertResult(transport.send(message()), Outcome::Refused, Cause::Message, "RCPT TO: 550 5.1.1 unknown");
        assertSent(transport.send(message()));
    }

    void triesLaterWhenNobodyListens() {
        unsigned port = 0;
        {
            const ScriptedServer server({});
            port = server.port();
        }
        assertResult(SmtpTransport(serverAt(port), {}).send(message()), Outcome::TryLater, Cause::Provider,
                     "connect: Connection refused");
    }

    void triesLaterWhenTheHostIsUnknown() {
        SmtpServer settings = serverAt(25);
        settings.host = "256.256.256.256.";
        const SendResult result = SmtpTransport(settings, {}).send(message());
        CPPUNIT_ASSERT_MESSAGE(result.reason, result.reason.starts_with("256.256.256.256.:25: name lookup: "));
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
                         Cause::Message, step + ": 550 5.7.1 no never");
        }
    }

    // A server that says nothing to the first commands until it has got the third.
    static Script packetWith(const std::string& replies) {
        return Script{kGreeting,
                      {"EHLO", "250-test\r\n250 PIPELINING"},
                      {kMail.awaits, kNothing},
                      {kRecipient.awaits, kNothing},
                      {kData.awaits, replies}};
    }

    void sendsTheEnvelopeInOnePacketWhereItMay() {
        assertSent(sendTo(packetWith("250 ok\r\n250 ok\r\n354 go") + Script{test::kEnd}));
    }

    void keepsToTheFirstRefusalOfAPacket() {
        assertResult(sendTo(packetWith("550 5.7.1 not you\r\n503 no sender\r\n503 no recipient") + Script{kReset}),
                     Outcome::Refused, Cause::Message, "MAIL FROM: 550 5.7.1 not you");
        assertResult(sendTo(packetWith("250 ok\r\n450 4.2.0 later\r\n503 no recipient") + Script{kReset}),
                     Outcome::TryLater, Cause::Message, "RCPT TO: 450 4.2.0 later");
        assertResult(sendTo(packetWith("250 ok\r\n250 ok\r\n451 4.3.0 later") + Script{kReset}), Outcome::TryLater,
                     Cause::Message, "DATA: 451 4.3.0 later");
        // Also where the server goes away after it.
        assertResult(sendTo(packetWith("550 5.7.1 not you\r\n421 4.3.2 bye")), Outcome::Refused, Cause::Message,
                     "MAIL FROM: 550 5.7.1 not you");
        assertResult(sendTo(packetWith("250 ok\r\n421 4.3.2 bye")), Outcome::TryLater, Cause::Provider,
                     "RCPT TO: 421 4.3.2 bye");
    }

    // RFC 2920, section 3.1: a server may take DATA though nobody is left to get the message.
    void sendsNobodysMessageEmpty() {
        ScriptedServer server({packetWith("250 ok\r\n550 5.1.1 nobody\r\n354 go") +
                               Script{{".\r\n", "554 5.5.1 no valid recipients"}, kReset} + kMessage});
        SmtpTransport transport(serverAt(server.port()), mannersWith(seconds(10)));
        assertResult(transport.send(message()), Outcome::Refused, Cause::Message, "RCPT TO: 550 5.1.1 nobody");
        assertSent(transport.send(message()));
        CPPUNIT_ASSERT_EQUAL(std::string("Subject: x\r\n\r\nText\r\n.\r\n"), server.contents().at(0));
    }

    void triesLaterWhenTheServerWantsALoginFirst() {
        assertResult(sendTo(kOpening + Script{{"MAIL", "530 5.7.0 log in first"}}), Outcome::TryLater, Cause::Provider,
                     "MAIL FROM: 530 5.7.0 log in first");
    }

    void triesLaterWhenTheConnectionBreaksAfterTheFinalDot() {
        assertResult(sendTo(kOpening + Script{kMail, kRecipient, kData, {kContent, kClose}}), Outcome::TryLater,
                     Cause::Message, "message: the server closed the connection");
    }

    void takesALeaveAsTheServersMatterAtEachStep() {
        const std::vector<std::pair<Script, std::string>> steps{
            {{kMail}, "RCPT TO"}, {{kMail, kRecipient}, "DATA"}, {{kMail, kRecipient, kData}, "message"}};
        for (const auto& [script, step] : steps) {
            const std::string awaits = step == "message" ? kContent : step;
            assertResult(sendTo(kOpening + script + Script{{awaits, "421 4.3.2 shutting down"}}), Outcome::TryLater,
                         Cause::Provider, step + ": 421 4.3.2 shutting down");
        }
    }

    void asksNothingAboutTheSizeOfWhoDoesNotOfferIt() {
        const Script script{
            kGreeting, {"EHLO", "250-test\r\n250 SIZEABLE"}, {"MAIL FROM:<from@a.example>\r\n", "250 ok"}};
        assertSent(sendTo(script + Script{kRecipient, kData, test::kEnd}));
    }

    void waitsForTheFinalAnswerByATimeOfItsOwn() {
        const Script script = kOpening + Script{kMail, kRecipient, kData, {kContent, kStall}};
        ScriptedServer server({script});
        const auto start = std::chrono::steady_clock::now();
        SmtpTransport transport(serverAt(server.port()), {{seconds(1), seconds(1), seconds(2)}});
        assertResult(transport.send(message()), Outcome::TryLater, Cause::Message, "message: timeout");
        const auto took = std::chrono::steady_clock::now() - start;
        CPPUNIT_ASSERT(took > milliseconds(1900) && took < milliseconds(3500));
    }

    // Each answer comes before its own timeout, so only the bound over all of them ends it.
    void sendsNothingLaterThanItSays() {
        const auto slow = [](const Step& step) { return Step{step.awaits, test::kSlow + step.reply}; };
        ScriptedServer server({{slow(kGreeting), slow(test::kHello), slow(kMail), slow(kRecipient), slow(kData)}});
        SmtpTransport transport(serverAt(server.port()), mannersWith(seconds(1)));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{4}, static_cast<std::int64_t>(transport.longestSend().count()));
        const auto start = std::chrono::steady_clock::now();
        assertResult(transport.send(message()), Outcome::TryLater, Cause::Message, "DATA: timeout");
        CPPUNIT_ASSERT(std::chrono::steady_clock::now() - start > milliseconds(2900));
    }

    void triesLaterWhenRepliesMakeNoSense() {
        for (const std::string& reply : {std::string("HTTP/1.1 400 Bad Request"), std::string("22"),
                                         std::string("220+x"), std::string("\x16\x03\x01")}) {
            assertResult(sendTo({{"", reply}}), Outcome::TryLater, Cause::Provider,
                         "greeting: the server does not speak SMTP");
        }
        std::string endless;
        for (int line = 0; line < 100; ++line) endless += "220-one more\r\n";
        assertResult(sendTo({{"", endless + "220 the last"}}), Outcome::TryLater, Cause::Provider,
                     "greeting: the server does not speak SMTP");
        assertResult(sendTo({{"", std::string(10000, '2')}}), Outcome::TryLater, Cause::Provider,
                     "greeting: the server's line is too long");
        assertResult(sendTo(kOpening + Script{kMail, kRecipient, {"DATA", "250 what"}}), Outcome::TryLater,
                     Cause::Message, "DATA: 250 what");
    }

    void waitsNoLongerThanTheTimeout() {
        const auto start = std::chrono::steady_clock::now();
        assertResult(sendTo({{"", kStall}}, SmtpSecurity::None, seconds(1)), Outcome::TryLater, Cause::Provider,
                     "greeting: timeout");
        CPPUNIT_ASSERT(std::chrono::steady_clock::now() - start < milliseconds(2500));
    }

    void isNotHeldByAServerThatDrips() {
        const auto start = std::chrono::steady_clock::now();
        assertResult(sendTo({kGreeting, {"EHLO", kDrip}}, SmtpSecurity::None, seconds(1)), Outcome::TryLater,
                     Cause::Provider, "EHLO: timeout");
        CPPUNIT_ASSERT(std::chrono::steady_clock::now() - start < milliseconds(2500));
    }

    void doesNotSendWithoutTlsWhereItIsAskedFor() {
        assertResult(
            sendTo(kOpening, SmtpSecurity::StartTls), Outcome::TryLater, Cause::Provider,
            "the server does not offer STARTTLS: allow it there, or set mail.smtp_security = tls with port 465");
        const Step hello{"EHLO", "250-test\r\n250 STARTTLS"};
        assertResult(sendTo({kGreeting, hello, {"STARTTLS", "454 4.7.0 not now"}}, SmtpSecurity::StartTls),
                     Outcome::TryLater, Cause::Provider, "STARTTLS: 454 4.7.0 not now");
        const Step untilTheClientGoes{"(nothing that a client would say)", ""};
        assertResult(sendTo({kGreeting, untilTheClientGoes}, SmtpSecurity::Tls), Outcome::TryLater, Cause::Provider,
                     "TLS: 127.0.0.1 answers without TLS: set mail.smtp_security = starttls, or another port");
        // Closed or reset: whether the server has read what the client began with is chance.
        const SendResult closed = sendTo({kGreeting, hello, {"STARTTLS", "220 go"}}, SmtpSecurity::StartTls);
        CPPUNIT_ASSERT_MESSAGE(closed.reason, test::withoutServer(closed.reason).starts_with("TLS: "));
        CPPUNIT_ASSERT(closed.outcome == Outcome::TryLater && closed.cause == Cause::Provider);
    }

    void refusesRepliesThatAreSlippedInBeforeTls() {
        const Script script{kGreeting, {"EHLO", "250-test\r\n250 STARTTLS"}, {"STARTTLS", "220 go\r\n250 AUTH PLAIN"}};
        assertResult(sendTo(script, SmtpSecurity::StartTls), Outcome::TryLater, Cause::Provider,
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

    void speaksTheDialectFromBeforeTheExtensions() {
        for (const char* refusal : {"500 what?", "502 5.5.1 not implemented", "550 no"}) {
            const Script opening{kGreeting, {"EHLO ", refusal}, {"HELO ", "250 test"}};
            ScriptedServer server({opening + kMessage});
            assertSent(SmtpTransport(serverAt(server.port()), {}).send(message()));
            CPPUNIT_ASSERT_EQUAL(std::string("MAIL FROM:<from@a.example>"), server.lines().at(2));
        }
        const Script opening{kGreeting, {"EHLO ", "502 no"}, {"HELO ", "250 test"}};
        assertResult(sendTo(opening, SmtpSecurity::StartTls), Outcome::TryLater, Cause::Provider,
                     "the server refuses EHLO, so it has no STARTTLS: use another server, or mail.smtp_security = tls "
                     "with port 465");
        assertResult(sendTo({kGreeting, {"EHLO ", "502 no"}, {"HELO ", "501 5.5.4 bad name"}}), Outcome::TryLater,
                     Cause::Provider, "HELO: 501 5.5.4 bad name");
    }

    void takesAnAddressInBrackets() {
        SmtpServer server = serverAt(1);
        server.host = "[::1]";
        const SendResult result = SmtpTransport(server, mannersWith(seconds(1))).send(message());
        CPPUNIT_ASSERT_MESSAGE(result.reason, result.reason.starts_with("[::1]:1: connect: "));
    }

    void tellsNothingThatWasTold() {
        MailMessage secret = message("Subject: x\r\n\r\nSomebody signed in from Ann's laptop. 918273\r\n");
        secret.code = "918273";
        const Script script = kOpening + Script{kMail,
                                                kRecipient,
                                                kData,
                                                {kContent,
                                                 "554-5.7.1 \"918273\" in signed in from Ann's laptop\r\n"
                                                 "554-5.7.1 918\r\n554 5.7.1 273"},
                                                kReset};
        ScriptedServer server({script});
        assertResult(SmtpTransport(serverAt(server.port()), {}).send(secret), Outcome::Refused, Cause::Message,
                     "message: 554 5.7.1 \"***\" in*** ***");
    }

    void refusesAddressesThatWouldBreakACommand() {
        SmtpTransport transport(serverAt(1), {});
        for (const char* address :
             {"", "a@b.example>\r\nRCPT TO:<c@d.example", "a@b.example\n", "a b@c.example", "a@b.example>"}) {
            CPPUNIT_ASSERT(transport.send({"from@a.example", address, ""}).outcome == Outcome::Refused);
            CPPUNIT_ASSERT(transport.send({address, "to@b.example", ""}).outcome == Outcome::Refused);
        }
    }

    static MailMessage internationalMessage() {
        return {"from@a.example", "j\u00f6rg@b.example", "To: j\u00f6rg@b.example\r\n\r\nText\r\n"};
    }

    void tellsTheServerOfAnAddressBeyondAscii() {
        ScriptedServer server({{kGreeting,
                                {"EHLO ", "250-test\r\n250-8BITMIME\r\n250 SMTPUTF8"},
                                {"MAIL FROM:<from@a.example> BODY=8BITMIME SMTPUTF8\r\n", "250 ok"},
                                {"RCPT TO:<j\u00f6rg@b.example>\r\n", "250 ok"},
                                kData,
                                test::kEnd,
                                kMail,
                                kRecipient,
                                kData,
                                test::kEnd}});
        SmtpTransport transport(serverAt(server.port()), {});
        assertSent(transport.send(internationalMessage()));
        assertSent(transport.send(message()));
        CPPUNIT_ASSERT_EQUAL(std::string("MAIL FROM:<from@a.example>"), server.lines().at(4));
    }

    // Nothing is said that would have to be taken back.
    void refusesAnAddressBeyondAsciiWhereTheServerCannotCarryIt() {
        ScriptedServer server({kOpening + kMessage});
        SmtpTransport transport(serverAt(server.port()), {});
        assertResult(
            transport.send(internationalMessage()), Outcome::Refused, Cause::Message,
            "the server offers no SMTPUTF8, without which no address with letters beyond ASCII can be reached: "
            "allow it there, or use another server");
        assertSent(transport.send(message()));
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SmtpTransportTest);

}  // namespace delivery_smtp_transport_test
}  // namespace otpgate::delivery
