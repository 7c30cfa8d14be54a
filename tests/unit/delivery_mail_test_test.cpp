// What `otpgate mail-test` shows and advises, against scripted servers.
#include "delivery/mail/smtp_advice.h"
#include "otpgate/base/errors.h"
#include "otpgate/delivery/mail_test.h"
#include "support_cpp/contains.h"
#include "support_cpp/scripted_smtp_server.h"
#include "support_cpp/temporary_directory.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <sstream>

namespace otpgate::delivery {
namespace delivery_mail_test_test {

using test::kContent;
using test::kData;
using test::kEnd;
using test::kGreeting;
using test::kMail;
using test::kOpening;
using test::kQuit;
using test::kRecipient;
using test::kReset;
using test::Script;
using test::ScriptedServer;

class MailTestTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(MailTestTest);
    CPPUNIT_TEST(showsTheWholeDialogue);
    CPPUNIT_TEST(sendsAMessageThatMailProgramsAccept);
    CPPUNIT_TEST(masksWhatTheServerRepeats);
    CPPUNIT_TEST(letsNothingReachTheTerminal);
    CPPUNIT_TEST(advisesOnTheUsualMistakes);
    CPPUNIT_TEST(knowsTheUsualMistakesByTheirReasons);
    CPPUNIT_TEST(namesTheSectionOfTheServer);
    CPPUNIT_TEST(adviceIsSilentAboutTheUnusual);
    CPPUNIT_TEST(checksEverySettingBeforeItSpeaks);
    CPPUNIT_TEST_SUITE_END();

    bool isGood_ = false;

