// Every language that is shipped: what its messages must hold whatever they say.
#include "delivery/templates/plural.h"
#include "otpgate/base/encoding.h"
#include "otpgate/delivery/message_texts.h"
#include "otpgate/delivery/sms_length.h"
#include "otpgate/delivery/templates.h"
#include "support_cpp/fake_clock.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <functional>
#include <set>
#include <vector>

namespace otpgate::delivery {
namespace delivery_locales_test {

using namespace std::string_literals;
using domain::MessageKind;
using domain::Purpose;
using std::chrono::minutes;

constexpr std::string_view kCode = "098765";
constexpr std::string_view kService = "login.example.org";
constexpr std::string_view kLink = "https://login.example.org/sso/";
constexpr std::string_view kSupport = "help@example.org";

std::size_t count(std::string_view text, std::string_view part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) ++found;
    return found;
}

class LocalesTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(LocalesTest);
    CPPUNIT_TEST(shipsTenLanguages);
    CPPUNIT_TEST(showsTheCodeWhereItMustStand);
    CPPUNIT_TEST(saysWhatTheCodeIsFor);
    CPPUNIT_TEST(declaresLanguageAndDirection);
    CPPUNIT_TEST(tellsAllOfWhatHappened);
    CPPUNIT_TEST(leavesOutWhatIsNotKnown);
    CPPUNIT_TEST(makesNoLinks);
    CPPUNIT_TEST(keepsACodesSmsInOneMessage);
    CPPUNIT_TEST(keepsANoticesSmsInOneMessage);
    CPPUNIT_TEST(saysMinutesAsArabicDoes);
    CPPUNIT_TEST(saysMinutesAsEuropeansDo);
    CPPUNIT_TEST_SUITE_END();

    const Templates templates_{TemplateSettings{}};
    const domain::NoticeFacts facts_{"192.0.2.7", "Firefox 121.0 on Linux", "a*n@example.com", {}, 777};

    MessageContext code(Purpose purpose = Purpose::Login, minutes validFor = minutes(10)) const {
        return {.kind = MessageKind::Code,
                .service = kService,
                .host = kService,
                .purpose = purpose,
                .code = kCode,
                .validFor = validFor,
                .notice = &facts_};
    }
    MessageContext notice(MessageKind kind) const {
        return {.kind = kind,
                .service = kService,
                .host = kService,
                .notice = &facts_,
                .happenedAt = test::FakeClock().now(),  // 2026-11-20 05:12 UTC
                .link = kLink,
                .support = kSupport};
    }
    static MessageContext link() {
        return {.kind = MessageKind::Link,
                .service = kService,
                .host = kService,
                .signInLink = "https://login.example.org/#link=abc",
                .validFor = minutes(10)};
    }
    // Calls it with each language and each message, of which there is one for each purpose and kind of notice.
    void forEach(const std::function<void(const std::string&, const MessageContext&)>& check) const {
        for (const std::string& locale : templates_.locales()) {
            for (const Purpose purpose :
                 {Purpose::Login, Purpose::Register, Purpose::Verify, Purpose::Reset, Purpose::Change}) {
                check(locale, code(purpose));
            }
            for (const MessageKind kind : kMessageKinds) {
                if (kind != MessageKind::Code) check(locale, kind == MessageKind::Link ? link() : notice(kind));
            }
        }
    }
    static bool isCode(const MessageContext& context) { return context.kind == MessageKind::Code; }
    static bool isNotice(const MessageContext& context) { return !domain::carriesSecret(context.kind); }
    std::string text(const std::string& locale, minutes validFor) const {
        return mailTexts(templates_, locale, code(Purpose::Login, validFor)).text;
    }
    static void assertHas(const std::string& text, const std::string& part) {
        CPPUNIT_ASSERT_MESSAGE(part + " is missing in\n" + text, text.find(part) != std::string::npos);
    }

    void shipsTenLanguages() {
        const std::vector<std::string> expected{"ar", "de", "en", "es", "fr", "hi", "ja", "pt", "tr", "zh"};
        CPPUNIT_ASSERT(expected == templates_.locales());
    }

