#include "delivery/base64.h"
#include "delivery/mail/mailbox.h"
#include "delivery/mail/mime.h"
#include "otpgate/base/errors.h"
#include "otpgate/delivery/message_composer.h"
#include "support_cpp/fake_clock.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::delivery {
namespace delivery_message_composer_test {

using std::chrono::minutes;
using std::chrono::seconds;

const Timestamp kNow = test::FakeClock().now();  // 2026-11-20T05:12:00Z

class MessageComposerTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(MessageComposerTest);
    CPPUNIT_TEST(writesTheHeaders);
    CPPUNIT_TEST(quotesALocalPartThatIsNoDotAtom);
    CPPUNIT_TEST(putsTheCodeAloneOnALineOfTheText);
    CPPUNIT_TEST(keepsTheCodeOutOfTheHeaders);
    CPPUNIT_TEST(showsTheCodeInTheHtmlWithoutLinksAndImages);
    CPPUNIT_TEST(endsEveryLineWithCrlfAndKeepsItShort);
    CPPUNIT_TEST(saysHowLongTheCodeIsGood);
    CPPUNIT_TEST(namesTheHostOfThePublicUrl);
    CPPUNIT_TEST(namesTheServiceAsItsOwnerDoes);
    CPPUNIT_TEST(refusesAPublicUrlWithoutAUsableHost);
    CPPUNIT_TEST(refusesASenderThatIsNoAddress);
    CPPUNIT_TEST(givesEachMessageItsOwnBoundary);
    CPPUNIT_TEST(writesAShortSmsThatEndsWithTheHostAndTheCode);
    CPPUNIT_TEST(bindsAnSmsToTheHostWhateverTheServiceIsCalled);
    CPPUNIT_TEST(keepsThePortOutOfAnSms);
    CPPUNIT_TEST(keepsAnSmsInOneSegment);
    CPPUNIT_TEST(writesALinkInPlaceOfTheCodeInEveryLanguage);
    CPPUNIT_TEST(writesALinkBesideTheCodeOfASignIn);
    CPPUNIT_TEST(writesALinkAsAnSms);
    CPPUNIT_TEST_SUITE_END();

    crypto::KeyRing ring_ = crypto::KeyRing::parse("otpgate1:" + std::string(64, 'a') + "\n", "test");
    domain::OtpCodes codes_{ring_, {domain::CodeAlphabet::Digits, 6}, "012345"};
    const Templates templates_{TemplateSettings{}};
    domain::OutboxMessage message_{
        .id = *Uuid::parse("017f22e2-79b0-7000-8000-000000000001"),
        .otpId = *Uuid::parse("017f22e2-79b0-7000-8000-000000000002"),
        .purpose = domain::Purpose::Login,
        .destination = *domain::Destination::parseEmail("Ann@Example.com"),
        .locale = "en",
        .requestId = "r",
        .attempts = 0,
        .expiresAt = kNow + minutes(10),
        .availableAt = kNow + seconds(10),
    };

    MailMessage compose(const std::string& from = "Sign in <no-reply@example.org>",
                        const std::string& url = "https://login.example.org/") const {
        return MessageComposer(codes_, templates_, from, {url}).compose(message_, kNow);
    }
    static void assertHas(const std::string& text, const std::string& part) {
        CPPUNIT_ASSERT_MESSAGE(part + " is missing in\n" + text, text.find(part) != std::string::npos);
    }
    static std::string headersOf(const MailMessage& mail) {
        return mail.content.substr(0, mail.content.find("\r\n\r\n") + 2);
    }

