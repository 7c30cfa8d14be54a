#include "otpgate/base/errors.h"
#include "otpgate/delivery/message_texts.h"
#include "otpgate/delivery/template_check.h"
#include "otpgate/delivery/templates.h"
#include "support_cpp/fake_clock.h"
#include "support_cpp/temporary_directory.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <filesystem>

namespace otpgate::delivery {
namespace delivery_templates_test {

using namespace std::string_literals;
using domain::MessageKind;

class TemplatesTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(TemplatesTest);
    CPPUNIT_TEST(findsNothingWrongWithTheBuiltInOnes);
    CPPUNIT_TEST(looksLanguagesUpFromTheLongestTag);
    CPPUNIT_TEST(takesADirectorysFilesInPlaceOfTheBuiltIn);
    CPPUNIT_TEST(namesTheBrokenFile);
    CPPUNIT_TEST(saysInEnglishWhatALanguageHasNoWordsFor);
    CPPUNIT_TEST(saysInTheShorterTagWhatARegionHasNoWordsFor);
    CPPUNIT_TEST(namesTheLostPartsOfAMessage);
    CPPUNIT_TEST(refusesADirectoryThatCannotBeRead);
    CPPUNIT_TEST(refusesADefaultWithoutTemplates);
    CPPUNIT_TEST(takesAwayLinesThatHoldASectionsTagAlone);
    CPPUNIT_TEST(escapesValuesInHtmlAlone);
    CPPUNIT_TEST_SUITE_END();

    test::TemporaryDirectory directory_;

    void write(const std::string& path, std::string_view text) const {
        std::filesystem::create_directories(std::filesystem::path(directory_.path(path)).parent_path());
        directory_.write(path, text);
    }
    std::string error(const TemplateSettings& settings) const {
        try {
            const Templates templates(settings);
        } catch (const ConfigurationError& refused) {
            return refused.what();
        }
        return "accepted";
    }
    std::string render(const std::string& text, const TemplateValues& values,
                       TemplatePart part = TemplatePart::Text) const {
        write("en/new_sign_in."s.append(toString(part)), text);
        return Templates({directory_.path("")}).render("en", MessageKind::NewSignIn, part, values);
    }

    void findsNothingWrongWithTheBuiltInOnes() {
        const TemplateFiles files("");
        CPPUNIT_ASSERT(!files.locales().empty());
        for (const TemplateFinding& finding : checkTemplates(files)) CPPUNIT_FAIL(finding.toString());
    }

    void looksLanguagesUpFromTheLongestTag() {
        const std::string text = "{{code}} {{minutes}}";
        for (const std::string locale : {"zh-Hant", "xx"}) {
            for (const MessageKind kind : kMessageKinds) {
                for (const TemplatePart part : kTemplateParts) {
                    const bool hasSecret = domain::carriesSecret(kind) && part != TemplatePart::Subject;
                    const std::string secret = kind == MessageKind::Link ? "{{link}} {{minutes}}" : text;
                    write(templatePath(locale, kind, part), hasSecret ? secret : "{{service}}");
                }
            }
        }
        const Templates templates({directory_.path("")});
        CPPUNIT_ASSERT_EQUAL("en"s, templates.localeFor("en"));
        CPPUNIT_ASSERT_EQUAL("en"s, templates.localeFor("EN-gb"));
        CPPUNIT_ASSERT_EQUAL("zh-Hant"s, templates.localeFor("zh-hant-TW"));
        CPPUNIT_ASSERT_EQUAL("zh-Hant"s, templates.localeFor("zh-Hant-x-private"));
        CPPUNIT_ASSERT_EQUAL("xx"s, templates.localeFor("yy-YY, xx, en"));
        CPPUNIT_ASSERT_EQUAL("en"s, templates.localeFor("yy"));
        CPPUNIT_ASSERT_EQUAL("en"s, templates.localeFor(""));
        CPPUNIT_ASSERT_EQUAL("en"s, templates.localeFor(",-,--,*,e"));
    }

    void takesADirectorysFilesInPlaceOfTheBuiltIn() {
        write("en/code.subject", "\xef\xbb\xbf  Hello\r\n from {{service}}\r\n\r\n");
        write("en/.code.subject.swp", "{{");
        const Templates templates({directory_.path("")});
        const TemplateValues values{{"service", "a.example"}, {"code", "123"}};
        CPPUNIT_ASSERT_EQUAL("Hello from a.example"s,
                             templates.render("en", MessageKind::Code, TemplatePart::Subject, values));
        CPPUNIT_ASSERT(templates.render("en", MessageKind::Code, TemplatePart::Text, values).find("\n123\n") !=
                       std::string::npos);
    }

    void namesTheBrokenFile() {
        write("en/code.txt", "{{code}}\n{{#login}}x{{/login}}");
        CPPUNIT_ASSERT_EQUAL("templates.directory: " + directory_.path("en/code.txt") +
                                 ":1: the section {{#register}} is missing (otpgate templates check finds all)",
                             error({directory_.path("")}));
        write("en/code.txt", "{{code}}\n{{cod}}");
        CPPUNIT_ASSERT_EQUAL("templates.directory: " + directory_.path("en/code.txt") +
                                 ":2: unknown placeholder {{cod}} (otpgate templates check finds all)",
                             error({directory_.path("")}));
    }

