#include "delivery/escaping.h"
#include "delivery/sms/http_sms_transport.h"
#include "otpgate/base/encoding.h"
#include "otpgate/base/errors.h"
#include "support_cpp/http_server.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <tuple>

namespace otpgate::delivery {
namespace delivery_http_sms_test {

using std::chrono::seconds;
using Outcome = SendResult::Outcome;
using Cause = SendResult::Cause;
using namespace test;

const std::string kTaken = answer("200 OK", R"({"ok": true})");
// All that an escape is for.
const std::string kText = "1 & 2 < \"3\" \\ {to}'é\n\n@x.example #12%";

class HttpSmsTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(HttpSmsTest);
    CPPUNIT_TEST(escapesForEachPlace);
    CPPUNIT_TEST(fillsAJsonBody);
    CPPUNIT_TEST(fillsAForm);
    CPPUNIT_TEST(fillsXml);
    CPPUNIT_TEST(fillsTheUrlOfAGet);
    CPPUNIT_TEST(sendsAPut);
    CPPUNIT_TEST(fillsHeaders);
    CPPUNIT_TEST(takesNothingInAValueForAPlaceholder);
    CPPUNIT_TEST(leavesOtherBracesAlone);
    CPPUNIT_TEST(sendsTwoMessagesOverOneConnection);
    CPPUNIT_TEST(succeedsWithTheStatusesThatAreNamed);
    CPPUNIT_TEST(wantsTheTextThatIsNamed);
    CPPUNIT_TEST(triesLaterWhenTheGatewayIsBusyOrBroken);
    CPPUNIT_TEST(refusesTheRest);
    CPPUNIT_TEST(saysWhatToChange);
    CPPUNIT_TEST(followsNoRedirect);
    CPPUNIT_TEST(triesLaterWithoutAnAnswer);
    CPPUNIT_TEST(namesAPlaceholderThatThereIsNot);
    CPPUNIT_TEST(takesPlainHttpOnlyToThisHost);
    CPPUNIT_TEST(refusesHeadersThatAreNone);
    CPPUNIT_TEST(refusesAMessageThatGoesNowhere);
    CPPUNIT_TEST(refusesABodyThatIsNoJson);
    CPPUNIT_TEST(refusesStatusesThatAreNone);
    CPPUNIT_TEST(neverNamesTheSecret);
    CPPUNIT_TEST_SUITE_END();

    static SmsSettings settingsFor(const std::string& url) {
        SmsSettings settings;
        settings.transport = SmsTransportKind::Http;
        settings.from = "My Shop";
        settings.http.url = url;
        settings.http.body = R"({"to": "{to}", "text": "{text}"})";
        return settings;
    }
    static SmsSettings good() { return settingsFor("https://sms.example/send"); }
    // The request that the settings make of the message.
    static std::string requestOf(SmsSettings settings, const std::string& path = "/send") {
        HttpServer server({{kTaken}});
        settings.http.url = server.url() + path;
        CPPUNIT_ASSERT(HttpSmsTransport(settings).send({"+12025550123", kText}).outcome == Outcome::Sent);
        return server.requests().at(0);
    }
    static std::string bodyOf(const std::string& request) { return request.substr(request.find("\r\n\r\n") + 4); }
    static SendResult sendTo(const std::string& response, SmsSettings settings = settingsFor("")) {
        HttpServer server({{response}});
        settings.http.url = server.url() + "/send";
        return HttpSmsTransport(settings).send({"+12025550123", "text"});
    }
    static std::string reasonFor(const SmsSettings& settings) {
        try {
            const HttpSmsTransport transport(settings);
        } catch (const ConfigurationError& error) {
            return error.what();
        }
        return "accepted";
    }
    static void assertResult(const SendResult& result, Outcome outcome, Cause cause, const std::string& reason) {
        CPPUNIT_ASSERT_EQUAL(reason, result.reason);
        CPPUNIT_ASSERT(result.outcome == outcome);
        CPPUNIT_ASSERT(result.cause == cause);
    }
    static void assertHas(const std::string& text, const std::string& part) {
        CPPUNIT_ASSERT_MESSAGE(part + " is missing in\n" + text, text.find(part) != std::string::npos);
    }

