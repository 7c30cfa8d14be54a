// Logging in to a mail server, by each mechanism, against a server that expects every byte.
#include "delivery/base64.h"
#include "delivery/mail/smtp_auth.h"
#include "delivery/mail/smtp_error.h"
#include "delivery/mail/smtp_transport.h"
#include "otpgate/base/errors.h"
#include "support_cpp/scripted_smtp_server.h"
#include "support_cpp/temporary_directory.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <functional>
#include <vector>

namespace otpgate::delivery {
namespace delivery_smtp_auth_test {

using test::kGreeting;
using test::kMessage;
using test::kOpening;
using test::Script;
using test::ScriptedServer;
using test::serverAt;
using test::shortMessage;
using Outcome = SendResult::Outcome;
using Cause = SendResult::Cause;

const std::string kPlain = "AHVzZXIAc2VjcmV0";  // \0user\0secret

Script offering(const std::string& mechanisms) {
    return {kGreeting, {"EHLO", "250-test\r\n250 AUTH " + mechanisms}};
}

class SmtpAuthTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(SmtpAuthTest);
    CPPUNIT_TEST(logsInByPlain);
    CPPUNIT_TEST(logsInByLogin);
    CPPUNIT_TEST(readsTheOfferOfADraft);
    CPPUNIT_TEST(strikesThePasswordOutOfWhatTheServerSaysLater);
    CPPUNIT_TEST(usesTheMechanismThatIsAskedFor);
    CPPUNIT_TEST(logsInByXOAuth2);
    CPPUNIT_TEST(logsInByOAuthBearer);
    CPPUNIT_TEST(givesALongTokenWhenItIsAskedForIt);
    CPPUNIT_TEST(readsTheTokenAnewForEachConnection);
    CPPUNIT_TEST(tellsTheStatusOfARefusedToken);
    CPPUNIT_TEST(readsTheStatusOfChallengesOnly);
    CPPUNIT_TEST(namesATokenFileThatIsOfNoUse);
    CPPUNIT_TEST(doesNotSendWithoutTheLoginThatIsAskedFor);
    CPPUNIT_TEST(keepsTheRefusedPasswordToItself);
    CPPUNIT_TEST(sendsNoPasswordInClearToAnotherHost);
    CPPUNIT_TEST(namesTheSettingThatIsWrong);
    CPPUNIT_TEST_SUITE_END();

    test::TemporaryDirectory files_;

    static SmtpServer withPassword(unsigned port, SmtpAuth auth = SmtpAuth::Auto) {
        SmtpServer server = serverAt(port);
        server.username = "user";
        server.password = "secret";
        server.auth = auth;
        return server;
    }
    SmtpServer withToken(unsigned port, const std::string& token, SmtpAuth auth = SmtpAuth::Auto) const {
        SmtpServer server = serverAt(port);
        server.username = "someone@example.com";
        server.oauthTokenFile = files_.write("token", token);
        server.auth = auth;
        return server;
    }
    static SendResult sendTo(const Script& script, SmtpAuth auth = SmtpAuth::Auto) {
        ScriptedServer server({script});
        return SmtpTransport(withPassword(server.port(), auth), {}).send(shortMessage());
    }
    static void assertSent(const SendResult& result) {
        CPPUNIT_ASSERT_EQUAL(std::string(), result.reason);
        CPPUNIT_ASSERT(result.outcome == Outcome::Sent);
    }
    static void assertFailed(const std::string& reason, const SendResult& result) {
        CPPUNIT_ASSERT_EQUAL(reason, test::withoutServer(result.reason));
        CPPUNIT_ASSERT(result.outcome == Outcome::TryLater && result.cause == Cause::Provider);
    }

    void logsInByPlain() {
        assertSent(sendTo(kOpening + Script{{"AUTH PLAIN " + kPlain + "\r\n", "235 ok"}} + kMessage));
    }

    void logsInByLogin() {
        const Script login{
            {"AUTH LOGIN\r\n", "334 VXNlcm5hbWU6"}, {"dXNlcg==\r\n", "334 UGFzc3dvcmQ6"}, {"c2VjcmV0\r\n", "235 ok"}};
        assertSent(sendTo(offering("CRAM-MD5 LOGIN") + login + kMessage));
    }