    // As of an operator who translated what there was, before an update brought more.
    void writeOldKinds(const std::string& locale) const {
        for (const MessageKind kind :
             {MessageKind::Code, MessageKind::NewSignIn, MessageKind::PasswordChanged, MessageKind::AddressChanged}) {
            for (const TemplatePart part : kTemplateParts) {
                const bool hasCode = kind == MessageKind::Code && part != TemplatePart::Subject;
                write(templatePath(locale, kind, part), hasCode ? "own {{code}}" : "own {{service}}");
            }
        }
    }

    void saysInEnglishWhatALanguageHasNoWordsFor() {
        writeOldKinds("pl");
        const TemplateFiles files(directory_.path(""));
        for (const TemplateFinding& finding : checkTemplates(files)) CPPUNIT_FAIL(finding.toString());
        CPPUNIT_ASSERT((std::vector{"pl has no link, many_failures, passkey_added, passkey_removed,"
                                    " authenticator_added, authenticator_removed, recovery_codes_made,"
                                    " recovery_code_used, device_trusted: en is sent in their place"s}) ==
                       files.standInNotes());
        const Templates templates({directory_.path("")});
        CPPUNIT_ASSERT_EQUAL("pl"s, templates.localeFor("pl-PL"));
        CPPUNIT_ASSERT_EQUAL("pl"s, templates.spokenFor("pl", MessageKind::NewSignIn));
        CPPUNIT_ASSERT_EQUAL("en"s, templates.spokenFor("pl", MessageKind::Link));
        MessageContext context{.kind = MessageKind::Link, .service = "a.example", .host = "a.example"};
        context.signInLink = "https://a.example/#link=x";
        // Of three minutes Polish has a plural form that English has not.
        context.validFor = std::chrono::minutes{3};
        const MailTexts polish = mailTexts(templates, "pl", context);
        const MailTexts english = mailTexts(templates, "en", context);
        CPPUNIT_ASSERT_EQUAL(english.text, polish.text);
        CPPUNIT_ASSERT_EQUAL(english.html, polish.html);
        CPPUNIT_ASSERT(polish.html.find("lang=\"en\"") != std::string::npos);
        CPPUNIT_ASSERT_EQUAL(smsText(templates, "en", context), smsText(templates, "pl", context));
        context.kind = MessageKind::Code;
        CPPUNIT_ASSERT(mailTexts(templates, "pl", context).text.starts_with("own "));
    }

    void saysInTheShorterTagWhatARegionHasNoWordsFor() {
        writeOldKinds("de-AT");
        const Templates templates({directory_.path("")});
        CPPUNIT_ASSERT_EQUAL("de"s, templates.spokenFor("de-AT", MessageKind::PasskeyAdded));
        CPPUNIT_ASSERT_EQUAL("de-AT"s, templates.spokenFor("de-AT", MessageKind::Code));
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, templates.standInNotes().size());
    }

    void namesTheLostPartsOfAMessage() {
        writeOldKinds("pl");
        std::filesystem::remove(directory_.path("pl/code.sms"));
        CPPUNIT_ASSERT_EQUAL("templates.directory: " + directory_.path("pl/code.sms") +
                                 ":1: is missing (otpgate templates check finds all)",
                             error({directory_.path("")}));
        for (const char* part : {"txt", "html", "subject"})
            std::filesystem::remove(directory_.path("pl/code."s + part));
        CPPUNIT_ASSERT(error({directory_.path("")}).find("pl/code.") != std::string::npos);
    }

    void refusesADirectoryThatCannotBeRead() {
        const std::string missing = directory_.path("missing");
        CPPUNIT_ASSERT_EQUAL("templates.directory: cannot read " + missing + ": No such file or directory",
                             error({missing}));
        const std::string file = directory_.write("file", "");
        CPPUNIT_ASSERT_EQUAL("templates.directory: cannot read " + file + ": Not a directory", error({file}));
    }

    void refusesADefaultWithoutTemplates() {
        CPPUNIT_ASSERT_EQUAL("accepted"s, error({"", "en-US"}));
        const std::string refused = error({"", "xx"});
        CPPUNIT_ASSERT_MESSAGE(refused, refused.starts_with("templates.default_locale: there are no templates for xx"));
    }

    void takesAwayLinesThatHoldASectionsTagAlone() {
        const std::string text = "a\n\n  {{#device}}\n  b {{device}}\n{{/device}}\n\n{{! a remark }}\nc\n";
        CPPUNIT_ASSERT_EQUAL("a\n\n  b x\n\nc\n"s, render(text, {{"device", "x"}}));
        CPPUNIT_ASSERT_EQUAL("a\n\n\nc\n"s, render(text, {{"device", ""}}));
        CPPUNIT_ASSERT_EQUAL("x{{y}}\t x\n"s,
                             render("{{ device }}\t {{#device}}x{{/device}}\n", {{"device", "x{{y}}"}}));
    }

    void escapesValuesInHtmlAlone() {
        const TemplateValues values{{"device", R"(<a href="x">'&)"}};
        CPPUNIT_ASSERT_EQUAL(R"(<a href="x">'&)"s, render("{{device}}", values));
        CPPUNIT_ASSERT_EQUAL("&lt;a href=&quot;x&quot;&gt;&apos;&amp;"s,
                             render("{{device}}", values, TemplatePart::Html));
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(TemplatesTest);

}  // namespace delivery_templates_test
}  // namespace otpgate::delivery