    void writesTheHeaders() {
        const MailMessage mail = compose();
        CPPUNIT_ASSERT_EQUAL(std::string("no-reply@example.org"), mail.envelopeFrom);
        CPPUNIT_ASSERT_EQUAL(std::string("ann@example.com"), mail.recipient);
        CPPUNIT_ASSERT_EQUAL(std::string("From: \"Sign in\" <no-reply@example.org>\r\n"
                                         "To: ann@example.com\r\n"
                                         "Subject: Your sign-in code for login.example.org\r\n"
                                         "Date: Fri, 20 Nov 2026 05:12:00 +0000\r\n"
                                         "Message-ID: <017f22e2-79b0-7000-8000-000000000001@login.example.org>\r\n"
                                         "MIME-Version: 1.0\r\n"
                                         "Auto-Submitted: auto-generated\r\n"
                                         "X-Auto-Response-Suppress: All\r\n"
                                         "Content-Type: multipart/alternative;\r\n"
                                         " boundary=\"=_017f22e2-79b0-7000-8000-000000000001\"\r\n"),
                             headersOf(mail));
    }

    void quotesALocalPartThatIsNoDotAtom() {
        message_.destination =
            domain::Destination::parseEmail("a..b@docomo.example", domain::EmailValidation::Lenient).value();
        const MailMessage mail = compose();
        CPPUNIT_ASSERT_EQUAL(std::string("\"a..b\"@docomo.example"), mail.recipient);
        assertHas(headersOf(mail), "To: \"a..b\"@docomo.example\r\n");
    }

    void putsTheCodeAloneOnALineOfTheText() {
        const MailMessage mail = compose();
        assertHas(mail.content,
                  "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n");
        assertHas(mail.content, "Your sign-in code for login.example.org is:\r\n\r\n012345\r\n\r\n");
        assertHas(mail.content, "If you did not ask for it, ignore this message.\r\n");
    }

    void keepsTheCodeOutOfTheHeaders() { CPPUNIT_ASSERT(headersOf(compose()).find("012345") == std::string::npos); }

    void showsTheCodeInTheHtmlWithoutLinksAndImages() {
        const std::string content = compose().content;
        const std::string html = content.substr(content.find("Content-Type: text/html; charset=utf-8\r\n"));
        assertHas(html, ">012345</bdi></p>");
        for (const char* part : {"<a ", "href", "<img", "http", "{"}) {
            CPPUNIT_ASSERT_MESSAGE(part, html.find(part) == std::string::npos);
        }
    }

    void endsEveryLineWithCrlfAndKeepsItShort() {
        const std::string content =
            compose("Grüße <no-reply@example.org>", "https://" + std::string(200, 'h') + "/").content;
        std::size_t lines = 0;
        for (std::size_t begin = 0; begin < content.size(); ++lines) {
            const auto end = content.find('\n', begin);
            CPPUNIT_ASSERT(end != std::string::npos && end > begin && content[end - 1] == '\r');
            const std::string line = content.substr(begin, end - begin - 1);
            CPPUNIT_ASSERT_MESSAGE(line, line.size() < 78 || line.starts_with("Message-ID: "));
            CPPUNIT_ASSERT_MESSAGE(line, line.find('\r') == std::string::npos);
            begin = end + 1;
        }
        CPPUNIT_ASSERT(lines > 30);
        assertHas(content, "Content-Transfer-Encoding: quoted-printable\r\n");
        assertHas(content, "\r\n012345\r\n");
    }

    void saysHowLongTheCodeIsGood() {
        assertHas(compose().content, "It is good for 10 minutes ");
        message_.expiresAt = kNow + minutes(10) - seconds(1);
        assertHas(compose().content, "It is good for 10 minutes ");
        message_.expiresAt = kNow + minutes(9) + seconds(30);
        assertHas(compose().content, "It is good for 9 minutes ");
        message_.expiresAt = kNow + seconds(5);
        assertHas(compose().content, "It is good for 1 minute ");
    }

    void namesTheHostOfThePublicUrl() {
        assertHas(compose("a@b.example", "http://localhost:8080").content, "code for localhost is:");
        assertHas(compose("a@b.example", "https://x.example:443/login?a=b").content, "code for x.example is:");
        assertHas(compose("a@b.example", "https://[2001:db8::1]:443/").content, "code for [2001:db8::1] is:");
    }

