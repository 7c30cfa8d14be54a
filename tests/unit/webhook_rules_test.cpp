// Webhooks: whom anything is sent to, what it says and how it is signed, and what comes of an answer.
#include "otpgate/domain/webhook_rules.h"

#include "otpgate/domain/webhook_events.h"
#include "support_cpp/counting_random.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <arpa/inet.h>
#include <array>
#include <set>
#include <string>

namespace otpgate::domain {
namespace webhook_rules_test {

using namespace std::chrono_literals;
using Fate = WebhookRuling::Fate;

bool isPublic(const char* text) {
    std::array<unsigned char, 16> bytes{};
    const bool isV4 = ::inet_pton(AF_INET, text, bytes.data()) == 1;
    CPPUNIT_ASSERT_MESSAGE(text, isV4 || ::inet_pton(AF_INET6, text, bytes.data()) == 1);
    return isPublicAddress(std::span(bytes).first(isV4 ? 4 : 16));
}

class WebhookRulesTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(WebhookRulesTest);
    CPPUNIT_TEST(knowsWhatIsPublic);
    CPPUNIT_TEST(takesUrlsOfPublicHostsOverTls);
    CPPUNIT_TEST(signsAsTheStandardDoes);
    CPPUNIT_TEST(signsByBothSecretsWhileOneIsChangedOver);
    CPPUNIT_TEST(tellsNothingButIds);
    CPPUNIT_TEST(tellsHowLongATokenOfAnEndedSessionMayLookGood);
    CPPUNIT_TEST(readsTheNamesThatItWrites);
    CPPUNIT_TEST(triesAgainForDays);
    CPPUNIT_TEST(restsWhereTheReceiverWishes);
    CPPUNIT_TEST(leavesWhoIsGone);
    CPPUNIT_TEST_SUITE_END();

    void knowsWhatIsPublic() {
        for (const char* address :
             {"8.8.8.8", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "198.20.0.1", "2606:4700::1111",
              "2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::808:808"}) {
            CPPUNIT_ASSERT_MESSAGE(address, isPublic(address));
        }
        for (const char* address : {"0.0.0.0",
                                    "10.1.2.3",
                                    "100.64.0.1",
                                    "127.0.0.1",
                                    "127.255.255.255",
                                    "169.254.169.254",
                                    "172.16.0.1",
                                    "172.31.255.255",
                                    "192.0.0.8",
                                    "192.0.2.1",
                                    "192.168.1.1",
                                    "198.18.0.1",
                                    "198.51.100.1",
                                    "203.0.113.1",
                                    "224.0.0.1",
                                    "255.255.255.255",
                                    "::",
                                    "::1",
                                    "fe80::1",
                                    "fc00::1",
                                    "fdff::1",
                                    "ff02::1",
                                    "2001:db8::1",
                                    "2001::1",
                                    "2002:7f00:1::",
                                    "3fff::1",
                                    "::ffff:127.0.0.1",
                                    "::ffff:10.0.0.1",
                                    "64:ff9b::7f00:1",
                                    "::127.0.0.1"}) {
            CPPUNIT_ASSERT_MESSAGE(address, !isPublic(address));
        }
        CPPUNIT_ASSERT(!isPublicAddress({}));
    }

    void takesUrlsOfPublicHostsOverTls() {
        for (const char* url : {"https://shop.example.com/events", "https://shop.example.com:8443/a?b=c%20d",
                                "https://[2606:4700::1111]/"}) {
            CPPUNIT_ASSERT_MESSAGE(url, isWebhookUrl(url, WebhookReceivers::Public));
        }
        for (const char* url :
             {"", "https://", "https:///a", "ftp://shop.example.com/", "https://ann@shop.example.com/",
              "https://shop.example.com/#a", "https://shop.example.com/a b", "javascript:alert(1)",
              "https://shop.example.com/\r\nHost: x", "//shop.example.com/", "http:/a"}) {
            CPPUNIT_ASSERT_MESSAGE(url, !isWebhookUrl(url, WebhookReceivers::Any));
        }
        CPPUNIT_ASSERT(!isWebhookUrl("http://shop.example.com/", WebhookReceivers::Public));
        CPPUNIT_ASSERT(isWebhookUrl("http://10.0.0.1:8080/", WebhookReceivers::Any));
        CPPUNIT_ASSERT(!isWebhookUrl("https://a/" + std::string(991, 'b'), WebhookReceivers::Public));
    }

