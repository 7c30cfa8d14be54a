#include "otpgate/base/errors.h"
#include "otpgate/http/boundary.h"
#include "otpgate/http/errors.h"
#include "support_cpp/contains.h"
#include "support_cpp/fake_clock.h"
#include "support_cpp/temporary_directory.h"

#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <fcntl.h>
#include <unistd.h>

namespace otpgate::http {

namespace http_boundary_test {

std::string headersOf(const Response& response) {
    std::string text;
    for (const auto& [name, value] : response.headers) text.append(name).append(": ").append(value).append("\n");
    return text;
}

class BoundaryTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(BoundaryTest);
    CPPUNIT_TEST(addsTheHeadersOfEveryAnswer);
    CPPUNIT_TEST(keepsCacheControlOfAnEndpoint);
    CPPUNIT_TEST(logsOneLineWithoutTheQuery);
    CPPUNIT_TEST(logsCodeAndDetailOfAnError);
    CPPUNIT_TEST(answers404And405AsProblems);
    CPPUNIT_TEST(answersARejectedRequest);
    CPPUNIT_TEST(turnsServiceUnavailableInto503);
    CPPUNIT_TEST(turnsAnyExceptionInto500);
    CPPUNIT_TEST(turnsAnythingThrownInto500);
    CPPUNIT_TEST(showsAnErrorAsItsRouteWants);
    CPPUNIT_TEST(cutsALongPathInTheLog);
    CPPUNIT_TEST(countsByRouteMethodAndStatus);
    CPPUNIT_TEST(countsWhatItAnswersWithoutTheRoute);
    CPPUNIT_TEST(countsUnknownPathsAndMethodsTogether);
    CPPUNIT_TEST(countsHowLongItTook);
    CPPUNIT_TEST(hasAPlaceForTheStatusOfEveryError);
    CPPUNIT_TEST(speaksTheLanguageOfTheRequest);
    CPPUNIT_TEST(speaksTheLanguageThatTheBodyWishesBeforeTheAccountsAndTheBrowsers);
    CPPUNIT_TEST(saysNothingOfALanguageWhereItSaysNothing);
    CPPUNIT_TEST(namesTheKindOfAnErrorByWhereThePagesAre);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override {
        logFile_ = open(directory_.path("log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        request_ = Request{};
        request_.method = "GET";
        request_.path = "/a";
        request_.query = "token=secret";
        request_.clientAddress = "192.0.2.1";
        request_.requestId = "req-1";
    }

    void tearDown() override { close(logFile_); }

    void addsTheHeadersOfEveryAnswer() {
        CPPUNIT_ASSERT_EQUAL(
            std::string{"X-Request-Id: req-1\nCache-Control: no-store\nX-Content-Type-Options: nosniff\n"
                        "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\n"},
            headersOf(answerOf([](const Request&) { return Response{}; })));
        request_.path = "/unknown";
        CPPUNIT_ASSERT_EQUAL(
            std::string{"Content-Language: en\nVary: Accept-Language\n"
                        "X-Request-Id: req-1\nCache-Control: no-store\nX-Content-Type-Options: nosniff\n"
                        "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\n"},
            headersOf(answerOf([](const Request&) { return Response{}; })));
    }

    void keepsCacheControlOfAnEndpoint() {
        const Response response =
            answerOf([](const Request&) { return Response{}.with("cache-control", "max-age=60"); });
        CPPUNIT_ASSERT(test::contains(headersOf(response), "cache-control: max-age=60\n"));
        CPPUNIT_ASSERT(!test::contains(headersOf(response), "no-store"));
    }

    void logsOneLineWithoutTheQuery() {
        answerOf([this](const Request&) {
            clock_.advance(std::chrono::microseconds{1234});
            return Response{};
        });
        CPPUNIT_ASSERT_EQUAL(
            std::string{"2026-11-20T05:12:00Z info request method=GET path=/a status=200 duration_us=1234 "
                        "client=192.0.2.1 request_id=req-1\n"},
            directory_.read("log"));
    }

    void logsCodeAndDetailOfAnError() {
        const Response response =
            answerOf([](const Request&) -> Response { throw ApiError(ErrorCode::Forbidden, "no scope"); });
        CPPUNIT_ASSERT_EQUAL(403, response.status);
        CPPUNIT_ASSERT(test::contains(directory_.read("log"), "status=403"));
        CPPUNIT_ASSERT(test::contains(directory_.read("log"), "code=FORBIDDEN detail=\"no scope\"\n"));
        CPPUNIT_ASSERT(!test::contains(response.body, "scope"));
    }

    void answers404And405AsProblems() {
        request_.method = "PUT";
        const Response refused = answerOf([](const Request&) { return Response{}; });
        CPPUNIT_ASSERT_EQUAL(405, refused.status);
        CPPUNIT_ASSERT(test::contains(headersOf(refused), "Allow: GET, HEAD, OPTIONS\n"));
        CPPUNIT_ASSERT(test::contains(refused.body, R"("code":"METHOD_NOT_ALLOWED","request_id":"req-1")"));
        request_.path = "/b";
        CPPUNIT_ASSERT_EQUAL(404, answerOf([](const Request&) { return Response{}; }).status);
    }

    void answersARejectedRequest() {
        request_.rejected = Rejection{ErrorCode::MalformedJson, "the body is shorter than CONTENT_LENGTH"};
        const Response response = answerOf([](const Request&) { return Response{}; });
        CPPUNIT_ASSERT_EQUAL(400, response.status);
        CPPUNIT_ASSERT_EQUAL(std::string{"application/problem+json"}, response.contentType);
        CPPUNIT_ASSERT(test::contains(directory_.read("log"), "detail=\"the body is shorter than CONTENT_LENGTH\""));
    }

    void turnsServiceUnavailableInto503() {
        const Response response = answerOf([](const Request&) -> Response { throw ServiceUnavailable("no database"); });
        CPPUNIT_ASSERT_EQUAL(503, response.status);
        CPPUNIT_ASSERT(test::contains(headersOf(response), "Retry-After: 1\n"));
        CPPUNIT_ASSERT(!test::contains(response.body, "database"));
        CPPUNIT_ASSERT(test::contains(directory_.read("log"), "code=UNAVAILABLE detail=\"no database\""));
    }

    void turnsAnyExceptionInto500() {
        const Response response =
            answerOf([](const Request&) -> Response { throw std::runtime_error("stack smashed"); });
        CPPUNIT_ASSERT_EQUAL(500, response.status);
        CPPUNIT_ASSERT(test::contains(response.body, R"("code":"INTERNAL_ERROR")"));
        CPPUNIT_ASSERT(!test::contains(response.body, "smashed"));
        CPPUNIT_ASSERT(test::contains(directory_.read("log"), "error \"unhandled exception\"") ||
                       test::contains(directory_.read("log"), "error unhandled exception"));
        CPPUNIT_ASSERT(test::contains(directory_.read("log"), "what=\"stack smashed\" request_id=req-1\n"));
    }

    void showsAnErrorAsItsRouteWants() {
        const auto view = [](const ApiError& error, const Request& request) {
            Response page;
            page.status = describe(error.code()).status;
            page.body = request.requestId + ": " + error.sentence();
            return page;
        };
        for (const bool isDown : {true, false}) {
            const auto fail = [isDown](const Request&) -> Response {
                if (isDown) throw ServiceUnavailable("no database");
                throw std::runtime_error("stack smashed");
            };
            const Response page = answerOf(fail, {}, view);
            CPPUNIT_ASSERT_EQUAL(isDown ? 503 : 500, page.status);
            CPPUNIT_ASSERT(page.body.starts_with("req-1: ") && !test::contains(page.body, "{"));
        }
        CPPUNIT_ASSERT(test::contains(directory_.read("log"), "code=UNAVAILABLE detail=\"no database\""));
        request_.method = "DELETE";
        const Response refused = answerOf([](const Request&) { return Response{}; }, {}, view);
        CPPUNIT_ASSERT(refused.status == 405 && refused.body.starts_with("req-1: "));
    }

    void turnsAnythingThrownInto500() {
        CPPUNIT_ASSERT_EQUAL(500, answerOf([](const Request&) -> Response { throw 42; }).status);
    }

    void cutsALongPathInTheLog() {
        request_.path = "/" + std::string(10000, 'a');
        answerOf([](const Request&) { return Response{}; });
        CPPUNIT_ASSERT(directory_.read("log").size() < 1000);
    }

    void countsByRouteMethodAndStatus() {
        answerOf([](const Request&) { return Response{}; });
        answerOf([](const Request&) { return Response{}; });
        answerOf([](const Request&) -> Response { throw ApiError(ErrorCode::Forbidden); });
        answerOf([](const Request&) -> Response { throw std::runtime_error("stack smashed"); });
        request_.method = "HEAD";
        answerOf([](const Request&) { return Response{}; });
        assertCounts({R"({route="/a",method="GET",status="200"} 2)", R"({route="/a",method="GET",status="403"} 1)",
                      R"({route="/a",method="GET",status="500"} 1)", R"({route="/a",method="HEAD",status="200"} 1)"});
    }

    void countsWhatItAnswersWithoutTheRoute() {
        request_.method = "PUT";
        answerOf([](const Request&) { return Response{}; });
        request_.method = "OPTIONS";
        answerOf([](const Request&) { return Response{}; });
        request_.headers = {{"origin", "https://app.example.org"}, {"access-control-request-method", "PUT"}};
        answerOf([](const Request&) { return Response{}; }, {"https://app.example.org"});
        assertCounts(
            {R"({route="/a",method="PUT",status="405"} 1)", R"({route="/a",method="OPTIONS",status="204"} 2)"});
    }

    void countsUnknownPathsAndMethodsTogether() {
        for (const char* path : {"/1", "/a/2", "no path"}) {
            request_.path = path;
            answerOf([](const Request&) { return Response{}; });
        }
        request_.path = "/a";
        for (const char* method : {"BREW", "PROPFIND", ""}) {
            request_.method = method;
            answerOf([](const Request&) { return Response{}; });
        }
        request_.method = "GET";
        answerOf([](const Request&) { return Response{418, {}, {}, {}}; });
        assertCounts({R"({route="/a",method="GET",status="other"} 1)", R"({route="/a",method="other",status="405"} 3)",
                      R"({route="unknown",method="GET",status="404"} 3)"});
    }

    void countsHowLongItTook() {
        answerOf([this](const Request&) {
            clock_.advance(std::chrono::milliseconds{30});
            return Response{};
        });
        const std::string text = metricsText();
        const std::string name = R"(otpgate_http_request_duration_seconds_)";
        CPPUNIT_ASSERT(test::contains(text, name + R"(bucket{route="/a",le="0.025"} 0)"));
        CPPUNIT_ASSERT(test::contains(text, name + R"(bucket{route="/a",le="0.05"} 1)"));
        CPPUNIT_ASSERT(test::contains(text, name + R"(count{route="/a"} 1)"));
        CPPUNIT_ASSERT(test::contains(text, name + R"(sum{route="/a"} 0.03)"));
        CPPUNIT_ASSERT(!test::contains(text, "unknown"));
    }

    void hasAPlaceForTheStatusOfEveryError() {
        for (int i = 0; i <= static_cast<int>(ErrorCode::InternalError); ++i) {
            const int status = describe(static_cast<ErrorCode>(i)).status;
            const auto& known = RequestMetrics::kStatuses;
            CPPUNIT_ASSERT_MESSAGE(std::to_string(status),
                                   std::find(known.begin(), known.end(), status) != known.end());
        }
    }

private:
    std::string metricsText() const {
        MetricsText text;
        metrics_.write(text);
        return text.take();
    }

    void speaksTheLanguageOfTheRequest() {
        request_.headers["accept-language"] = "nl, de-AT;q=0.9, fr;q=0.8";
        const Response response = answerOf([](const Request&) -> Response {
            throw ApiError(ErrorCode::ValidationError).field("locale", "must be at most 1024 bytes long");
        });
        CPPUNIT_ASSERT(test::contains(response.body, R"("title":"Ungültige Felder")"));
        CPPUNIT_ASSERT(test::contains(response.body, R"("detail":"Einige Felder sind nicht gültig.")"));
        CPPUNIT_ASSERT(test::contains(response.body, R"("message":"darf höchstens 1024 Byte lang sein")"));
        CPPUNIT_ASSERT(test::contains(response.body, R"("code":"VALIDATION_ERROR")"));
        CPPUNIT_ASSERT(test::contains(response.body, R"("type":"/problems/validation-error")"));
        CPPUNIT_ASSERT(test::contains(headersOf(response), "Content-Language: de\n"));
        CPPUNIT_ASSERT(test::contains(headersOf(response), "Vary: Accept-Language\n"));
    }

    void namesTheKindOfAnErrorByWhereThePagesAre() {
        base_ = "/login";
        request_.path = "/login/a";
        const auto refuse = [](const Request&) -> Response { throw ApiError(ErrorCode::NotFound); };
        CPPUNIT_ASSERT(test::contains(answerOf(refuse).body, R"("type":"/login/problems/not-found")"));
        const auto fail = [](const Request&) -> Response { throw std::runtime_error("broken"); };
        CPPUNIT_ASSERT(test::contains(answerOf(fail).body, R"("type":"/login/problems/internal-error")"));
    }

    void speaksTheLanguageThatTheBodyWishesBeforeTheAccountsAndTheBrowsers() {
        const auto languageOf = [&](const std::string& body, const std::string& account) {
            request_.contentType = "application/json";
            request_.body = body;
            request_.headers["accept-language"] = "es";
            const Response response = answerOf(
                [&](const Request&) -> Response { throw ApiError(ErrorCode::NotFound).accountLanguage(account); });
            const std::string headers = headersOf(response);
            return headers.substr(headers.find("Content-Language: ") + 18, 2);
        };
        CPPUNIT_ASSERT_EQUAL(std::string{"fr"}, languageOf(R"({"locale":"fr_CA"})", "tr"));
        CPPUNIT_ASSERT_EQUAL(std::string{"tr"}, languageOf(R"({"locale":"nl"})", "tr"));
        CPPUNIT_ASSERT_EQUAL(std::string{"tr"}, languageOf(R"({"locale":)", "tr"));
        CPPUNIT_ASSERT_EQUAL(std::string{"es"}, languageOf("{}", ""));
    }

    void saysNothingOfALanguageWhereItSaysNothing() {
        request_.headers["accept-language"] = "de";
        const Response response = answerOf([](const Request&) { return Response{}; });
        CPPUNIT_ASSERT(!test::contains(headersOf(response), "Content-Language"));
        CPPUNIT_ASSERT(!test::contains(headersOf(response), "Vary"));
    }

    // All that was counted, and no more.
    void assertCounts(const std::vector<std::string>& expected) const {
        const std::string text = metricsText();
        const std::string name = "\notpgate_http_requests_total";
        std::size_t series = 0;
        for (auto at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) ++series;
        for (std::string line : expected) {
            line.insert(0, name).append("\n");
            CPPUNIT_ASSERT_MESSAGE(text, test::contains(text, line));
        }
        CPPUNIT_ASSERT_EQUAL_MESSAGE(text, expected.size(), series);
    }

    Response answerOf(Endpoint endpoint, const std::vector<std::string>& origins = {}, ErrorView view = {}) {
        Router router(base_);
        router.add("GET", "/a", std::move(endpoint), {}, std::move(view));
        Logger log(LogFormat::Text, LogLevel::Info, clock_, logFile_);
        return answer(router, request_, Cors(origins, "https://login.example.org"), sentences_, clock_, log, metrics_);
    }

    test::TemporaryDirectory directory_;
    test::FakeClock clock_;
    int logFile_ = -1;
    std::string base_;
    Request request_;
    RequestMetrics metrics_{{"/a"}};
    const Sentences sentences_{builtInSentences(), "en"};
};

CPPUNIT_TEST_SUITE_REGISTRATION(BoundaryTest);

}  // namespace http_boundary_test
}  // namespace otpgate::http