    void namesTheServiceAsItsOwnerDoes() {
        const ServiceWords service{"https://login.example.org/sso", "Übungswiki", "mailto:help@example.org"};
        const MessageComposer composer(codes_, templates_, "a@b.example", service);
        const std::string code = composer.compose(message_, kNow).content;
        assertHas(code, "Subject: " + encodedHeader("Your sign-in code for Übungswiki", 9) + "\r\n");
        assertHas(code, "Your sign-in code for =C3=9Cbungswiki is:\r\n");
        CPPUNIT_ASSERT(code.find("help@example.org") == std::string::npos);

        message_.kind = domain::MessageKind::NewSignIn;
        const std::string notice = composer.compose(message_, kNow).content;
        assertHas(notice, "Subject: " + encodedHeader("New sign-in to your account at Übungswiki", 9) + "\r\n");
        assertHas(
            notice,
            "Where you are signed in: https://login.example.org/sso/account/#sessions\r\nHelp: help@example.org\r\n");
        assertHas(notice, "<a href=3D\"https://login.example.org/sso/account/#sessions\">");
    }

    void refusesAPublicUrlWithoutAUsableHost() {
        for (const char* url :
             {"", "https://", "https:///path", "https://a\r\nBcc: x@y.example/", "https://<b>/", "https://[::1"}) {
            CPPUNIT_ASSERT_THROW_MESSAGE(url, MessageComposer(codes_, templates_, "a@b.example", {url}),
                                         ConfigurationError);
        }
    }

    void refusesASenderThatIsNoAddress() {
        for (const char* from :
             {"", "nobody", "Name <>", "Name <a@b.example", "a@b.example>", "N\r\nBcc: x@y.example <a@b.example>",
              "a@b.example\r\nBcc: x@y.example", "\xff <a@b.example>"}) {
            CPPUNIT_ASSERT_THROW_MESSAGE(from, MessageComposer(codes_, templates_, from, {"https://x.example"}),
                                         ConfigurationError);
        }
    }

    void givesEachMessageItsOwnBoundary() {
        const std::string first = compose().content;
        message_.id = *Uuid::parse("017f22e2-79b0-7000-8000-000000000003");
        assertHas(compose().content, "--=_017f22e2-79b0-7000-8000-000000000003--\r\n");
        assertHas(first, "--=_017f22e2-79b0-7000-8000-000000000001--\r\n");
    }

    SmsMessage composeSms(const std::string& url) const {
        domain::OutboxMessage sms = message_;
        sms.destination = *domain::Destination::parsePhoneNumber("+12025550123");
        sms.expiresAt = kNow + minutes(5);
        return MessageComposer(codes_, templates_, "a@b.example", {url}).composeSms(sms, kNow);
    }

    void writesAShortSmsThatEndsWithTheHostAndTheCode() {
        const SmsMessage sms = composeSms("https://login.example.org/");
        CPPUNIT_ASSERT_EQUAL(std::string("+12025550123"), sms.recipient);
        CPPUNIT_ASSERT_EQUAL(std::string("012345 is your sign-in code for login.example.org. It is good for 5 minutes."
                                         "\n\n@login.example.org #012345"),
                             sms.text);
    }

    static std::string withoutSoftBreaks(std::string text) {
        for (auto at = text.find("=\r\n"); at != std::string::npos; at = text.find("=\r\n")) text.erase(at, 3);
        for (auto at = text.find("=3D"); at != std::string::npos; at = text.find("=3D")) text.replace(at, 3, "=");
        return text;
    }
    static std::size_t countOf(const std::string& part, const std::string& text) {
        std::size_t count = 0;
        for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
        return count;
    }

    void writesALinkInPlaceOfTheCodeInEveryLanguage() {
        message_.kind = domain::MessageKind::Link;
        const std::string link = "https://login.example.org/sso/#link=" + codes_.linkFor(message_.otpId);
        for (const std::string& locale : templates_.locales()) {
            message_.locale = locale;
            const MailMessage mail = compose("a@b.example", "https://login.example.org/sso");
            const std::string text = withoutSoftBreaks(mail.content);
            CPPUNIT_ASSERT_EQUAL_MESSAGE(locale + text, std::size_t{3}, countOf(link, text));  // text, href, shown
            CPPUNIT_ASSERT_EQUAL_MESSAGE(locale, std::size_t{0}, countOf("012345", text));
            CPPUNIT_ASSERT_EQUAL(std::string{}, mail.code);
            CPPUNIT_ASSERT_EQUAL(codes_.linkFor(message_.otpId), mail.link);
        }
    }