    // The example of the libraries of standard-webhooks.
    void signsAsTheStandardDoes() {
        const std::string secret(
            "\x31\xf2\x90\xf6\xbf\x06\x29\x8a\xab\x4f\x08\xd4\x3c\x3f\x08\x2c\xf6\x48\xa3\x62"
            "\xda\x2d\xa4\xb0",
            24);
        CPPUNIT_ASSERT_EQUAL(std::string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, shownSecret(secret));
        CPPUNIT_ASSERT_EQUAL(
            std::string{"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
            webhookSignature({secret}, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, R"({"test": 2432232314})"));
    }

    void signsByBothSecretsWhileOneIsChangedOver() {
        const std::string one = makeWebhookSecret(random_);
        const std::string other = makeWebhookSecret(random_);
        CPPUNIT_ASSERT(one != other && one.size() == 32);
        const std::string both = webhookSignature({one, other}, "id", 1, "body");
        CPPUNIT_ASSERT_EQUAL(
            webhookSignature({one}, "id", 1, "body") + ' ' + webhookSignature({other}, "id", 1, "body"), both);
        // Id and time are signed, too.
        CPPUNIT_ASSERT(webhookSignature({one}, "id", 2, "body") != webhookSignature({one}, "id", 1, "body"));
        CPPUNIT_ASSERT(webhookSignature({one}, "ie", 1, "body") != webhookSignature({one}, "id", 1, "body"));
    }

    void tellsNothingButIds() {
        ToldEvent told{.id = Uuid::makeV7(now_, random_), .event = WebhookEvent::Test, .createdAt = now_};
        CPPUNIT_ASSERT_EQUAL(std::string{R"({"type":"webhook.test","timestamp":"2026-11-20T13:05:00Z","data":{}})"},
                             bodyOf(told, 900s));
        told.event = WebhookEvent::FactorAdded;
        told.userId = Uuid::parse("019dd1b4-6f10-7a51-8c44-0d1e2f3a4b5c").value();
        told.details = tellableEvent(AuditEvent::PasskeyAdded).value().details;
        CPPUNIT_ASSERT_EQUAL(
            std::string{R"({"type":"factor.added","timestamp":"2026-11-20T13:05:00Z",)"
                        R"("data":{"user_id":"019dd1b4-6f10-7a51-8c44-0d1e2f3a4b5c","factor":"passkey"}})"},
            bodyOf(told, 900s));
        const OutboxMessage message{.id = {},
                                    .otpId = {},
                                    .destination = Destination::parse("ann@example.org").value(),
                                    .locale = {},
                                    .requestId = {},
                                    .expiresAt = {},
                                    .availableAt = {}};
        CPPUNIT_ASSERT_EQUAL(std::string{R"("channel":"email","message":"code")"}, detailsOf(message));
    }

    void tellsHowLongATokenOfAnEndedSessionMayLookGood() {
        const Uuid session = Uuid::parse("019dd1b4-6f10-7a51-8c44-0d1e2f3a4b5c").value();
        const ToldEvent told{
            .id = session, .event = WebhookEvent::SessionEnded, .sessionId = session, .createdAt = now_};
        CPPUNIT_ASSERT_EQUAL(std::string{R"({"type":"session.ended","timestamp":"2026-11-20T13:05:00Z","data":)"
                                         R"({"session_id":"019dd1b4-6f10-7a51-8c44-0d1e2f3a4b5c","exp":1795180800}})"},
                             bodyOf(told, 900s));
    }

    void readsTheNamesThatItWrites() {
        std::set<std::string_view> names;
        for (int i = 0; i <= static_cast<int>(WebhookEvent::Test); ++i) {
            const auto event = static_cast<WebhookEvent>(i);
            CPPUNIT_ASSERT(parseWebhookEvent(toString(event)) == event);
            names.insert(toString(event));
        }
        CPPUNIT_ASSERT_EQUAL(std::size_t{15}, names.size());
        CPPUNIT_ASSERT(!parseWebhookEvent("") && !parseWebhookEvent("user.Created"));
    }

    void triesAgainForDays() {
        std::chrono::milliseconds all{0};
        for (unsigned attempt = 1; attempt <= 9; ++attempt) {
            const auto ruling = ruleOnAnswer({500}, attempt, 1, now_, now_, random_);
            CPPUNIT_ASSERT(ruling.fate == Fate::TryLater && ruling.fault == "status 500");
            all += std::chrono::duration_cast<std::chrono::milliseconds>(ruling.nextTry - now_);
        }
        CPPUNIT_ASSERT(all > 75h && all < 84h);
        CPPUNIT_ASSERT(ruleOnAnswer({500}, 10, 1, now_, now_, random_).fate == Fate::GivenUp);
        CPPUNIT_ASSERT(ruleOnAnswer({204}, 10, 1, now_, now_, random_).fate == Fate::Delivered);
        // A redirect is not followed, and no answer is none.
        CPPUNIT_ASSERT(ruleOnAnswer({302}, 1, 1, std::nullopt, now_, random_).fate == Fate::TryLater);
        CPPUNIT_ASSERT_EQUAL(std::string{"timed out"},
                             ruleOnAnswer({0, "timed out"}, 1, 1, std::nullopt, now_, random_).fault);
    }

    void restsWhereTheReceiverWishes() {
        const auto first = ruleOnAnswer({500}, 1, 1, std::nullopt, now_, random_);
        CPPUNIT_ASSERT(first.receiverNext == now_ + 5s && first.nextTry >= now_ + 5s && first.nextTry < now_ + 6s);
        // However long it has failed, it is soon seen to be back.
        CPPUNIT_ASSERT(ruleOnAnswer({500}, 1, 400, now_ - 48h, now_, random_).receiverNext == now_ + 5min);
        const auto busy = ruleOnAnswer({429, {}, 1h}, 1, 1, std::nullopt, now_, random_);
        CPPUNIT_ASSERT(busy.receiverNext == now_ + 1h && busy.nextTry == now_ + 1h);
        CPPUNIT_ASSERT(ruleOnAnswer({503, {}, 999999h}, 1, 1, std::nullopt, now_, random_).nextTry == now_ + 24h);
    }

    void leavesWhoIsGone() {
        CPPUNIT_ASSERT(ruleOnAnswer({410}, 1, 1, std::nullopt, now_, random_).fate == Fate::ReceiverGone);
        CPPUNIT_ASSERT(ruleOnAnswer({500}, 1, 9, now_ - 120h, now_, random_).fate == Fate::ReceiverGone);
        CPPUNIT_ASSERT(ruleOnAnswer({500}, 1, 9, now_ - 119h, now_, random_).fate == Fate::TryLater);
        CPPUNIT_ASSERT(ruleOnAnswer({200}, 1, 9, now_ - 120h, now_, random_).fate == Fate::Delivered);
    }

    test::CountingRandom random_;
    const Timestamp now_ = parseRfc3339("2026-11-20T13:05:00Z").value().begin;
};

CPPUNIT_TEST_SUITE_REGISTRATION(WebhookRulesTest);

}  // namespace webhook_rules_test
}  // namespace otpgate::domain
