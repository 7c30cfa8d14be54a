// A check of a visitor by somebody else: what of its answers is a yes, and what of it may be said.
#include "otpgate/domain/human_check.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <string>

namespace otpgate::domain {
namespace human_check_test {

using namespace std::string_literals;
using Words = HumanAnswer::Words;

class HumanCheckTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(HumanCheckTest);
    CPPUNIT_TEST(takesAClearYesAlone);
    CPPUNIT_TEST(takesNoTokenOfAnotherSite);
    CPPUNIT_TEST(takesNoTokenOfAnotherForm);
    CPPUNIT_TEST(believesHcaptchaWithoutAName);
    CPPUNIT_TEST(tellsWhatIsTheTokensFault);
    CPPUNIT_TEST(saysNothingThatAVisitorHasWritten);
    CPPUNIT_TEST(knowsWhatCanBeAToken);
    CPPUNIT_TEST(spendsEachTokenByItself);
    CPPUNIT_TEST(tellsEverybodyTheSiteKeyAlone);
    CPPUNIT_TEST(countsEachVerdict);
    CPPUNIT_TEST_SUITE_END();

    static HumanCheckSettings settings(HumanCheckService service = HumanCheckService::Turnstile) {
        return {{service, "0x4AAA"}, "secret", std::string{verifyUrlOf(service)}, {"login.example.com", "example.org"}};
    }
    static Words yes() { return {.success = true, .hostname = "login.example.com", .action = "otpgate"}; }
    static Words no(std::vector<std::string> codes) {
        return {.success = false, .hostname = "", .action = "", .errorCodes = std::move(codes)};
    }
    static std::string judged(const Words& words, int status = 200,
                              HumanCheckService service = HumanCheckService::Turnstile) {
        return std::string{toString(judgeHuman(settings(service), {status, words, ""}))};
    }

    void takesAClearYesAlone() {
        CPPUNIT_ASSERT_EQUAL("human"s, judged(yes()));
        CPPUNIT_ASSERT(judgeHuman(settings(), {0, std::nullopt, "timeout"}) == HumanVerdict::NoAnswer);
        CPPUNIT_ASSERT(judgeHuman(settings(), {200, std::nullopt, ""}) == HumanVerdict::WrongAnswer);
        CPPUNIT_ASSERT_EQUAL("wrong_answer"s, judged({}));
        for (const int status : {201, 302, 400, 500, 503}) CPPUNIT_ASSERT_EQUAL("wrong_answer"s, judged(yes(), status));
    }

    void takesNoTokenOfAnotherSite() {
        Words words = yes();
        for (const char* host :
             {"example.com", "login.example.com.evil.example", "", "not-provided", "example.org:80"}) {
            words.hostname = host;
            CPPUNIT_ASSERT_EQUAL_MESSAGE(host, "elsewhere"s, judged(words));
        }
        for (const char* host : {"example.org", "Login.Example.com"}) {
            words.hostname = host;
            CPPUNIT_ASSERT_EQUAL_MESSAGE(host, "human"s, judged(words));
        }
    }

    void takesNoTokenOfAnotherForm() {
        Words words = yes();
        for (const char* action : {"", "contact"}) {
            words.action = action;
            CPPUNIT_ASSERT_EQUAL_MESSAGE(action, "elsewhere"s, judged(words));
        }
    }

    void believesHcaptchaWithoutAName() {
        Words words = yes();
        words.action.clear();
        CPPUNIT_ASSERT_EQUAL("human"s, judged(words, 200, HumanCheckService::HCaptcha));
        words.hostname = "not-provided";
        CPPUNIT_ASSERT_EQUAL("human"s, judged(words, 200, HumanCheckService::HCaptcha));
        for (const char* host : {"", "evil.example"}) {
            words.hostname = host;
            CPPUNIT_ASSERT_EQUAL_MESSAGE(host, "elsewhere"s, judged(words, 200, HumanCheckService::HCaptcha));
        }
    }

    void tellsWhatIsTheTokensFault() {
        for (const char* code : {"invalid-input-response", "timeout-or-duplicate", "invalid-or-already-seen-response"})
            CPPUNIT_ASSERT_EQUAL_MESSAGE(code, "refused"s, judged(no({code})));
        for (const char* code : {"invalid-input-secret", "sitekey-secret-mismatch", "internal-error", "anything"})
            CPPUNIT_ASSERT_EQUAL_MESSAGE(code, "wrong_answer"s, judged(no({code})));
        CPPUNIT_ASSERT_EQUAL("wrong_answer"s, judged(no({"timeout-or-duplicate", "bad-request"})));
        CPPUNIT_ASSERT_EQUAL("wrong_answer"s, judged(no({})));
    }

    void saysNothingThatAVisitorHasWritten() {
        CPPUNIT_ASSERT_EQUAL(
            "status 200, invalid-input-secret"s,
            describeAnswer({200, no({"invalid-input-secret", "P1_eyJ0.token", std::string(61, 'a')}), ""}));
        CPPUNIT_ASSERT_EQUAL("status 502, not as expected"s, describeAnswer({502, std::nullopt, ""}));
        CPPUNIT_ASSERT_EQUAL("Connection refused"s, describeAnswer({0, std::nullopt, "Connection refused"}));
    }

    void knowsWhatCanBeAToken() {
        CPPUNIT_ASSERT(isHumanToken("P1_eyJ0eXAi.Qz-9~+/="));
        CPPUNIT_ASSERT(isHumanToken(std::string(2048, 'a')) && !isHumanToken(std::string(2049, 'a')));
        for (const char* text : {"", "a b", "a\nb", "\xC3\xA4"}) CPPUNIT_ASSERT_MESSAGE(text, !isHumanToken(text));
    }

    void spendsEachTokenByItself() {
        CPPUNIT_ASSERT(humanTokenBucket("a") != humanTokenBucket("b") && humanTokenBucket("a").size() == 16);
    }

    void tellsEverybodyTheSiteKeyAlone() {
        CPPUNIT_ASSERT_EQUAL(R"({"service":"hcaptcha","site_key":"0x4AAA"})"s,
                             settings(HumanCheckService::HCaptcha).site.toJson());
    }

    void countsEachVerdict() {
        HumanCheckCounts counts;
        counts.count(HumanVerdict::Human);
        counts.count(HumanVerdict::Busy);
        counts.count(HumanVerdict::Busy);
        MetricsText text;
        counts.write(text);
        const std::string told = text.take();
        for (const char* line : {R"({result="human"} 1)", R"({result="busy"} 2)", R"({result="no_answer"} 0)"})
            CPPUNIT_ASSERT_MESSAGE(told, told.find("otpgate_human_checks_total"s + line) != std::string::npos);
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(HumanCheckTest);

}  // namespace human_check_test
}  // namespace otpgate::domain
