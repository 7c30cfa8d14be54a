#include "delivery/sms/vonage_sms_transport.h"
#include "otpgate/base/errors.h"
#include "support_cpp/http_server.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::delivery {
namespace delivery_vonage_test {

using std::chrono::seconds;
using Outcome = SendResult::Outcome;
using Cause = SendResult::Cause;
using namespace test;

std::string part(int status, const std::string& id = "") {
    return R"({"to": "12025550123", "status": ")" + std::to_string(status) + "\"" +
           (id.empty() ? std::string(R"(, "error-text": "about 12025550123")") : R"(, "message-id": ")" + id + "\"") +
           "}";
}
std::string reply(const std::string& messages, const std::string& headers = "") {
    return answer("200 OK", R"({"message-count": "1", "messages": [)" + messages + "]}", headers);
}
const std::string kAccepted = reply(part(0, "0C00"));

class VonageTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(VonageTest);
    CPPUNIT_TEST(postsTheMessageAsAForm);
    CPPUNIT_TEST(saysUnicodeWhereTheAlphabetDoesNotSuffice);
    CPPUNIT_TEST(takesEveryKindOfSender);
    CPPUNIT_TEST(tellsTheMessageId);
    CPPUNIT_TEST(refusesForGood);
    CPPUNIT_TEST(triesLaterWhenTheAccountIsWrong);
    CPPUNIT_TEST(triesLaterWhenTheSenderIsWrong);
    CPPUNIT_TEST(triesLaterAfterAHiccup);
    CPPUNIT_TEST(countsASegmentThatWasTaken);
    CPPUNIT_TEST(doesNotTakeAnythingForAYes);
    CPPUNIT_TEST(judgesByStatusWithoutAnAnswerOfTheApi);
    CPPUNIT_TEST(doesNotSendAgainWhatMayHaveBeenAccepted);
    CPPUNIT_TEST(triesLaterWithoutAnAnswer);
    CPPUNIT_TEST(namesTheSettingThatIsWrong);
    CPPUNIT_TEST_SUITE_END();

    static SmsSettings settingsFor(const std::string& url) {
        SmsSettings settings;
        settings.transport = SmsTransportKind::Vonage;
        settings.from = "+12025550100";
        settings.vonageApiKey = "0123abcd";
        settings.vonageApiSecret = "hidden";
        settings.vonageUrl = url;
        return settings;
    }
    static SendResult sendTo(const std::string& response, seconds timeout = seconds(10)) {
        HttpServer server({{response}});
        SmsSettings settings = settingsFor(server.url());
        settings.timeout = timeout;
        return VonageSmsTransport(settings).send({"+12025550123", "text"});
    }
    static std::string bodyFor(const std::string& from, const std::string& text) {
        HttpServer server({{kAccepted}});
        SmsSettings settings = settingsFor(server.url() + "/");
        settings.from = from;
        CPPUNIT_ASSERT(VonageSmsTransport(settings).send({"+12025550123", text}).outcome == Outcome::Sent);
        const std::string request = server.requests().at(0);
        CPPUNIT_ASSERT(request.starts_with("POST /sms/json HTTP/1.1\r\n"));
        CPPUNIT_ASSERT(request.find("\r\nContent-Type: application/x-www-form-urlencoded\r\n") != std::string::npos);
        return request.substr(request.find("\r\n\r\n") + 4);
    }
    static void assertResult(const SendResult& result, Outcome outcome, Cause cause, const std::string& reason) {
        CPPUNIT_ASSERT_EQUAL(reason, result.reason);
        CPPUNIT_ASSERT(result.outcome == outcome);
        CPPUNIT_ASSERT(result.cause == cause);
    }

    void postsTheMessageAsAForm() {
        CPPUNIT_ASSERT_EQUAL(std::string("api_key=0123abcd&api_secret=hidden&from=12025550100&to=12025550123&"
                                         "text=123456%20is%20it%0A%0A%40x.example%20%23123456"),
                             bodyFor("+12025550100", "123456 is it\n\n@x.example #123456"));
    }

    void saysUnicodeWhereTheAlphabetDoesNotSuffice() {
        CPPUNIT_ASSERT(bodyFor("Example", "Grüße für 5 €: [ja]").find("type=") == std::string::npos);
        for (const char* text : {"你好", "Привет", "it’s", "\U0001F511", "ç"}) {
            CPPUNIT_ASSERT_MESSAGE(text, bodyFor("Example", text).ends_with("&type=unicode"));
        }
    }

    void takesEveryKindOfSender() {
        CPPUNIT_ASSERT(bodyFor("+12025550100", "x").find("&from=12025550100&") != std::string::npos);
        CPPUNIT_ASSERT(bodyFor("12345", "x").find("&from=12345&") != std::string::npos);
        CPPUNIT_ASSERT(bodyFor("My Shop 24", "x").find("&from=My%20Shop%2024&") != std::string::npos);
    }

    void tellsTheMessageId() {
        const SendResult sent = sendTo(reply(part(0, "0C01") + "," + part(0, "0C02")));
        CPPUNIT_ASSERT(sent.outcome == Outcome::Sent);
        CPPUNIT_ASSERT_EQUAL(std::string("0C01"), sent.answer.messageId);
        CPPUNIT_ASSERT_EQUAL(200, sent.answer.httpStatus);
        CPPUNIT_ASSERT(sendTo(reply(R"({"status": "0"})")).outcome == Outcome::Sent);
    }

    void refusesForGood() {
        const std::vector<std::pair<int, std::string>> cases{
            {2, "missing parameter"},
            {3, "invalid parameter"},
            {6, "invalid message or number"},
            {7, "number is barred"},
            {12, "text too long"},
            {22, "invalid network code"},
            {23, "invalid callback"},
            {29, "number is not on the list of the demo account"},
            {33, "number is no longer in use"},
            {999, "not known"},
        };
        for (const auto& [status, text] : cases) {
            const SendResult result = sendTo(reply(part(status)));
            assertResult(result, Outcome::Refused, Cause::Message, "vonage " + std::to_string(status) + ": " + text);
            CPPUNIT_ASSERT(!result.mayHaveBeenTaken);
            CPPUNIT_ASSERT_EQUAL(status == 29, !result.advice.empty());
        }
    }

    void triesLaterWhenTheAccountIsWrong() {
        for (const int status : {1, 4, 8, 9, 10, 11, 14, 32}) {
            const SendResult result = sendTo(reply(part(status)));
            CPPUNIT_ASSERT_MESSAGE(result.reason, result.outcome == Outcome::TryLater);
            CPPUNIT_ASSERT_MESSAGE(result.reason, result.cause == Cause::Provider);
            // Nothing is wrong with the settings when it is only too much at once.
            CPPUNIT_ASSERT_EQUAL(status == 1 || status == 10, result.advice.empty());
        }
        CPPUNIT_ASSERT_EQUAL(std::string("vonage 4: invalid credentials"), sendTo(reply(part(4))).reason);
        CPPUNIT_ASSERT_EQUAL(std::string("check sms.vonage_api_key and sms.vonage_api_secret"),
                             sendTo(reply(part(4))).advice);
        CPPUNIT_ASSERT(sendTo(reply(part(1), "Retry-After: 7\r\n")).retryAfter == seconds(7));
    }

    void triesLaterWhenTheSenderIsWrong() {
        const SendResult result = sendTo(reply(part(15)));
        assertResult(result, Outcome::TryLater, Cause::Message, "vonage 15: sms.from cannot be used as sender");
        CPPUNIT_ASSERT(result.advice.starts_with("set sms.from "));
    }

    void triesLaterAfterAHiccup() {
        assertResult(sendTo(reply(part(5))), Outcome::TryLater, Cause::Message, "vonage 5: internal error");
    }

    void countsASegmentThatWasTaken() {
        const SendResult result = sendTo(reply(part(0, "0C01") + "," + part(1)));
        assertResult(result, Outcome::TryLater, Cause::Provider, "vonage 1: throttled");
        CPPUNIT_ASSERT(result.mayHaveBeenTaken);
    }

    void doesNotTakeAnythingForAYes() {
        for (const char* body :
             {"", "<html>", "[]", "{}", R"({"messages": []})", R"({"messages": {}})", R"({"messages": [1]})",
              R"({"messages": [{}]})", R"({"messages": [{"status": "x"}]})"}) {
            const SendResult result = sendTo(answer("200 OK", body));
            CPPUNIT_ASSERT_MESSAGE(body, result.outcome == Outcome::TryLater && result.cause == Cause::Provider);
            CPPUNIT_ASSERT_EQUAL_MESSAGE(body, std::string("vonage: 200"), result.reason);
            CPPUNIT_ASSERT_MESSAGE(body, result.mayHaveBeenTaken && result.advice.starts_with("check sms.vonage_url"));
        }
    }

    void judgesByStatusWithoutAnAnswerOfTheApi() {
        for (const char* status : {"401 Unauthorized", "403 Forbidden"}) {
            const SendResult result = sendTo(answer(status, ""));
            CPPUNIT_ASSERT(result.outcome == Outcome::TryLater && result.cause == Cause::Provider);
            CPPUNIT_ASSERT(result.advice.starts_with("check sms.vonage_api_key"));
        }
        for (const char* status : {"408 Request Timeout", "429 Too Many Requests", "503 Service Unavailable"}) {
            const SendResult result = sendTo(answer(status, "", "Retry-After: 9\r\n"));
            CPPUNIT_ASSERT(result.outcome == Outcome::TryLater && result.cause == Cause::Provider);
            CPPUNIT_ASSERT(result.retryAfter == seconds(9) && result.advice.empty());
        }
        for (const char* status : {"307 Temporary Redirect", "404 Not Found"}) {
            const SendResult result = sendTo(answer(status, "", "Location: /elsewhere\r\n"));
            CPPUNIT_ASSERT(result.outcome == Outcome::TryLater && result.advice.starts_with("check sms.vonage_url"));
        }
        assertResult(sendTo(answer("422 Unprocessable", kAccepted)), Outcome::Refused, Cause::Message, "vonage: 422");
    }

    // Whether it is paid for stands in what did not come.
    void doesNotSendAgainWhatMayHaveBeenAccepted() {
        for (const std::string& response :
             {std::string("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"message-count\": \"1\""),
              answer("200 OK", std::string(70'000, ' '))}) {
            const SendResult result = sendTo(response);
            assertResult(result, Outcome::Refused, Cause::Message, "vonage: 200 without its end");
            CPPUNIT_ASSERT(result.mayHaveBeenTaken);
        }
    }

    void triesLaterWithoutAnAnswer() {
        const SendResult closed = sendTo(kClose);
        assertResult(closed, Outcome::TryLater, Cause::Provider, "vonage: Empty reply from server");
        CPPUNIT_ASSERT(closed.mayHaveBeenTaken);
        CPPUNIT_ASSERT(sendTo(kStall, seconds(1)).reason.starts_with("vonage: Operation timed out"));
    }

    void namesTheSettingThatIsWrong() {
        const auto reasonFor = [](const SmsSettings& settings) -> std::string {
            try {
                const VonageSmsTransport transport(settings);
            } catch (const ConfigurationError& error) {
                return error.what();
            }
            return "accepted";
        };
        SmsSettings settings = settingsFor("https://rest.nexmo.com");
        CPPUNIT_ASSERT_EQUAL(std::string("accepted"), reasonFor(settings));
        settings.vonageUrl = "http://rest.nexmo.com";
        CPPUNIT_ASSERT(reasonFor(settings).starts_with("sms.vonage_url must begin with https://"));
        settings = settingsFor("https://rest.nexmo.com");
        settings.vonageApiKey.clear();
        CPPUNIT_ASSERT_EQUAL(std::string("sms.vonage_api_key is needed with sms.transport = vonage"),
                             reasonFor(settings));
        settings.vonageApiKey = "0123abcd";
        settings.vonageApiSecret = "s3cret\n";
        CPPUNIT_ASSERT_EQUAL(std::string("sms.vonage_api_secret holds a character that no token has"),
                             reasonFor(settings));
        for (const char* from : {"", "A much longer name", "Müller", "+1234567890123456"}) {
            settings = settingsFor("https://rest.nexmo.com");
            settings.from = from;
            CPPUNIT_ASSERT_MESSAGE(from, reasonFor(settings).starts_with("sms.from "));
        }
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(VonageTest);

}  // namespace delivery_vonage_test
}  // namespace otpgate::delivery