    void writesALinkBesideTheCodeOfASignIn() {
        const ServiceWords service{"https://login.example.org", "", "", domain::LinkUse::Beside};
        const MessageComposer composer(codes_, templates_, "a@b.example", service);
        const std::string link = "https://login.example.org/#link=" + codes_.linkFor(message_.otpId);
        for (const std::string& locale : templates_.locales()) {
            message_.locale = locale;
            const std::string text = withoutSoftBreaks(composer.compose(message_, kNow).content);
            CPPUNIT_ASSERT_EQUAL_MESSAGE(locale + text, std::size_t{3}, countOf(link, text));
            CPPUNIT_ASSERT_MESSAGE(locale, countOf("012345", text) >= 2);
        }
        message_.purpose = domain::Purpose::Verify;
        CPPUNIT_ASSERT_EQUAL(std::size_t{0}, countOf("#link", composer.compose(message_, kNow).content));
        message_.purpose = domain::Purpose::Login;
        message_.codeLength = 8;  // of the verification service
        CPPUNIT_ASSERT_EQUAL(std::size_t{0}, countOf("#link", composer.compose(message_, kNow).content));
    }

    void writesALinkAsAnSms() {
        message_.kind = domain::MessageKind::Link;
        const SmsMessage sms = composeSms("https://login.example.org");
        CPPUNIT_ASSERT_EQUAL("Sign-in link for login.example.org: https://login.example.org/#link=" +
                                 codes_.linkFor(message_.otpId) + " (5 min)",
                             sms.text);
        CPPUNIT_ASSERT_EQUAL(codes_.linkFor(message_.otpId), sms.link);
        CPPUNIT_ASSERT_EQUAL(std::string{}, sms.code);
    }

    void bindsAnSmsToTheHostWhateverTheServiceIsCalled() {
        message_.destination = *domain::Destination::parsePhoneNumber("+12025550123");
        const MessageComposer composer(codes_, templates_, "a@b.example", {"https://login.example.org/sso", "Example"});
        CPPUNIT_ASSERT_EQUAL(std::string("012345 is your sign-in code for Example. It is good for 10 minutes."
                                         "\n\n@login.example.org #012345"),
                             composer.composeSms(message_, kNow).text);
    }

    void keepsThePortOutOfAnSms() {
        CPPUNIT_ASSERT_EQUAL(std::string("012345 is your sign-in code for localhost. It is good for 5 minutes."
                                         "\n\n@localhost #012345"),
                             composeSms("http://localhost:8080").text);
    }