    void showsTheCodeWhereItMustStand() {
        forEach([this](const std::string& locale, const MessageContext& context) {
            const MailTexts mail = mailTexts(templates_, locale, context);
            const std::string sms = smsText(templates_, locale, context);
            const std::size_t once = isCode(context) ? 1 : 0;
            CPPUNIT_ASSERT_EQUAL_MESSAGE(mail.subject, std::size_t{0}, count(mail.subject, kCode));
            CPPUNIT_ASSERT_EQUAL_MESSAGE(mail.text, once, count(mail.text, "\n\n" + std::string(kCode) + "\n\n"));
            CPPUNIT_ASSERT_EQUAL_MESSAGE(mail.text, once, count(mail.text, kCode));
            CPPUNIT_ASSERT_EQUAL_MESSAGE(mail.html, once, count(mail.html, ">" + std::string(kCode) + "<"));
            CPPUNIT_ASSERT_EQUAL_MESSAGE(mail.html, once, count(mail.html, kCode));
            CPPUNIT_ASSERT_EQUAL_MESSAGE(sms, 2 * once, count(sms, kCode));
            CPPUNIT_ASSERT_EQUAL_MESSAGE(sms, isCode(context), sms.ends_with("\n\n@login.example.org #098765"));
            for (const std::string& each : {mail.subject, mail.text, mail.html, sms}) {
                CPPUNIT_ASSERT_MESSAGE(each, isValidUtf8(each));
                CPPUNIT_ASSERT_MESSAGE(each, !each.empty() && each.find_first_of("{}\r\x01\x02\x03") == each.npos);
                CPPUNIT_ASSERT_MESSAGE(each, count(each, "\n\n\n") == 0 && !each.starts_with('\n'));
            }
            CPPUNIT_ASSERT_MESSAGE(mail.subject, mail.subject.find('\n') == std::string::npos);
            assertHas(mail.subject, std::string(kService));
            assertHas(mail.text, std::string(kService));
            assertHas(mail.html, std::string(kService));
        });
    }

    void saysWhatTheCodeIsFor() {
        for (const std::string& locale : templates_.locales()) {
            std::set<std::string> subjects;
            std::set<std::string> texts;
            std::set<std::string> messages;
            for (const Purpose purpose : {Purpose::Login, Purpose::Register, Purpose::Verify, Purpose::Reset}) {
                subjects.insert(mailTexts(templates_, locale, code(purpose)).subject);
                texts.insert(mailTexts(templates_, locale, code(purpose)).text);
                messages.insert(smsText(templates_, locale, code(purpose)));
            }
            CPPUNIT_ASSERT_EQUAL_MESSAGE(locale, std::size_t{4}, subjects.size());
            CPPUNIT_ASSERT_EQUAL_MESSAGE(locale, std::size_t{4}, texts.size());
            CPPUNIT_ASSERT_EQUAL_MESSAGE(locale, std::size_t{4}, messages.size());
            CPPUNIT_ASSERT(!texts.contains(mailTexts(templates_, locale, code(Purpose::Change)).text));
        }
    }

    void declaresLanguageAndDirection() {
        forEach([this](const std::string& locale, const MessageContext& context) {
            const MailTexts mail = mailTexts(templates_, locale, context);
            const std::string direction = locale == "ar" ? "rtl" : "ltr";
            const std::string attributes = "lang=\"" + locale + "\" dir=\"" + direction + "\"";
            assertHas(mail.html, "<html " + attributes + ">");
            // What is shown without the frame of a page has them too.
            assertHas(mail.html, "<div " + attributes);
            assertHas(mail.html, "<title>" + mail.subject + "</title>");
            assertHas(mail.html, "<bdi>login.example.org</bdi>");
            assertHas(mail.html, "</html>\n");
            if (locale == "ar") assertHas(mail.text, "\u2068login.example.org\u2069");
        });
    }

    void tellsAllOfWhatHappened() {
        forEach([this](const std::string& locale, const MessageContext& context) {
            if (!isNotice(context)) return;
            const MailTexts mail = mailTexts(templates_, locale, context);
            for (const std::string& body : {mail.text, mail.html}) {
                for (const std::string_view part : std::vector<std::string_view>{
                         "2026-11-20 05:12 UTC", "192.0.2.7", "Firefox 121.0 on Linux", kLink, kSupport}) {
                    assertHas(body, std::string(part));
                }
                const bool isAddress = context.kind == MessageKind::AddressChanged;
                CPPUNIT_ASSERT_EQUAL_MESSAGE(body, isAddress, body.find("a*n@example.com") != std::string::npos);
                const bool isCode = context.kind == MessageKind::RecoveryCodeUsed;
                CPPUNIT_ASSERT_EQUAL_MESSAGE(body, isCode, body.find("777") != std::string::npos);
            }
            assertHas(smsText(templates_, locale, context), std::string(kService));
        });
    }