    void readsTheOfferOfADraft() {
        const Script login{
            {"AUTH LOGIN\r\n", "334 VXNlcm5hbWU6"}, {"dXNlcg==\r\n", "334 UGFzc3dvcmQ6"}, {"c2VjcmV0\r\n", "235 ok"}};
        for (const char* extensions :
             {"250-test\r\n250 AUTH=LOGIN", "250-test\r\n250-AUTH CRAM-MD5\r\n250 AUTH=LOGIN NTLM",
              "250-test\r\n250-AUTH=LOGIN\r\n250 AUTH LOGIN"}) {
            assertSent(sendTo(Script{kGreeting, {"EHLO", extensions}} + login + kMessage));
        }
        assertFailed("the server refuses EHLO, so it has no AUTH: use another server, or do without mail.smtp_username",
                     sendTo(Script{kGreeting, {"EHLO", "502 no"}, {"HELO", "250 test"}}));
    }

    // As it is, within the command, and as what was read out of it.
    void strikesThePasswordOutOfWhatTheServerSaysLater() {
        for (const std::string& words : {std::string("user user password secret"), "AUTH PLAIN " + kPlain}) {
            const SendResult result =
                sendTo(kOpening + Script{{"AUTH PLAIN", "235 ok"}, {"MAIL", "451 4.7.0 " + words}, test::kReset});
            CPPUNIT_ASSERT_MESSAGE(result.reason, result.reason.starts_with("MAIL FROM: 451 4.7.0 "));
            for (const std::string& told : {std::string("secret"), kPlain, std::string("c2VjcmV0")})
                CPPUNIT_ASSERT_MESSAGE(result.reason, result.reason.find(told) == std::string::npos);
        }
    }

    void usesTheMechanismThatIsAskedFor() {
        assertFailed("AUTH: 504",
                     sendTo(offering("PLAIN LOGIN") + Script{{"AUTH LOGIN\r\n", "504 no"}}, SmtpAuth::Login));
        assertFailed("AUTH: 504", sendTo(offering("LOGIN PLAIN") + Script{{"AUTH PLAIN ", "504 no"}}, SmtpAuth::Plain));
        assertFailed("the server offers no AUTH PLAIN but LOGIN: change mail.smtp_auth",
                     sendTo(offering("LOGIN"), SmtpAuth::Plain));
    }

    void logsInByXOAuth2() {
        // The example of Google's description of the mechanism.
        const std::string response =
            "dXNlcj1zb21lb25lQGV4YW1wbGUuY29tAWF1dGg9QmVhcmVyIHlhMjkudkY5ZGZ0NHFtVGMyTnZiM1J"
            "sY2tCaGRIUmhkbWx6ZEdFdVkyOXRDZwEB";
        ScriptedServer server(
            {offering("PLAIN XOAUTH2") + Script{{"AUTH XOAUTH2 " + response + "\r\n", "235 ok"}} + kMessage});
        const std::string token = "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg";
        assertSent(SmtpTransport(withToken(server.port(), token + "\n"), {}).send(shortMessage()));
    }

    void logsInByOAuthBearer() {
        ScriptedServer server({offering("OAUTHBEARER") + Script{{"AUTH OAUTHBEARER ", "235 ok"}} + kMessage});
        assertSent(SmtpTransport(withToken(server.port(), "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="), {})
                       .send(shortMessage()));
        // RFC 7628, section 4.1, with our host and port.
        CPPUNIT_ASSERT_EQUAL(
            "AUTH OAUTHBEARER " +
                toBase64("n,a=someone@example.com,\x01host=127.0.0.1\x01port=" + std::to_string(server.port()) +
                         "\x01"
                         "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01"),
            server.lines().at(1));
    }

    void givesALongTokenWhenItIsAskedForIt() {
        const std::string token(1500, 't');
        const std::string response = toBase64(
            "user=someone@example.com\x01"
            "auth=Bearer " +
            token + "\x01\x01");
        ScriptedServer server(
            {offering("XOAUTH2") + Script{{"AUTH XOAUTH2\r\n", "334 "}, {response + "\r\n", "235 ok"}} + kMessage});
        assertSent(SmtpTransport(withToken(server.port(), token), {}).send(shortMessage()));
    }

    void readsTheTokenAnewForEachConnection() {
        const Script script =
            offering("XOAUTH2") + Script{{"AUTH XOAUTH2 ", "235 ok"}} + kMessage + Script{test::kQuit};
        ScriptedServer server({script, script});
        SmtpTransport transport(withToken(server.port(), "first"), {});
        assertSent(transport.send(shortMessage()));
        transport.idle();
        files_.write("token", "second");
        assertSent(transport.send(shortMessage()));
        transport.idle();
        std::vector<std::string> logins;
        for (const auto& line : server.lines()) {
            if (line.starts_with("AUTH")) logins.push_back(line.substr(13));
        }
        const auto expected = [](const std::string& token) {
            return toBase64(
                "user=someone@example.com\x01"
                "auth=Bearer " +
                token + "\x01\x01");
        };
        CPPUNIT_ASSERT((logins == std::vector<std::string>{expected("first"), expected("second")}));
    }