    void keepsAnSmsInOneSegment() {
        // 162 characters with the host named twice.
        const std::string host = std::string(28, 'h') + ".login.example.org";
        CPPUNIT_ASSERT_EQUAL("012345 is your sign-in code. It is good for 5 minutes.\n\n@" + host + " #012345",
                             composeSms("https://" + host).text);
        // 160 characters.
        const std::string shorter = host.substr(1);
        const std::string text = composeSms("https://" + shorter).text;
        CPPUNIT_ASSERT_EQUAL(std::size_t{160}, text.size());
        assertHas(text, " for " + shorter + ". ");
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(MessageComposerTest);

class MailboxTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(MailboxTest);
    CPPUNIT_TEST(readsAnAddressWithAndWithoutAName);
    CPPUNIT_TEST(quotesANameOfPlainCharacters);
    CPPUNIT_TEST(encodesANameOfOtherCharacters);
    CPPUNIT_TEST(refusesWhatWouldBeAHeaderOfItsOwn);
    CPPUNIT_TEST_SUITE_END();

    static std::string headerOf(const std::string& text) { return Mailbox::parse(text).value().toHeader(); }

    void readsAnAddressWithAndWithoutAName() {
        CPPUNIT_ASSERT_EQUAL(std::string("a@b.example"), headerOf("a@b.example"));
        CPPUNIT_ASSERT_EQUAL(std::string("a@b.example"), headerOf("<a@b.example>"));
        CPPUNIT_ASSERT_EQUAL(std::string("\"N\" <a@b.example>"), headerOf(" N <a@b.example> "));
        CPPUNIT_ASSERT_EQUAL(std::string("\"N\" <no-reply@localhost>"), headerOf("\"N\" <no-reply@localhost>"));
    }

    void quotesANameOfPlainCharacters() {
        CPPUNIT_ASSERT_EQUAL(std::string("\"Doe, \\\"J\\\\\" <a@b.example>"), headerOf("Doe, \"J\\ <a@b.example>"));
    }

    void encodesANameOfOtherCharacters() {
        CPPUNIT_ASSERT_EQUAL(std::string("=?UTF-8?B?R3LDvMOfZQ==?= <a@b.example>"), headerOf("Grüße <a@b.example>"));
        // Within quotes each would be two characters, in a line that nothing can fold.
        const std::string manyQuotes(40, '"');
        CPPUNIT_ASSERT(headerOf("J" + manyQuotes + "J <a@b.example>").starts_with("=?UTF-8?B?"));
        CPPUNIT_ASSERT_EQUAL("\"" + std::string(60, 'J') + "\"\r\n <a@b.example>",
                             headerOf(std::string(60, 'J') + " <a@b.example>"));
    }

    void refusesWhatWouldBeAHeaderOfItsOwn() {
        for (const char* text : {"N\r\nBcc: <x@y.example>", "N\x07 <a@b.example>", "N\x7f <a@b.example>",
                                 "\xff <a@b.example>", "<a@b.example"}) {
            CPPUNIT_ASSERT_MESSAGE(text, !Mailbox::parse(text));
        }
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(MailboxTest);

class MimeTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(MimeTest);
    CPPUNIT_TEST(encodesBase64WithPadding);
    CPPUNIT_TEST(writesDatesOfRfc5322);
    CPPUNIT_TEST(leavesPlainTextReadable);
    CPPUNIT_TEST(encodesOtherTextAsQuotedPrintable);
    CPPUNIT_TEST(breaksLongLinesSoftly);
    CPPUNIT_TEST_SUITE_END();

    static std::string bodyOf(std::string_view text) {
        const std::string part = toMessage({}, text);
        return part.substr(part.find("\r\n\r\n") + 4);
    }

    void encodesBase64WithPadding() {
        CPPUNIT_ASSERT_EQUAL(std::string(), toBase64(""));
        CPPUNIT_ASSERT_EQUAL(std::string("Zg=="), toBase64("f"));
        CPPUNIT_ASSERT_EQUAL(std::string("Zm9vYmE="), toBase64("fooba"));
        CPPUNIT_ASSERT_EQUAL(std::string("Zm9vYmFy"), toBase64("foobar"));
    }

    void writesDatesOfRfc5322() {
        CPPUNIT_ASSERT_EQUAL(std::string("Thu, 01 Jan 1970 00:00:00 +0000"), toMailDate(fromMicroseconds(0)));
        CPPUNIT_ASSERT_EQUAL(std::string("Thu, 29 Feb 2024 23:59:59 +0000"),
                             toMailDate(fromMicroseconds(1709251199'999999)));
    }

    void leavesPlainTextReadable() { CPPUNIT_ASSERT_EQUAL(std::string("a = b\r\n.\r\n"), bodyOf("a = b\n.\n")); }

    void encodesOtherTextAsQuotedPrintable() {
        CPPUNIT_ASSERT_EQUAL(std::string("=C3=BC =3D x=20\r\n=0Dy\r\n"), bodyOf("ü = x \n\ry\n"));
    }

    void breaksLongLinesSoftly() {
        const std::string body = bodyOf(std::string(74, 'x') + "üy\n");
        CPPUNIT_ASSERT_EQUAL(std::string(74, 'x') + "=\r\n=C3=BCy\r\n", body);
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(MimeTest);

}  // namespace delivery_message_composer_test
}  // namespace otpgate::delivery
