// Asking the service that checks visitors: what is sent, that whatever goes wrong is a no, and that few ask at once.
#include "human_checks.h"

#include "otpgate/base/errors.h"
#include "support_cpp/fake_clock.h"
#include "support_cpp/http_server.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <chrono>
#include <future>
#include <map>
#include <memory>
#include <vector>

namespace otpgate::test {
namespace human_checks_test {

using namespace std::chrono_literals;
using namespace std::string_literals;
using domain::HumanCheckService;
using domain::HumanVerdict;

const std::string kYes =
    answer("200 OK", R"({"success":true,"challenge_ts":"2026-11-29T12:00:00Z","hostname":"localhost","error-codes":[],)"
                     R"("action":"otpgate","cdata":"","metadata":{"interactive":false}})");

class HumanChecksTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(HumanChecksTest);
    CPPUNIT_TEST(sendsWhatTheServicesWant);
    CPPUNIT_TEST(takesWhateverIsNoYesForANo);
    CPPUNIT_TEST(asksFewAtOnceAndFewerOfOneNetwork);
    CPPUNIT_TEST(refusesSettingsThatCannotDo);
    CPPUNIT_TEST_SUITE_END();

    static domain::HumanCheckSettings settings(const std::string& url,
                                               HumanCheckService service = HumanCheckService::Turnstile) {
        return {{service, "0x4AAA"}, "s+cret", url, {"localhost"}};
    }
    std::unique_ptr<HumanChecks> checksAt(const domain::HumanCheckSettings& settings, unsigned threads = 28) {
        return std::make_unique<HumanChecks>(settings, threads, counts_, log_);
    }
    std::string toldBy(const std::string& reply) {
        HttpServer server({{reply}});
        return std::string{toString(checksAt(settings(server.url()))->ask("token", "192.0.2.1", "192.0.2.1"))};
    }

    void sendsWhatTheServicesWant() {
        HttpServer server({{kYes, kYes}});
        const auto checks = checksAt(settings(server.url() + "/siteverify"));
        CPPUNIT_ASSERT(checks->ask("to/ken", "2001:db8::1", "2001:db8::") == HumanVerdict::Human);
        CPPUNIT_ASSERT(checks->ask("other", "", "") == HumanVerdict::Human);  // over the same connection
        const auto sent = server.requests();
        CPPUNIT_ASSERT(sent.at(0).starts_with("POST /siteverify HTTP/1.1\r\n"));
        CPPUNIT_ASSERT(sent[0].find("Content-Type: application/x-www-form-urlencoded\r\n") != std::string::npos);
        CPPUNIT_ASSERT(sent[0].ends_with("\r\n\r\nsecret=s%2Bcret&response=to%2Fken&remoteip=2001%3Adb8%3A%3A1"));
        CPPUNIT_ASSERT(sent.at(1).ends_with("\r\n\r\nsecret=s%2Bcret&response=other"));

        HttpServer other({{kYes}});
        checksAt(settings(other.url(), HumanCheckService::HCaptcha))->ask("token", "", "");
        CPPUNIT_ASSERT(other.requests().at(0).ends_with("&sitekey=0x4AAA"));
    }

    void takesWhateverIsNoYesForANo() {
        CPPUNIT_ASSERT_EQUAL("human"s, toldBy(kYes));
        CPPUNIT_ASSERT_EQUAL("no_answer"s, toldBy(kClose));
        CPPUNIT_ASSERT_EQUAL("refused"s,
                             toldBy(answer("200 OK", R"({"success":false,"error-codes":["timeout-or-duplicate"]})")));
        CPPUNIT_ASSERT_EQUAL(
            "elsewhere"s, toldBy(answer("200 OK", R"({"success":true,"hostname":"evil.example","action":"otpgate"})")));
        for (const char* body :
             {"<html>One moment</html>", "", "true", R"({"success":"true","hostname":"localhost","action":"otpgate"})",
              R"({"success":1,"hostname":"localhost"})", R"({"success":false,"success":true})",
              R"({"hostname":"localhost","action":"otpgate"})", R"([{"success":true}])"}) {
            CPPUNIT_ASSERT_EQUAL_MESSAGE(body, "wrong_answer"s, toldBy(answer("200 OK", body)));
        }
        const std::string yes = kYes.substr(kYes.find('\n') + 1);
        for (const char* status : {"500 No", "302 Found\r\nLocation: http://127.0.0.1:1/", "403 Forbidden"})
            CPPUNIT_ASSERT_EQUAL_MESSAGE(status, "wrong_answer"s, toldBy("HTTP/1.1 "s + status + "\r\n" + yes));
        // Cut off in the middle.
        CPPUNIT_ASSERT_EQUAL("wrong_answer"s,
                             toldBy("HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{\"success\":true}"));
    }

    // A service that says nothing: a few wait for it, and not for long; all others are told so at once.
    void asksFewAtOnceAndFewerOfOneNetwork() {
        auto server = std::make_unique<HttpServer>(std::vector<Answers>{{kStall}});
        const auto checks = checksAt(settings(server->url()), 9);
        const auto begin = std::chrono::steady_clock::now();
        const auto ask = [&](const std::string& network) {
            return std::async(std::launch::async, [&, network] { return checks->ask("token", "", network); });
        };
        std::vector<std::future<HumanVerdict>> asking;
        for (const char* network : {"a", "a", "a", "b", "b", "c"}) asking.push_back(ask(network));
        std::map<HumanVerdict, int> told;
        for (auto& each : asking) ++told[each.get()];
        CPPUNIT_ASSERT((told == std::map<HumanVerdict, int>{{HumanVerdict::NoAnswer, 3}, {HumanVerdict::Busy, 3}}));
        CPPUNIT_ASSERT(std::chrono::steady_clock::now() - begin < kHumanCheckTimeout + 2s);
        server.reset();
        CPPUNIT_ASSERT(checks->ask("token", "", "a") == HumanVerdict::NoAnswer);  // their places are free again
    }

    void refusesSettingsThatCannotDo() {
        const auto assertRefused = [](domain::HumanCheckSettings wrong, const std::string& name) {
            try {
                requireAskable(wrong);
            } catch (const ConfigurationError& error) {
                CPPUNIT_ASSERT_MESSAGE(error.what(), std::string{error.what()}.find(name) == 0);
                return;
            }
            CPPUNIT_FAIL(name);
        };
        auto wrong = settings("https://check.example/");
        requireAskable(wrong);
        for (const char* url : {"", "http://check.example/", "https://", "https://ann@check.example/"})
            assertRefused(settings(url), "abuse.challenge_verify_url");
        wrong.secret.clear();
        assertRefused(wrong, "abuse.challenge_secret");
        for (const char* key : {"", "a\"b", "a b"}) {
            wrong.site.siteKey = key;
            assertRefused(wrong, "abuse.challenge_site_key");
        }
    }

    FakeClock clock_;
    Logger log_{LogFormat::Text, LogLevel::Error, clock_};
    domain::HumanCheckCounts counts_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(HumanChecksTest);

}  // namespace human_checks_test
}  // namespace otpgate::test
