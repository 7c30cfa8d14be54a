#include "support_cpp/api_fixture.h"

namespace otpgate::api {
namespace api_page_test {

using namespace std::string_literals;

class ApiPageTest : public test::ApiFixture {
    CPPUNIT_TEST_SUITE(ApiPageTest);
    CPPUNIT_TEST(saysWhatTheSettingsHold);
    CPPUNIT_TEST(promisesNoSmsWhereThereIsNone);
    CPPUNIT_TEST(leadsBackToAnApplicationOnly);
    CPPUNIT_TEST(showsACheckWithAPolicyOfItsOwn);
    CPPUNIT_TEST(showsNoCheckWhereNoneIsAskedFor);
    CPPUNIT_TEST_SUITE_END();

    std::string page(std::string query = "") {
        http::Request request = get();
        request.query = std::move(query);
        return showPage(request, settings_).body;
    }

    void saysWhatTheSettingsHold() {
        settings_.smsIsSetUp = true;
        settings_.codeFormat = {domain::CodeAlphabet::Letters, 8};
        settings_.page = {.name = "Example",
                          .accent = "#123456",
                          .logo = "logo.svg",
                          .stylesheet = "own.css",
                          .privacyUrl = "https://example.org/privacy",
                          .supportUrl = "mailto:help@example.org"};
        CPPUNIT_ASSERT_EQUAL(
            R"({"name":"Example","accent":"#123456","logo":"page/logo.svg","stylesheet":"page/own.css",)"
            R"("links":{"privacy":"https://example.org/privacy","support":"mailto:help@example.org"},)"
            R"("channels":["email","sms"],"code":{"length":8,"alphabet":"letters"},"link":"off","passkeys":false})"s,
            page());
    }

    void promisesNoSmsWhereThereIsNone() {
        settings_.smsIsSetUp = false;
        settings_.page = {.name = "Example"};
        settings_.codeFormat = {};
        CPPUNIT_ASSERT_EQUAL(
            R"({"name":"Example","accent":null,"logo":null,"stylesheet":null,"links":{},)"
            R"("channels":["email"],"code":{"length":6,"alphabet":"digits"},"link":"off","passkeys":false})"s,
            page());
    }

    void leadsBackToAnApplicationOnly() {
        settings_.returnTargets = {{"Example", "https://login.example.com"}, {{"Wiki", "https://wiki.example.com"}}};
        CPPUNIT_ASSERT(page("return_to=https%3A%2F%2Fwiki.example.com%2Fa%3Fb")
                           .ends_with(R"("return_to":{"url":"https://wiki.example.com/a?b","name":"Wiki"}})"));
        for (const char* query :
             {"return_to=https%3A%2F%2Fevil.example", "return_to=%2F%2Fevil.example", "return_to=", ""}) {
            CPPUNIT_ASSERT_MESSAGE(query, page(query).find("\"return_to\"") == std::string::npos);
        }
    }

    void showsACheckWithAPolicyOfItsOwn() {
        using domain::HumanCheckService;
        settings_.basePath = "/login";
        const auto shown = [&](HumanCheckService service) {
            settings_.humanCheck = {service, "0x4AAA"};
            http::Response response = showHumanCheck(get(), settings_);
            const auto policy = std::ranges::find(response.headers, std::string_view{"Content-Security-Policy"},
                                                  [](const auto& header) { return header.first; });
            CPPUNIT_ASSERT(policy != response.headers.end());
            return std::pair{response.body, policy->second};
        };
        const auto [turnstile, policy] = shown(HumanCheckService::Turnstile);
        for (
            const char* part :
            {R"(<div id="check" data-service="turnstile" data-site-key="0x4AAA" data-action="otpgate"></div>)",
             R"(<script src="/login/js/check.js"></script>)",
             R"(<script src="https://challenges.cloudflare.com/turnstile/v0/api.js?render=explicit&amp;onload=begin">)"})
            CPPUNIT_ASSERT_MESSAGE(turnstile, turnstile.find(part) != std::string::npos);
        CPPUNIT_ASSERT_EQUAL(
            "default-src 'none'; script-src 'self' https://challenges.cloudflare.com;"
            " frame-src https://challenges.cloudflare.com; style-src 'self'; img-src 'self'; base-uri 'none';"
            " form-action 'none'; frame-ancestors 'none'; sandbox allow-scripts allow-same-origin"s,
            policy);
        const auto [hcaptcha, other] = shown(HumanCheckService::HCaptcha);
        CPPUNIT_ASSERT(hcaptcha.find("https://js.hcaptcha.com/1/api.js") != std::string::npos);
        CPPUNIT_ASSERT(other.find("connect-src https://hcaptcha.com https://*.hcaptcha.com;") != std::string::npos);
        CPPUNIT_ASSERT(other.find("cloudflare") == std::string::npos);
    }

    void showsNoCheckWhereNoneIsAskedFor() {
        CPPUNIT_ASSERT_EQUAL(404, answerOf([&] { return showHumanCheck(get(), settings_); }).status);
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ApiPageTest);

}  // namespace api_page_test
}  // namespace otpgate::api
