#include "delivery/sms/twilio_sms_transport.h"
#include "support_cpp/http_server.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <vector>

namespace otpgate::delivery {
namespace delivery_twilio_test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Outcome = SendResult::Outcome;
using Cause = SendResult::Cause;
using namespace test;

std::string error(int status, int code, const std::string& headers = "") {
    return answer(std::to_string(status) + " Error",
                  R"({"code": )" + std::to_string(code) +
                      R"(, "message": "The 'To' number +12025550123 is bad, \"code\": 1", "more_info": )" +
                      R"("https://www.twilio.com/docs/errors/)" + std::to_string(code) + R"(", "status": )" +
                      std::to_string(status) + "}",
                  headers);
}
const std::string kAccepted = answer("201 Created", R"({"sid": "SM1", "status": "queued", "error_code": null})");

class TwilioTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(TwilioTest);
    CPPUNIT_TEST(postsTheMessageAsAForm);
    CPPUNIT_TEST(namesAMessagingServiceAsSuch);
    CPPUNIT_TEST(sendsTwoMessagesOverOneConnection);
    CPPUNIT_TEST(connectsAnewAfterItWasIdle);
    CPPUNIT_TEST(connectsAgainWhenTheKeptConnectionIsDead);
    CPPUNIT_TEST(readsChunkedAnswers);
    CPPUNIT_TEST(skipsInterimAnswers);
    CPPUNIT_TEST(refusesForBadNumbersWithoutNamingThem);
    CPPUNIT_TEST(refusesWhatItCannotExplain);
    CPPUNIT_TEST(triesLaterWhenTheSenderIsWrong);
    CPPUNIT_TEST(triesLaterWhenTheAccountIsWrong);
    CPPUNIT_TEST(triesLaterWhenTwilioIsBusyOrBroken);
    CPPUNIT_TEST(waitsAsLongAsTwilioAsksFor);
    CPPUNIT_TEST(logsInByApiKey);
    CPPUNIT_TEST(tellsTheMessageIdAndTheStatus);
    CPPUNIT_TEST(saysWhatToChange);
    CPPUNIT_TEST(tellsWhetherTheMessageMayBeOnItsWay);
    CPPUNIT_TEST(followsNoRedirect);
    CPPUNIT_TEST(triesLaterWithoutAnAnswer);
    CPPUNIT_TEST(triesLaterWhenTheAnswerMakesNoSense);
    CPPUNIT_TEST(waitsNoLongerThanTheTimeout);
    CPPUNIT_TEST(isNotHeldByAServerThatDrips);
    CPPUNIT_TEST(doesNotSendAgainWhatWasAcceptedByHalfAnAnswer);
    CPPUNIT_TEST(takesAnAnswerForOneRequestOnly);
    CPPUNIT_TEST(bearsAnEndlessAnswer);
    CPPUNIT_TEST(doesNotReadAnAnswerToItsEnd);
    CPPUNIT_TEST(tellsNothingThatWasTold);
    CPPUNIT_TEST_SUITE_END();

    static SmsSettings settingsFor(const std::string& url) {
        SmsSettings settings;
        settings.transport = SmsTransportKind::Twilio;
        settings.from = "+15005550006";
        settings.twilioAccountSid = "AC0123";
        settings.twilioAuthToken = "token";
        settings.twilioUrl = url;
        return settings;
    }
    static SmsMessage message() { return {"+12025550123", "123456 is it & more\n\n@x.example #123456"}; }
    static SendResult sendTo(const std::string& response, seconds timeout = seconds(10)) {
        HttpServer server({{response}});
        SmsSettings settings = settingsFor(server.url());
        settings.timeout = timeout;
        return TwilioSmsTransport(settings).send(message());
    }
    static void assertResult(const SendResult& result, Outcome outcome, Cause cause, const std::string& reason) {
        CPPUNIT_ASSERT_EQUAL(reason, result.reason);
        CPPUNIT_ASSERT(result.outcome == outcome);
        CPPUNIT_ASSERT(result.cause == cause);
    }
    static void assertSent(const SendResult& result) { assertResult(result, Outcome::Sent, Cause::Message, ""); }
    static void assertHas(const std::string& text, const std::string& part) {
        CPPUNIT_ASSERT_MESSAGE(part + " is missing in\n" + text, text.find(part) != std::string::npos);
    }

    void postsTheMessageAsAForm() {
        HttpServer server({{kAccepted}});
        TwilioSmsTransport transport(settingsFor(server.url() + "/"));
        assertSent(transport.send(message()));
        const std::string request = server.requests().at(0);
        CPPUNIT_ASSERT(request.starts_with("POST /2010-04-01/Accounts/AC0123/Messages.json HTTP/1.1\r\n"));
        assertHas(request, "\r\nAuthorization: Basic QUMwMTIzOnRva2Vu\r\n");  // AC0123:token
        assertHas(request, "\r\nContent-Type: application/x-www-form-urlencoded\r\n");
        CPPUNIT_ASSERT_EQUAL(std::string("To=%2B12025550123&From=%2B15005550006&"
                                         "Body=123456%20is%20it%20%26%20more%0A%0A%40x.example%20%23123456"),
                             request.substr(request.find("\r\n\r\n") + 4));
    }

    void namesAMessagingServiceAsSuch() {
        HttpServer server({{kAccepted}});
        SmsSettings settings = settingsFor(server.url());
        settings.from = "MG0123456789abcdef0123456789abcdef";
        assertSent(TwilioSmsTransport(settings).send(message()));
        assertHas(server.requests().at(0), "&MessagingServiceSid=MG0123456789abcdef0123456789abcdef&");
        CPPUNIT_ASSERT(server.requests().at(0).find("From=") == std::string::npos);
    }

    void sendsTwoMessagesOverOneConnection() {
        HttpServer server({{kAccepted, error(400, 21211), kAccepted}});
        TwilioSmsTransport transport(settingsFor(server.url()));
        assertSent(transport.send(message()));
        CPPUNIT_ASSERT(transport.send(message()).outcome == Outcome::Refused);
        assertSent(transport.send(message()));
    }

    void connectsAnewAfterItWasIdle() {
        HttpServer server({{kAccepted, kAccepted}, {kAccepted}});
        TwilioSmsTransport transport(settingsFor(server.url()));
        transport.idle();
        assertSent(transport.send(message()));
        transport.idle();
        assertSent(transport.send(message()));
    }

    void connectsAgainWhenTheKeptConnectionIsDead() {
        HttpServer server({{kAccepted}, {kAccepted, kClose}, {kAccepted}});
        TwilioSmsTransport transport(settingsFor(server.url()));
        for (int i = 0; i < 3; ++i) assertSent(transport.send(message()));
    }

    void readsChunkedAnswers() {
        const std::string head = "HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n";
        HttpServer server({{head + "8\r\n{\"code\":\r\n7;x=y\r\n 21211}\r\n0\r\nX: y\r\n\r\n", kAccepted}});
        TwilioSmsTransport transport(settingsFor(server.url()));
        assertResult(transport.send(message()), Outcome::Refused, Cause::Message, "twilio 21211: invalid number");
        assertSent(transport.send(message()));
    }

    void skipsInterimAnswers() { assertSent(sendTo("HTTP/1.1 100 Continue\r\n\r\n" + kAccepted)); }

    void refusesForBadNumbersWithoutNamingThem() {
        const std::vector<std::pair<int, std::string>> cases{
            {21211, "invalid number"},
            {21214, "number cannot be reached"},
            {21217, "number does not seem valid"},
            {21408, "no permission to send to this region"},
            {21608, "number not verified, which a trial account needs"},
            {21610, "recipient has unsubscribed"},
            {21612, "no way to this number from sms.from"},
            {21614, "not a mobile number"},
            {21635, "number is a landline"},
        };
        for (const auto& [code, text] : cases) {
            assertResult(sendTo(error(400, code)), Outcome::Refused, Cause::Message,
                         "twilio " + std::to_string(code) + ": " + text);
        }
    }

    void refusesWhatItCannotExplain() {
        assertResult(sendTo(error(400, 29999)), Outcome::Refused, Cause::Message, "twilio 29999: status 400");
        assertResult(sendTo(error(422, 29999)), Outcome::Refused, Cause::Message, "twilio 29999: status 422");
        for (const char* body :
             {"", "<html>", "[]", "{}", "null", R"({"code": "x"})", R"({"code": null})", "{\"code\":"}) {
            assertResult(sendTo(answer("400 Bad Request", body)), Outcome::Refused, Cause::Message, "twilio: 400");
        }
        assertResult(sendTo(answer("400 Bad Request", std::string(10000, '['))), Outcome::Refused, Cause::Message,
                     "twilio: 400");
    }

    void triesLaterWhenTheSenderIsWrong() {
        for (const int code : {21212, 21603, 21606, 21659, 21660, 21703}) {
            assertResult(sendTo(error(400, code)), Outcome::TryLater, Cause::Message,
                         "twilio " + std::to_string(code) + ": sms.from cannot be used as sender");
        }
    }

    void triesLaterWhenTheAccountIsWrong() {
        assertResult(sendTo(error(401, 20003, "WWW-Authenticate: Basic realm=\"Twilio API\"\r\n")), Outcome::TryLater,
                     Cause::Provider, "twilio: 401 authentication");
        assertResult(sendTo(error(403, 20403)), Outcome::TryLater, Cause::Provider, "twilio: 403 forbidden");
        assertResult(sendTo(error(404, 20404)), Outcome::TryLater, Cause::Provider, "twilio: 404 no such account");
    }

    void triesLaterWhenTwilioIsBusyOrBroken() {
        assertResult(sendTo(error(408, 20408)), Outcome::TryLater, Cause::Provider, "twilio: 408 timeout");
        assertResult(sendTo(error(429, 20429)), Outcome::TryLater, Cause::Provider, "twilio: 429 too many requests");
        assertResult(sendTo(error(500, 20500)), Outcome::TryLater, Cause::Provider, "twilio: 500");
        assertResult(sendTo(answer("503 Service Unavailable", "<html>")), Outcome::TryLater, Cause::Provider,
                     "twilio: 503");
    }

    void waitsAsLongAsTwilioAsksFor() {
        CPPUNIT_ASSERT(sendTo(error(429, 20429, "Retry-After: 7\r\n")).retryAfter == seconds(7));
        CPPUNIT_ASSERT(sendTo(error(503, 20503, "retry-after: 120\r\n")).retryAfter == seconds(120));
        CPPUNIT_ASSERT(!sendTo(error(429, 20429)).retryAfter);
        for (const char* value : {"0", "-5", "soon", "Thu, 01 Jan 1970 00:00:00 GMT"}) {
            CPPUNIT_ASSERT_MESSAGE(
                value, !sendTo(error(429, 20429, std::string("Retry-After: ") + value + "\r\n")).retryAfter);
        }
        const auto later = sendTo(error(429, 20429, "Retry-After: Fri, 01 Jan 2100 00:00:00 GMT\r\n")).retryAfter;
        CPPUNIT_ASSERT(later > std::chrono::hours(24));
    }

    void logsInByApiKey() {
        HttpServer server({{kAccepted}});
        SmsSettings settings = settingsFor(server.url());
        settings.twilioAuthToken.clear();
        settings.twilioApiKeySid = "SK0123";
        settings.twilioApiKeySecret = "hidden";
        assertSent(TwilioSmsTransport(settings).send(message()));
        assertHas(server.requests().at(0), "POST /2010-04-01/Accounts/AC0123/Messages.json");
        assertHas(server.requests().at(0), "\r\nAuthorization: Basic U0swMTIzOmhpZGRlbg==\r\n");  // SK0123:hidden
    }

    void tellsTheMessageIdAndTheStatus() {
        const SendResult sent = sendTo(kAccepted);
        CPPUNIT_ASSERT_EQUAL(std::string("SM1"), sent.answer.messageId);
        CPPUNIT_ASSERT_EQUAL(201, sent.answer.httpStatus);
        CPPUNIT_ASSERT(sent.answer.body.empty());
        const SendResult refused = sendTo(error(400, 21211));
        CPPUNIT_ASSERT_EQUAL(400, refused.answer.httpStatus);
        assertHas(refused.answer.body, "The 'To' number");
    }

    void saysWhatToChange() {
        const std::vector<std::pair<std::string, std::string>> cases{
            {error(401, 20003), "sms.twilio_auth_token"},
            {error(404, 20404), "sms.twilio_account_sid and sms.twilio_url"},
            {error(403, 20403), "Twilio's console"},
            {error(400, 21408), "Geo permissions"},
            {error(400, 21608), "trial account"},
            {error(400, 21612), "sms.from"},
            {error(400, 21606), "sms.from"},
            {error(400, 21611), "messaging service"},
        };
        for (const auto& [response, part] : cases) assertHas(sendTo(response).advice, part);
        // Where the number is the reason, there is nothing to change.
        for (const int code : {21211, 21610, 21614}) CPPUNIT_ASSERT(sendTo(error(400, code)).advice.empty());
        CPPUNIT_ASSERT(sendTo(error(429, 20429)).advice.empty());
        CPPUNIT_ASSERT(sendTo(kAccepted).advice.empty());
    }

    void tellsWhetherTheMessageMayBeOnItsWay() {
        CPPUNIT_ASSERT(sendTo(kStall, seconds(1)).mayHaveBeenTaken);
        CPPUNIT_ASSERT(sendTo(kClose).mayHaveBeenTaken);
        for (const std::string& response : {error(400, 21211), error(429, 20429), error(500, 20500)}) {
            CPPUNIT_ASSERT(!sendTo(response).mayHaveBeenTaken);
        }
        std::string url;
        {
            const HttpServer server({});
            url = server.url();
        }
        CPPUNIT_ASSERT(!TwilioSmsTransport(settingsFor(url)).send(message()).mayHaveBeenTaken);
    }

    void followsNoRedirect() {
        HttpServer server({{answer("307 Temporary Redirect", "", "Location: /elsewhere\r\n")}, {kAccepted}});
        assertResult(TwilioSmsTransport(settingsFor(server.url())).send(message()), Outcome::TryLater, Cause::Provider,
                     "twilio: 307");
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, server.requests().size());
    }

    void triesLaterWithoutAnAnswer() {
        std::string url;
        {
            const HttpServer server({});
            url = server.url();
        }
        const SendResult refused = TwilioSmsTransport(settingsFor(url)).send(message());
        CPPUNIT_ASSERT_MESSAGE(refused.reason, refused.reason.starts_with("twilio: Failed to connect to 127.0.0.1"));
        CPPUNIT_ASSERT(refused.outcome == Outcome::TryLater && refused.cause == Cause::Provider);
        assertResult(sendTo(kClose), Outcome::TryLater, Cause::Provider, "twilio: Empty reply from server");
    }

    void triesLaterWhenTheAnswerMakesNoSense() {
        for (const char* response : {"220 smtp.example ESMTP\r\n", "HTTP/1.1 abc\r\n\r\n"}) {
            const SendResult result = sendTo(response);
            CPPUNIT_ASSERT_MESSAGE(response, result.outcome == Outcome::TryLater && result.cause == Cause::Provider);
            CPPUNIT_ASSERT_MESSAGE(result.reason, result.reason.size() < 200);
        }
    }

    void waitsNoLongerThanTheTimeout() {
        const auto start = std::chrono::steady_clock::now();
        const SendResult result = sendTo(kStall, seconds(1));
        CPPUNIT_ASSERT(std::chrono::steady_clock::now() - start < milliseconds(2500));
        CPPUNIT_ASSERT_MESSAGE(result.reason, result.reason.starts_with("twilio: Operation timed out after "));
        CPPUNIT_ASSERT(result.outcome == Outcome::TryLater && result.cause == Cause::Provider);
    }

    void isNotHeldByAServerThatDrips() {
        const auto start = std::chrono::steady_clock::now();
        assertSent(sendTo(kDrip, seconds(1)));
        CPPUNIT_ASSERT(std::chrono::steady_clock::now() - start < milliseconds(2500));
    }

    // What was accepted would be paid for a second time.
    void doesNotSendAgainWhatWasAcceptedByHalfAnAnswer() {
        for (const char* response :
             {"HTTP/1.1 201 Created\r\nContent-Length: 10\r\n\r\nshort", "HTTP/1.1 201 Created\r\nContent-Le",
              "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"}) {
            assertSent(sendTo(response));
        }
    }

    void takesAnAnswerForOneRequestOnly() {
        HttpServer server({{kAccepted, kClose}, {kClose}});
        TwilioSmsTransport transport(settingsFor(server.url()));
        assertSent(transport.send(message()));
        const SendResult second = transport.send(message());
        CPPUNIT_ASSERT_MESSAGE(second.reason, second.outcome == Outcome::TryLater && second.mayHaveBeenTaken);
    }

    void bearsAnEndlessAnswer() { assertSent(sendTo(answer("201 Created", std::string(1'000'000, 'x')))); }

    void doesNotReadAnAnswerToItsEnd() {
        const auto start = std::chrono::steady_clock::now();
        assertSent(sendTo("HTTP/1.1 201 Created\r\nContent-Length: 1000000\r\n\r\n" + std::string(70'000, 'x')));
        CPPUNIT_ASSERT(std::chrono::steady_clock::now() - start < milliseconds(2500));
    }

    void tellsNothingThatWasTold() {
        SmsSettings settings = settingsFor("");
        const SmsMessage secret{"+12025550123", "Your code is 918273", "918273"};
        for (const std::string& response :
             {error(400, 918273), answer("400 Bad Request", "918273 for +12025550123, " + settings.twilioAuthToken),
              std::string("HTTP/1.1 201 Created\r\nContent-Length: 918273x\r\n\r\n")}) {
            HttpServer server({{response}});
            const SendResult result = TwilioSmsTransport(settingsFor(server.url())).send(secret);
            for (const std::string& word :
                 {std::string("918273"), std::string("2025550123"), settings.twilioAuthToken}) {
                CPPUNIT_ASSERT_MESSAGE(result.reason, result.reason.find(word) == std::string::npos);
                CPPUNIT_ASSERT_MESSAGE(result.answer.body, result.answer.body.find(word) == std::string::npos);
            }
        }
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(TwilioTest);

}  // namespace delivery_twilio_test
}  // namespace otpgate::delivery