    void leavesOutWhatIsNotKnown() {
        const domain::NoticeFacts nothing;
        for (const std::string& locale : templates_.locales()) {
            for (const MessageKind kind : kMessageKinds) {
                if (domain::carriesSecret(kind)) continue;
                const MessageContext all = notice(kind);
                MessageContext none = all;
                none.notice = &nothing;
                none.support = {};
                const auto lines = [&](const MessageContext& context) {
                    return count(mailTexts(templates_, locale, context).text, "\n");
                };
                const bool hasMore = kind == MessageKind::AddressChanged || kind == MessageKind::RecoveryCodeUsed;
                CPPUNIT_ASSERT_EQUAL(lines(all), lines(none) + (hasMore ? 4 : 3));
            }
        }
    }

    void makesNoLinks() {
        const domain::NoticeFacts bad{"", "<a href=\"http://evil.example/\">\u202eClick</a> www.evil.example", ""};
        forEach([&](const std::string& locale, const MessageContext& context) {
            if (context.kind == MessageKind::Link) return;
            MessageContext from = context;
            from.notice = &bad;
            from.link = {};  // the one that is ours
            const MailTexts mail = mailTexts(templates_, locale, from);
            for (const char* part : {"://", "<a href=\"h", "href=\"h", "<img", "evil.example", "\u202e"}) {
                CPPUNIT_ASSERT_EQUAL_MESSAGE(mail.html, std::size_t{0}, count(mail.html, part));
                const bool isMarkup = std::string_view{part}.find("href") != std::string_view::npos;
                CPPUNIT_ASSERT_MESSAGE(mail.text, isMarkup || count(mail.text, part) == 0);
            }
        });
    }

    void keepsACodesSmsInOneMessage() {
        forEach([this](const std::string& locale, const MessageContext& context) {
            if (!isCode(context)) return;
            const std::string sms = smsText(templates_, locale, context);
            CPPUNIT_ASSERT_MESSAGE(sms, fitsOneSms(sms));
            // The minutes too, where it is a login.
            if (context.purpose == Purpose::Login) assertHas(sms, "10");
            MessageContext atLength = context;
            const std::string host = std::string(30, 'h') + ".org";
            atLength.service = host;
            const std::string shorter = smsText(templates_, locale, atLength);
            CPPUNIT_ASSERT_MESSAGE(shorter, count(shorter, host) == 1 || fitsOneSms(shorter));
        });
    }

    void keepsANoticesSmsInOneMessage() {
        forEach([this](const std::string& locale, const MessageContext& context) {
            if (!isNotice(context)) return;
            const std::string sms = smsText(templates_, locale, context);
            CPPUNIT_ASSERT_MESSAGE(sms, fitsOneSms(sms));
        });
    }

    void saysMinutesAsArabicDoes() {
        assertHas(text("ar", minutes(1)), "لمدة دقيقة واحدة و");
        assertHas(text("ar", minutes(2)), "لمدة دقيقتين و");
        assertHas(text("ar", minutes(3)), "لمدة 3 دقائق و");
        assertHas(text("ar", minutes(10)), "لمدة 10 دقائق و");
        assertHas(text("ar", minutes(11)), "لمدة 11 دقيقة و");
        assertHas(text("ar", minutes(99)), "لمدة 99 دقيقة و");
        assertHas(text("ar", minutes(100)), "لمدة 100 دقيقة و");
        assertHas(text("ar", minutes(103)), "لمدة 103 دقائق و");
    }

    void saysMinutesAsEuropeansDo() {
        assertHas(text("en", minutes(1)), " 1 minute and");
        assertHas(text("en", minutes(2)), " 2 minutes and");
        assertHas(text("de", minutes(1)), " 1 Minute und");
        assertHas(text("de", minutes(5)), " 5 Minuten und");
        assertHas(text("fr", minutes(1)), " 1 minute et");
        assertHas(text("es", minutes(10)), " 10 minutos y");
        assertHas(text("pt", minutes(1)), " 1 minuto e");
        assertHas(text("tr", minutes(10)), "10 dakika ");
        CPPUNIT_ASSERT_EQUAL("few"s, std::string(pluralCategory("ru", 23)));
        CPPUNIT_ASSERT_EQUAL("many"s, std::string(pluralCategory("ru-RU", 12)));
        CPPUNIT_ASSERT_EQUAL("one"s, std::string(pluralCategory("uk", 21)));
        CPPUNIT_ASSERT_EQUAL("many"s, std::string(pluralCategory("pl", 21)));
        CPPUNIT_ASSERT_EQUAL("few"s, std::string(pluralCategory("cs", 4)));
        CPPUNIT_ASSERT_EQUAL("two"s, std::string(pluralCategory("he", 2)));
        CPPUNIT_ASSERT_EQUAL("other"s, std::string(pluralCategory("ja", 1)));
        CPPUNIT_ASSERT_EQUAL("one"s, std::string(pluralCategory("xx", 1)));
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(LocalesTest);

}  // namespace delivery_locales_test
}  // namespace otpgate::delivery