    void tellsTheStatusOfARefusedToken() {
        const std::string challenge =
            "334 " + toBase64(R"({"status":"401","schemes":"bearer","scope":"https://mail/"})");
        const std::string reason =
            "AUTH: 535 5.7.8: the server says 401 to the access token of "
            "mail.smtp_oauth_token_file: renew it";
        {
            ScriptedServer server(
                {offering("XOAUTH2") + Script{{"AUTH XOAUTH2 ", challenge}, {"\r\n", "535 5.7.8 no"}}});
            assertFailed(reason, SmtpTransport(withToken(server.port(), "token"), {}).send(shortMessage()));
        }
        ScriptedServer server(
            {offering("OAUTHBEARER") + Script{{"AUTH OAUTHBEARER ", challenge}, {"AQ==\r\n", "535 5.7.8 no"}}});
        assertFailed(reason, SmtpTransport(withToken(server.port(), "token"), {}).send(shortMessage()));
    }

    void readsTheStatusOfChallengesOnly() {
        CPPUNIT_ASSERT_EQUAL(std::string("invalid_token"),
                             statusOfErrorChallenge(toBase64(R"({ "status" : "invalid_token" })")));
        for (const char* text : {"", "=", "not base64!", "e30=", "eyJzdGF0dXMi", "InN0YXR1cyI6Ig=="})
            CPPUNIT_ASSERT_EQUAL(std::string(), statusOfErrorChallenge(text));
        CPPUNIT_ASSERT_EQUAL(std::string("4"), statusOfErrorChallenge(toBase64("{\"status\":\"4\r\n1\"}")));
    }

    void namesATokenFileThatIsOfNoUse() {
        const auto reasonFor = [this](const std::string& content) {
            ScriptedServer server({offering("XOAUTH2")});
            return SmtpTransport(withToken(server.port(), content), {}).send(shortMessage());
        };
        const std::string file = "mail.smtp_oauth_token_file " + files_.path("token");
        assertFailed(file + " holds no token", reasonFor("\n"));
        for (const char* content : {"two words", "{\"access_token\": \"x\"}", "tab\tbed"})
            assertFailed(file + " holds no access token: one line of printable characters", reasonFor(content));
        assertFailed(file + " holds no access token: one line of printable characters",
                     reasonFor(std::string(9000, 'x')));
        ScriptedServer server({offering("XOAUTH2")});
        SmtpServer settings = withToken(server.port(), "token");
        settings.oauthTokenFile = files_.path("missing");
        assertFailed(
            "mail.smtp_oauth_token_file " + files_.path("missing") + " cannot be read: No such file or directory",
            SmtpTransport(settings, {}).send(shortMessage()));
    }

    void doesNotSendWithoutTheLoginThatIsAskedFor() {
        assertFailed("the server offers no AUTH PLAIN or LOGIN but CRAM-MD5 XPLAIN: change mail.smtp_auth",
                     sendTo(offering("CRAM-MD5 XPLAIN")));
        // A server that knows the password from another connection.
        assertFailed("the server offers no AUTH PLAIN or LOGIN but CRAM-MD5 ***: change mail.smtp_auth",
                     sendTo(offering("CRAM-MD5 secret")));
        assertFailed("the server offers no AUTH PLAIN or LOGIN but CRAM-MD5 (address): change mail.smtp_auth",
                     sendTo(offering("CRAM-MD5 somebody@example.com")));
        for (const char* extensions : {"250 test", "250-test\r\n250 AUTHPLAIN"}) {
            assertFailed(
                "the server offers no AUTH here: try mail.smtp_security = starttls, or do without "
                "mail.smtp_username",
                sendTo(Script{kGreeting, {"EHLO", extensions}}));
        }
    }

    void keepsTheRefusedPasswordToItself() {
        const std::string echo = kPlain + " user:secret";
        const std::string wrong = ": mail.smtp_username or its password is wrong";
        assertFailed("AUTH: 535 5.7.8" + wrong, sendTo(kOpening + Script{{"AUTH", "535 5.7.8 bad " + echo}}));
        assertFailed("AUTH: 535" + wrong, sendTo(kOpening + Script{{"AUTH", "535 " + echo}}));
        assertFailed("AUTH: 421", sendTo(kOpening + Script{{"AUTH", "421 " + echo}}));
        assertFailed("AUTH: 454 4.7.0", sendTo(kOpening + Script{{"AUTH", "454 4.7.0 later"}}));
    }

    void sendsNoPasswordInClearToAnotherHost() {
        const SmtpServer server = withPassword(25);
        for (const char* peer : {"10.1.2.3", "192.168.0.1", "fd00::1", "::ffff:10.1.2.3", "12.127.0.1", ""}) {
            requireProtection(server, {Encryption::Tls, peer}, PlaintextAuth::Forbidden);
            requireProtection(server, {Encryption::None, peer}, PlaintextAuth::Allowed);
            try {
                requireProtection(server, {Encryption::None, peer}, PlaintextAuth::Forbidden);
                CPPUNIT_FAIL(std::string("a login in clear to ") + peer);
            } catch (const SmtpError& error) {
                CPPUNIT_ASSERT_EQUAL(std::string("the login would cross the network in clear: set mail.smtp_security = "
                                                 "starttls or tls, or mail.smtp_allow_plaintext_auth = true"),
                                     std::string(error.what()));
            }
        }
        for (const char* peer : {"127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"})
            requireProtection(server, {Encryption::None, peer}, PlaintextAuth::Forbidden);
    }

    void namesTheSettingThatIsWrong() {
        const auto reasonFor = [](const SmtpServer& server) -> std::string {
            MailSettings settings;
            settings.from = "from@a.example";
            settings.smtp = server;
            std::string reason = "accepted";
            try {
                makeMailTransport(settings);
            } catch (const ConfigurationError& error) {
                reason = error.what();
            }
            settings.smtp = serverAt(25);
            settings.fallback = server;
            settings.fallback.section = "mail_fallback";
            if (settings.fallback.host.empty()) return reason;
            try {
                makeMailTransport(settings);
                CPPUNIT_ASSERT_EQUAL(std::string("accepted"), reason);
            } catch (const ConfigurationError& error) {
                const std::string second = error.what();
                CPPUNIT_ASSERT_MESSAGE(second,
                                       second.starts_with("mail_fallback" + reason.substr(4, reason.find(' ') - 4)));
            }
            return reason;
        };
        const auto assertNamed = [&](const std::string& setting, const std::function<void(SmtpServer&)>& change) {
            SmtpServer server = serverAt(25);
            change(server);
            const std::string reason = reasonFor(server);
            CPPUNIT_ASSERT_MESSAGE(reason, reason.starts_with(setting + " ") || reason.starts_with(setting + ":"));
        };
        CPPUNIT_ASSERT_EQUAL(std::string("accepted"), reasonFor(serverAt(25)));
        CPPUNIT_ASSERT_EQUAL(std::string("accepted"), reasonFor(withPassword(25)));
        CPPUNIT_ASSERT_EQUAL(std::string("accepted"), reasonFor(withToken(25, "t", SmtpAuth::XOAuth2)));
        assertNamed("mail.smtp_host", [](SmtpServer& server) { server.host = "a\r\nb"; });
        assertNamed("mail.smtp_host", [](SmtpServer& server) { server.host = ""; });
        assertNamed("mail.smtp_port", [](SmtpServer& server) { server.port = 0; });
        assertNamed("mail.smtp_username", [](SmtpServer& server) { server.username = "user"; });
        assertNamed("mail.smtp_username", [](SmtpServer& server) { server.password = "secret"; });
        assertNamed("mail.smtp_username", [](SmtpServer& server) { server.oauthTokenFile = "/token"; });
        assertNamed("mail.smtp_username", [](SmtpServer& server) {
            server.username = "user";
            server.password = "a\x01z";
        });
        assertNamed("mail.smtp_password", [](SmtpServer& server) {
            server = withPassword(25);
            server.oauthTokenFile = "/token";
        });
        assertNamed("mail.smtp_oauth_token_file",
                    [](SmtpServer& server) { server = withPassword(25, SmtpAuth::XOAuth2); });
        assertNamed("mail.smtp_oauth_token_file",
                    [this](SmtpServer& server) { server = withToken(25, "t", SmtpAuth::Login); });
        for (const std::string& file : {files_.path("missing"), files_.write("empty", "")}) {
            assertNamed("mail.smtp_ca_file", [&file](SmtpServer& server) {
                server.security = SmtpSecurity::StartTls;
                server.caFile = file;
            });
        }
        MailSettings settings;
        settings.from = "nobody";
        CPPUNIT_ASSERT_THROW(makeMailTransport(settings), ConfigurationError);
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SmtpAuthTest);

}  // namespace delivery_smtp_auth_test
}  // namespace otpgate::delivery