    void escapesForEachPlace() {
        const std::string all("a-Z.9_~ +&=%/?#\"\\<>'\n\r\té\x01\x7f");
        CPPUNIT_ASSERT_EQUAL(std::string("a-Z.9_~%20%2B%26%3D%25%2F%3F%23%22%5C%3C%3E%27%0A%0D%09%C3%A9%01%7F"),
                             percentEncoded(all));
        CPPUNIT_ASSERT_EQUAL(std::string(R"(say \"\\\" \n\u0009é)"), jsonEscaped("say \"\\\" \n\té"));
        CPPUNIT_ASSERT_EQUAL(std::string("&amp;&lt;&gt;&quot;&apos;&#10;&#13;&#9;é"), xmlEscaped("&<>\"'\n\r\té"));
    }

    void fillsAJsonBody() {
        SmsSettings settings = settingsFor("");
        settings.http.secret = "s\"1";
        settings.http.body = R"({"from":"{from}","to":["{to}",{to_digits}],"text":"{text}","key":"{secret}","n":{}})";
        const std::string request = requestOf(settings);
        CPPUNIT_ASSERT(request.starts_with("POST /send HTTP/1.1\r\n"));
        assertHas(request, "\r\nContent-Type: application/json\r\n");
        CPPUNIT_ASSERT_EQUAL(std::string(R"({"from":"My Shop","to":["+12025550123",12025550123],)"
                                         R"("text":"1 & 2 < \"3\" \\ {to}'é\n\n@x.example #12%",)"
                                         R"("key":"s\"1","n":{}})"),
                             bodyOf(request));
    }

    void fillsAForm() {
        SmsSettings settings = settingsFor("");
        settings.http.bodyType = HttpBodyType::Form;
        settings.http.body = "to={to}&from={from}&msg={text}&unicode=1";
        const std::string request = requestOf(settings);
        assertHas(request, "\r\nContent-Type: application/x-www-form-urlencoded\r\n");
        CPPUNIT_ASSERT_EQUAL(std::string("to=%2B12025550123&from=My%20Shop&msg=1%20%26%202%20%3C%20%223%22%20%5C%20%7B"
                                         "to%7D%27%C3%A9%0A%0A%40x.example%20%2312%25&unicode=1"),
                             bodyOf(request));
    }

    void fillsXml() {
        SmsSettings settings = settingsFor("");
        settings.http.bodyType = HttpBodyType::Xml;
        settings.http.body = R"(<sms to="{to_digits}" text='{text}'/>)";
        const std::string request = requestOf(settings);
        assertHas(request, "\r\nContent-Type: text/xml; charset=utf-8\r\n");
        CPPUNIT_ASSERT_EQUAL(std::string(R"(<sms to="12025550123" text='1 &amp; 2 &lt; &quot;3&quot; \ {to}&apos;é)"
                                         R"(&#10;&#10;@x.example #12%'/>)"),
                             bodyOf(request));
    }

    void fillsTheUrlOfAGet() {
        SmsSettings settings = settingsFor("");
        settings.http.method = HttpMethod::Get;
        settings.http.body.clear();
        settings.http.secret = "k&y";
        const std::string request = requestOf(settings, "/{secret}/send?to={to}&from={from}&text={text}");
        CPPUNIT_ASSERT(request.starts_with(
            "GET "
            "/k%26y/send?to=%2B12025550123&from=My%20Shop&text=1%20%26%202%20%3C%20%223%22%20%5C%20%7Bto%7D%27%C3%A9"
            "%0A%0A%40x.example%20%2312%25 HTTP/1.1\r\n"));
        CPPUNIT_ASSERT(request.find("Content-") == std::string::npos);
        CPPUNIT_ASSERT_EQUAL(std::string(), bodyOf(request));
    }

    void sendsAPut() {
        SmsSettings settings = settingsFor("");
        settings.http.method = HttpMethod::Put;
        const std::string request = requestOf(settings, "/messages/{to_digits}");
        CPPUNIT_ASSERT(request.starts_with("PUT /messages/12025550123 HTTP/1.1\r\n"));
        CPPUNIT_ASSERT(bodyOf(request).starts_with(R"({"to": "+12025550123")"));
    }

    void fillsHeaders() {
        SmsSettings settings = settingsFor("");
        settings.http.secret = "a b+c";
        settings.http.headers = {"Authorization: Bearer {secret}", "X-To: {to_digits}"};
        const std::string request = requestOf(settings);
        assertHas(request, "\r\nAuthorization: Bearer a b+c\r\n");
        assertHas(request, "\r\nX-To: 12025550123\r\n");
    }

    // One pass: kText holds {to}, a secret may hold {text}.
    void takesNothingInAValueForAPlaceholder() {
        SmsSettings settings = settingsFor("");
        settings.http.secret = "{text}";
        settings.http.body = R"({"text": "{text}", "key": "{secret}", "to": "{to}"})";
        assertHas(bodyOf(requestOf(settings)), R"("key": "{text}")");
    }

    void leavesOtherBracesAlone() {
        const HttpTemplate body("sms.http_body", R"({"a":{},"b":{"{to}":[{}]},"{To}":"{ to }"}{)", Escaping::None);
        CPPUNIT_ASSERT_EQUAL(std::string(R"({"a":{},"b":{"+49":[{}]},"{To}":"{ to }"}{)"),
                             body.fill({"+49", "", "", ""}));
        CPPUNIT_ASSERT(body.holds(Placeholder::To) && !body.holds(Placeholder::Text));
    }

    void sendsTwoMessagesOverOneConnection() {
        HttpServer server({{kTaken, answer("400 Bad Request", ""), kTaken}});
        HttpSmsTransport transport(settingsFor(server.url()));
        CPPUNIT_ASSERT(transport.send({"+12025550123", "1"}).outcome == Outcome::Sent);
        CPPUNIT_ASSERT(transport.send({"+12025550123", "2"}).outcome == Outcome::Refused);
        CPPUNIT_ASSERT(transport.send({"+12025550123", "3"}).outcome == Outcome::Sent);
    }

    void succeedsWithTheStatusesThatAreNamed() {
        SmsSettings settings = settingsFor("");
        CPPUNIT_ASSERT(sendTo(answer("204 No Content", ""), settings).outcome == Outcome::Sent);
        settings.http.successStatus = {"200", "202-203"};
        CPPUNIT_ASSERT(sendTo(answer("200 OK", ""), settings).outcome == Outcome::Sent);
        CPPUNIT_ASSERT(sendTo(answer("203 Fine", ""), settings).outcome == Outcome::Sent);
        assertResult(sendTo(answer("201 Created", ""), settings), Outcome::Refused, Cause::Message, "http: 201");
        CPPUNIT_ASSERT_EQUAL(200, sendTo(answer("200 OK", ""), settings).answer.httpStatus);
    }

    void wantsTheTextThatIsNamed() {
        SmsSettings settings = settingsFor("");
        settings.http.successBody = "\"ok\": true";
        CPPUNIT_ASSERT(sendTo(kTaken, settings).outcome == Outcome::Sent);
        const SendResult result = sendTo(answer("200 OK", "ERR 105: +12025550123"), settings);
        assertResult(result, Outcome::Refused, Cause::Message, "http: 200 without sms.http_success_body");
        CPPUNIT_ASSERT(result.mayHaveBeenTaken && !result.advice.empty());
        CPPUNIT_ASSERT_EQUAL(std::string("ERR 105: ***"), result.answer.body);
    }

    void triesLaterWhenTheGatewayIsBusyOrBroken() {
        for (const int status : {408, 425, 429, 500, 502, 503, 599}) {
            const SendResult result = sendTo(answer(std::to_string(status) + " Error", "", "Retry-After: 7\r\n"));
            assertResult(result, Outcome::TryLater, Cause::Provider, "http: " + std::to_string(status));
            CPPUNIT_ASSERT(result.retryAfter == seconds(7) && !result.mayHaveBeenTaken && result.advice.empty());
        }
    }

    void refusesTheRest() {
        for (const int status : {400, 402, 409, 410, 413, 422, 451}) {
            assertResult(sendTo(answer(std::to_string(status) + " Error", "{}")), Outcome::Refused, Cause::Message,
                         "http: " + std::to_string(status));
        }
    }

    // 403 and 404 may be about one recipient, so only that message waits.
    void saysWhatToChange() {
        const std::vector<std::tuple<int, Cause, std::string>> cases{
            {401, Cause::Provider, "sms.http_secret"}, {403, Cause::Message, "sms.http_secret"},
            {302, Cause::Provider, "sms.http_url"},    {404, Cause::Message, "sms.http_url"},
            {405, Cause::Provider, "sms.http_method"},
        };
        for (const auto& [status, cause, part] : cases) {
            const SendResult result = sendTo(answer(std::to_string(status) + " Error", ""));
            assertResult(result, Outcome::TryLater, cause, "http: " + std::to_string(status));
            assertHas(result.advice, part);
        }
    }

    void followsNoRedirect() {
        HttpServer server({{answer("308 Permanent Redirect", "", "Location: /elsewhere\r\n")}, {kTaken}});
        HttpSmsTransport transport(settingsFor(server.url()));
        CPPUNIT_ASSERT(transport.send({"+12025550123", "x"}).outcome == Outcome::TryLater);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, server.requests().size());
    }

    void triesLaterWithoutAnAnswer() {
        const SendResult closed = sendTo(kClose);
        assertResult(closed, Outcome::TryLater, Cause::Provider, "http: Empty reply from server");
        CPPUNIT_ASSERT(closed.mayHaveBeenTaken);
    }

    void namesAPlaceholderThatThereIsNot() {
        const std::string known = "; there are {to}, {to_digits}, {from}, {text} and {secret}";
        SmsSettings settings = good();
        settings.http.body = R"({"to": "{to}", "text": "{message}"})";
        CPPUNIT_ASSERT_EQUAL("sms.http_body holds {message}" + known, reasonFor(settings));
        settings = good();
        settings.http.url += "?to={number}";
        CPPUNIT_ASSERT_EQUAL("sms.http_url holds {number}" + known, reasonFor(settings));
        settings = good();
        settings.http.headers = {"X-Key: {password}"};
        CPPUNIT_ASSERT_EQUAL("sms.http_headers holds {password}" + known, reasonFor(settings));
    }

    void takesPlainHttpOnlyToThisHost() {
        for (const char* url : {"https://sms.example", "https://sms.example:8443/a/{secret}?x={to}&y=1",
                                "http://localhost:81/x", "http://127.0.0.1?x", "http://[::1]:81/"}) {
            SmsSettings settings = settingsFor(url);
            settings.http.secret = "x";
            CPPUNIT_ASSERT_EQUAL_MESSAGE(url, std::string("accepted"), reasonFor(settings));
        }
        for (const char* url : {"", "https://", "https:///x", "sms.example/send", "http://sms.example/send",
                                "http://localhost.example", "http://127.0.0.1x/", "http://localhost:81x/",
                                "http://localhost@sms.example/", "https://a:b@sms.example/", "https://{to}.example/",
                                "https://sms.example{to}/", "https://sms.example/a b", "https://sms.example/\n",
                                "https://sms.example/#x", "https://sms.example\\@x/", "ftp://sms.example/"}) {
            CPPUNIT_ASSERT_MESSAGE(url, reasonFor(settingsFor(url)).starts_with("sms.http_url "));
        }
    }

    void refusesHeadersThatAreNone() {
        for (const char* header : {"", "Authorization", ": x", "A B: x", "X-Key\r\nX-Other: 1", "X-Ü: 1"}) {
            SmsSettings settings = good();
            settings.http.headers = {"X-Good: 1", header};
            CPPUNIT_ASSERT_MESSAGE(header, reasonFor(settings).starts_with("sms.http_headers must be Name: value"));
        }
        for (const char* header : {"X-Key: a\r\nX-Other: 1", "X-Key: a\nb", "X-Key: a\x7f"}) {
            SmsSettings settings = good();
            settings.http.headers = {header};
            CPPUNIT_ASSERT_EQUAL(std::string("sms.http_headers: X-Key holds a line end or another control character"),
                                 reasonFor(settings));
        }
        for (const char* header :
             {"Content-Type: text/plain", "host: x", "Content-Length: 1", "Transfer-Encoding: x"}) {
            SmsSettings settings = good();
            settings.http.headers = {header};
            assertHas(reasonFor(settings), "is set by otpgate");
        }
        SmsSettings settings = good();
        settings.http.headers = {"X-Text: {text}"};
        CPPUNIT_ASSERT_EQUAL(std::string("sms.http_headers: {text} has line ends"), reasonFor(settings));
        settings = good();
        settings.http.headers = {"X-Key: {secret}"};
        CPPUNIT_ASSERT(reasonFor(settings).starts_with("sms.http_secret is needed"));
        settings.http.secret = "a\r\nX-Other: 1";
        CPPUNIT_ASSERT_EQUAL(std::string("sms.http_secret holds a control character"), reasonFor(settings));
        settings.http.secret = "x";
        settings.http.headers = {"X-From: {from}"};
        settings.from = "a\nb";
        CPPUNIT_ASSERT_EQUAL(std::string("sms.from holds a control character"), reasonFor(settings));
    }

    void refusesAMessageThatGoesNowhere() {
        SmsSettings settings = good();
        settings.http.body = R"({"to": "{to}"})";
        CPPUNIT_ASSERT_EQUAL(std::string("neither sms.http_url nor sms.http_body holds {text}"), reasonFor(settings));
        settings.http.body = R"({"text": "{text}"})";
        CPPUNIT_ASSERT_EQUAL(std::string("neither sms.http_url nor sms.http_body holds {to} or {to_digits}"),
                             reasonFor(settings));
        settings = good();
        settings.http.method = HttpMethod::Get;
        CPPUNIT_ASSERT_EQUAL(std::string("sms.http_body must be empty with sms.http_method = GET"),
                             reasonFor(settings));
        settings = good();
        settings.http.url += "?from={from}";
        settings.from.clear();
        CPPUNIT_ASSERT(reasonFor(settings).starts_with("sms.from is needed"));
    }

    void refusesABodyThatIsNoJson() {
        for (const char* body : {R"({"to": {to}, "text": "{text}"})", R"({"to": "{to}", "text": {text}})",
                                 R"("to": "{to}", "text": "{text}")", "to={to}&text={text}"}) {
            SmsSettings settings = good();
            settings.http.body = body;
            CPPUNIT_ASSERT_MESSAGE(body, reasonFor(settings).starts_with("sms.http_body is not JSON"));
        }
    }

    void refusesStatusesThatAreNone() {
        for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
                 {}, {"2xx"}, {"200-"}, {"299-200"}, {"20"}, {"200", "600"}, {"-299"}}) {
            SmsSettings settings = good();
            settings.http.successStatus = words;
            CPPUNIT_ASSERT(reasonFor(settings).starts_with("sms.http_success_status "));
        }
    }

    void neverNamesTheSecret() {
        SmsSettings settings = settingsFor("");
        settings.http.secret = "s3cret";
        settings.http.headers = {"Authorization: s3cret-in-plain", "X-Key: {secret}"};
        settings.http.url = "https://nowhere.invalid/{secret}?text={text}";
        for (const std::string& response :
             {answer("401 Unauthorized", "s3cret"), answer("400 Bad", "s3cret"), kClose}) {
            CPPUNIT_ASSERT(sendTo(response, settings).reason.find("s3cret") == std::string::npos);
        }
        settings.http.headers = {"s3cret"};
        CPPUNIT_ASSERT(reasonFor(settings).find("s3cret") == std::string::npos);
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(HttpSmsTest);

}  // namespace delivery_http_sms_test
}  // namespace otpgate::delivery