    static MailSettings settingsFor(unsigned port) {
        MailSettings settings;
        settings.from = "Login <from@a.example>";
        settings.smtp = test::serverAt(port);
        return settings;
    }
    std::string shownBy(const MailSettings& settings) {
        std::ostringstream out;
        const auto recipient = domain::Destination::parseEmail("to@b.example");
        isGood_ = testMail(settings,
                           {recipient.value(), Uuid::parse("0190a5b0-0000-7000-8000-000000000001").value(),
                            fromMicroseconds(1'795'151'520'000'000)},
                           out);
        return out.str();
    }
    std::string shownBy(const Script& script, const std::string& password = "") {
        ScriptedServer server({script});
        MailSettings settings = settingsFor(server.port());
        settings.smtp.password = password;
        settings.smtp.username = password.empty() ? "" : "user";
        return shownBy(settings);
    }

    void showsTheWholeDialogue() {
        ScriptedServer server({{kGreeting,
                                {"EHLO", "250-test\r\n250 AUTH PLAIN"},
                                {"AUTH", "235 ok"},
                                kMail,
                                kRecipient,
                                kData,
                                kEnd,
                                kQuit}});
        MailSettings settings = settingsFor(server.port());
        settings.smtp.username = "user";
        settings.smtp.password = "secret";
        const std::string shown = shownBy(settings);
        const std::string port = std::to_string(server.port());
        const std::string hello = server.lines().at(0);
        const std::string size = std::to_string(server.contents().at(0).size() - 3);
        CPPUNIT_ASSERT_EQUAL(
            "[mail] 127.0.0.1:" + port + "\n-- connected to 127.0.0.1 port " + port +
                "\nS: 220 test ESMTP\nC: " + hello +
                "\nS: 250-test\nS: 250 AUTH PLAIN\nC: AUTH PLAIN ***\nS: 235 ok\n"
                "C: MAIL FROM:<from@a.example>\nS: 250 2.1.0 ok\nC: RCPT TO:<to@b.example>\nS: 250 ok\n"
                "C: DATA\nS: 354 go\nC: (the message, " +
                size + " bytes)\nC: .\nS: 250 2.0.0 queued\nC: QUIT\nS: 221 bye\nsent\n",
            shown);
        CPPUNIT_ASSERT(isGood_);
    }

    void sendsAMessageThatMailProgramsAccept() {
        ScriptedServer server({kOpening + test::kMessage});
        shownBy(settingsFor(server.port()));
        const std::string content = server.contents().at(0);
        for (const char* line :
             {"From: \"Login\" <from@a.example>\r\n", "To: to@b.example\r\n", "Subject: Test message of otpgate\r\n",
              "Date: Fri, 20 Nov 2026 05:12:00 +0000\r\n",
              "Message-ID: <0190a5b0-0000-7000-8000-000000000001@a.example>\r\n", "MIME-Version: 1.0\r\n",
              "Auto-Submitted: auto-generated\r\n", "Content-Type: text/plain; charset=utf-8\r\n"}) {
            CPPUNIT_ASSERT_MESSAGE(content, test::contains(content, line));
        }
    }

    void masksWhatTheServerRepeats() {
        const std::string shown =
            shownBy(kOpening + Script{{"AUTH", "535 5.7.8 secret AHVzZXIAc2VjcmV0 is wrong, secret"}}, "secret");
        CPPUNIT_ASSERT_MESSAGE(shown, test::contains(shown, "S: 535 5.7.8 *** *** is wrong, ***\n"));
        CPPUNIT_ASSERT_MESSAGE(shown, !test::contains(shown, "secret") && !test::contains(shown, "AHVz"));
        CPPUNIT_ASSERT(!isGood_);
    }

    void letsNothingReachTheTerminal() {
        const std::string shown = shownBy(Script{{"", "554 \x1b[2Jgone\x9b\a\xc3\xbc"}});
        CPPUNIT_ASSERT_MESSAGE(shown, test::contains(shown, "S: 554 ?[2Jgone????\n"));
    }

    void assertAdvice(const Script& script, const std::string& advice, const std::string& password = "") {
        const std::string shown = shownBy(script, password);
        CPPUNIT_ASSERT_MESSAGE(shown + advice,
                               test::contains(shown, "\nfailed: ") && test::contains(shown, "\nwhat to change: "));
        CPPUNIT_ASSERT_MESSAGE(shown + advice, test::contains(shown.substr(shown.find("what to change: ")), advice));
        CPPUNIT_ASSERT(!isGood_);
    }

    void advisesOnTheUsualMistakes() {
        const Script toRecipient = kOpening + Script{kMail};
        const Script toContent = kOpening + Script{kMail, kRecipient, kData};
        assertAdvice({{"", "HTTP/1.1 400 Bad Request"}}, "another service listens there: check mail.smtp_port");
        assertAdvice({{"", "421 4.7.0 too many"}}, "busy");
        assertAdvice({{"", "554 5.7.1 blocked"}}, "nothing from this host's address");
        assertAdvice({kGreeting, {"EHLO", "550 bad name"}, {"HELO", "550 bad name"}}, "full name with a domain");
        assertAdvice(kOpening + Script{{"AUTH", "535 5.7.8 no"}}, "a password made for programs", "secret");
        assertAdvice(kOpening + Script{{"AUTH", "534 5.7.9 no"}}, "mail.smtp_auth = xoauth2", "secret");
        assertAdvice(kOpening + Script{{"AUTH", "538 5.7.11 encrypt"}}, "mail.smtp_security = starttls", "secret");
        assertAdvice(kOpening + Script{{"AUTH", "454 4.7.0 later"}}, "cannot check a login just now", "secret");
        assertAdvice(kOpening + Script{{"MAIL", "530 5.7.0 log in"}}, "wants a login first: set mail.smtp_username");
        assertAdvice(kOpening + Script{{"MAIL", "552 5.3.4 too big"}, kReset}, "raise its limit");
        assertAdvice(kOpening + Script{{"MAIL", "553 5.1.8 no such domain"}, kReset}, "let us send as mail.from");
        assertAdvice(toRecipient + Script{{"RCPT", "554 5.7.1 Relay access denied"}, kReset}, "from whom it knows");
        assertAdvice(toRecipient + Script{{"RCPT", "550 Relaying not allowed"}, kReset}, "from whom it knows");
        assertAdvice(toRecipient + Script{{"RCPT", "553 5.7.1 Sender address rejected: not owned"}, kReset},
                     "let us send as mail.from");
        assertAdvice(toRecipient + Script{{"RCPT", "550 5.1.1 unknown user"}, kReset}, "does not know this recipient");
        assertAdvice(toRecipient + Script{{"RCPT", "550 5.1.1 unknown at relay.example.com"}, kReset},
                     "does not know this recipient");
        assertAdvice(
            toRecipient + Script{{"RCPT", "554 5.7.1 Service unavailable; Client host listed by b.example"}, kReset},
            "a rule of its own");
        assertAdvice(toRecipient + Script{{"RCPT", "452 4.2.2 over quota"}, kReset}, "mailbox is full");
        assertAdvice(toRecipient + Script{{"RCPT", "451 4.3.0 no space"}, kReset}, "in trouble itself");
        assertAdvice(toRecipient + Script{{"RCPT", "552 5.2.2 full"}, kReset}, "mailbox is full");
        assertAdvice(toRecipient + Script{{"RCPT", "450 4.2.0 Greylisted"}, kReset}, "greylisting");
        assertAdvice(toContent + Script{{kContent, "554 5.7.1 spam"}, kReset}, "SPF and DKIM");
        assertAdvice(toContent + Script{{kContent, "552 5.3.4 too big"}, kReset}, "larger than the server takes");
    }

    // Those that a test cannot bring about at will.
    void knowsTheUsualMistakesByTheirReasons() {
        const std::pair<const char*, const char*> kReasons[] = {
            {"mail.example.com:25: connect: Connection refused", "nobody listens there"},
            {"[::1]:25: connect: Connection timed out", "a network that blocks port 25"},
            {"mail.example.com:25: connect: No route to host", "this host's network"},
            {"mail.example.com:25: name lookup: Name or service not known", "DNS does not know it"},
            {"mail.example.com:465: greeting: timeout", "mail.smtp_security = tls"},
            {"mail.example.com:587: TLS: unsupported protocol", "TLS 1.2"},
            {"mail.example.com:587: TLS: sslv3 alert handshake failure", "cipher"},
            {"mail.example.com:587: TLS: tlsv1 alert protocol version", "TLS 1.2"},
            {"message: timeout", "mail.smtp_data_timeout"},
            {"RCPT TO: timeout", "mail.smtp_timeout"},
            {"mail.example.com:25: EHLO: timeout", "mail.smtp_timeout"},
        };
        for (const auto& [reason, advice] : kReasons) {
            const std::string found = smtpAdvice(reason, "mail");
            CPPUNIT_ASSERT_MESSAGE(std::string(reason) + " -> " + found, test::contains(found, advice));
        }
    }

    void namesTheSectionOfTheServer() {
        const std::string advice = smtpAdvice("connect: Connection refused", "mail_fallback");
        CPPUNIT_ASSERT_MESSAGE(advice,
                               test::contains(advice, "mail_fallback.smtp_host") && !test::contains(advice, "SECTION"));
    }

    void adviceIsSilentAboutTheUnusual() {
        for (const char* reason :
             {"", "DATA: 250 what", "MAIL FROM: the server closed the connection",
              "a:1: the server does not offer STARTTLS: allow it there", "a:1: TLS: protocol error"})
            CPPUNIT_ASSERT_EQUAL(std::string(), smtpAdvice(reason, "mail"));
    }

    void checksEverySettingBeforeItSpeaks() {
        MailSettings settings = settingsFor(1);
        settings.fallback.host = "localhost";
        settings.fallback.username = "user";
        CPPUNIT_ASSERT_THROW(shownBy(settings), ConfigurationError);
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(MailTestTest);

}  // namespace delivery_mail_test_test
}  // namespace otpgate::delivery
