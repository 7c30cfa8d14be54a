#include "otpgate/http/errors.h"
#include "otpgate/http/json.h"
#include "otpgate/http/rate_limit_headers.h"
#include "support_cpp/contains.h"

#include <cppunit/extensions/HelperMacros.h>

#include <map>
#include <set>

namespace otpgate::http {

namespace http_errors_test {

std::vector<ErrorCode> allCodes() {
    std::vector<ErrorCode> codes;
    for (int i = 0; i <= static_cast<int>(ErrorCode::InternalError); ++i) codes.push_back(static_cast<ErrorCode>(i));
    return codes;
}

std::string headerOf(const Response& response, const std::string& name) {
    for (const auto& [key, value] : response.headers) {
        if (key == name) return value;
    }
    return "absent";
}

class ErrorTableTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(ErrorTableTest);
    CPPUNIT_TEST(hasTheStatusOfTheContractForEachCode);
    CPPUNIT_TEST(describesEachCodeInFull);
    CPPUNIT_TEST(writesEachCodeAsProblemJson);
    CPPUNIT_TEST(challengesEvery401);
    CPPUNIT_TEST(keepsAChallengeOfItsOwn);
    CPPUNIT_TEST(addsFieldsAttemptsAndWaits);
    CPPUNIT_TEST(addsMembersOfItsOwn);
    CPPUNIT_TEST(waitsAtLeastASecond);
    CPPUNIT_TEST(sendsRetryAfterWithEvery503);
    CPPUNIT_TEST(replacesTheSentence);
    CPPUNIT_TEST(keepsTheLogDetailFromClients);
    CPPUNIT_TEST(writesRateLimitHeaders);
    CPPUNIT_TEST_SUITE_END();

public:
    void hasTheStatusOfTheContractForEachCode() {
        const std::map<std::string_view, int> contract{
            {"MALFORMED_JSON", 400},
            {"VALIDATION_ERROR", 400},
            {"MISSING_FIELDS", 400},
            {"UNSUPPORTED_MEDIA_TYPE", 415},
            {"PAYLOAD_TOO_LARGE", 413},
            {"NOT_FOUND", 404},
            {"METHOD_NOT_ALLOWED", 405},
            {"INVALID_OTP", 400},
            {"OTP_USED", 400},
            {"OTP_EXPIRED", 410},
            {"SESSION_EXPIRED", 410},
            {"MAX_RETRIES_EXCEEDED", 429},
            {"RATE_LIMIT", 429},
            {"CHALLENGE_REQUIRED", 429},
            {"CHALLENGE_FAILED", 429},
            {"UNAUTHENTICATED", 401},
            {"INVALID_CREDENTIALS", 401},
            {"INVALID_TOKEN", 401},
            {"TOKEN_REUSED", 401},
            {"FORBIDDEN", 403},
            {"SIGN_IN_TOO_OLD", 403},
            {"INSUFFICIENT_USER_AUTHENTICATION", 401},
            {"ACCOUNT_DISABLED", 403},
            {"USER_NOT_FOUND", 404},
            {"CONFLICT", 409},
            {"OTHER_BROWSER", 409},
            {"SEND_FAILED", 502},
            {"UNAVAILABLE", 503},
            {"INTERNAL_ERROR", 500},
        };
        std::map<std::string_view, int> table;
        for (const ErrorCode code : allCodes()) table.emplace(describe(code).code, describe(code).status);
        CPPUNIT_ASSERT(contract == table);
        CPPUNIT_ASSERT_EQUAL(contract.size(), allCodes().size());
    }

    void describesEachCodeInFull() {
        std::set<std::string_view> titles;
        for (const ErrorCode code : allCodes()) {
            const ErrorDescription row = describe(code);
            CPPUNIT_ASSERT(titles.insert(row.title).second);
            CPPUNIT_ASSERT(row.detail.ends_with('.'));
            CPPUNIT_ASSERT_EQUAL(std::string{row.code}, std::string{ApiError(code).what()});
        }
    }

    void writesEachCodeAsProblemJson() {
        for (const ErrorCode code : allCodes()) {
            const ErrorDescription row = describe(code);
            const Response response = ApiError(code).toResponse("req-1");
            CPPUNIT_ASSERT_EQUAL(row.status, response.status);
            CPPUNIT_ASSERT_EQUAL(std::string{"application/problem+json"}, response.contentType);
            Request echo;
            echo.contentType = "application/json";
            echo.body = response.body;
            JsonBody problem(echo);
            CPPUNIT_ASSERT(problem.string("type").value().starts_with("/problems/"));
            CPPUNIT_ASSERT_EQUAL(std::string{row.title}, problem.string("title").value());
            CPPUNIT_ASSERT_EQUAL(std::int64_t{row.status}, problem.integer("status").value());
            CPPUNIT_ASSERT_EQUAL(std::string{row.detail}, problem.string("detail").value());
            CPPUNIT_ASSERT_EQUAL(std::string{row.code}, problem.string("code").value());
            CPPUNIT_ASSERT_EQUAL(std::string{"req-1"}, problem.string("request_id").value());
            CPPUNIT_ASSERT_NO_THROW(problem.rejectInvalid());
        }
        CPPUNIT_ASSERT(
            test::contains(ApiError(ErrorCode::InvalidOtp).toResponse("r").body, R"("type":"/problems/invalid-otp")"));
    }

    void challengesEvery401() {
        for (const ErrorCode code : allCodes()) {
            const bool isChallenged = headerOf(ApiError(code).toResponse("r"), "WWW-Authenticate") != "absent";
            CPPUNIT_ASSERT_EQUAL(describe(code).status == 401, isChallenged);
        }
        const auto challenge = [](ErrorCode code) {
            return headerOf(ApiError(code).toResponse("r"), "WWW-Authenticate");
        };
        CPPUNIT_ASSERT_EQUAL(std::string{R"(Bearer realm="otpgate")"}, challenge(ErrorCode::Unauthenticated));
        CPPUNIT_ASSERT_EQUAL(std::string{R"(Bearer realm="otpgate", error="invalid_token")"},
                             challenge(ErrorCode::InvalidToken));
    }

    void keepsAChallengeOfItsOwn() {
        const Response response =
            ApiError(ErrorCode::Unauthenticated).header("www-authenticate", "Basic").toResponse("r");
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, response.headers.size());
    }

    void addsFieldsAttemptsAndWaits() {
        const Response response = ApiError(ErrorCode::InvalidOtp)
                                      .field("otp", "is \"wrong\"")
                                      .attemptsRemaining(0)
                                      .retryAfter(std::chrono::seconds{30})
                                      .header("X-More", "1")
                                      .toResponse("r");
        CPPUNIT_ASSERT(test::contains(response.body, R"("errors":[{"field":"otp","message":"is \"wrong\""}])"));
        CPPUNIT_ASSERT(test::contains(response.body, R"("attempts_remaining":0)"));
        CPPUNIT_ASSERT(test::contains(response.body, R"("retry_after":30)"));
        CPPUNIT_ASSERT_EQUAL(std::string{"30"}, headerOf(response, "Retry-After"));
        CPPUNIT_ASSERT_EQUAL(std::string{"1"}, headerOf(response, "X-More"));
    }

    void addsMembersOfItsOwn() {
        const auto response = ApiError(ErrorCode::InvalidOtp).member("context", "a\"b").toResponse("r");
        CPPUNIT_ASSERT(test::contains(response.body, R"("context":"a\"b")"));
    }

    void waitsAtLeastASecond() {
        const Response response = ApiError(ErrorCode::RateLimit).retryAfter(std::chrono::seconds{-5}).toResponse("r");
        CPPUNIT_ASSERT_EQUAL(std::string{"1"}, headerOf(response, "Retry-After"));
    }

    void sendsRetryAfterWithEvery503() {
        const Response response = ApiError(ErrorCode::Unavailable).toResponse("r");
        CPPUNIT_ASSERT_EQUAL(std::string{"1"}, headerOf(response, "Retry-After"));
        CPPUNIT_ASSERT(test::contains(response.body, R"("retry_after":1)"));
    }

    void replacesTheSentence() {
        const Response response = ApiError(ErrorCode::Conflict).detail("This address is taken.").toResponse("r");
        CPPUNIT_ASSERT(test::contains(response.body, R"("detail":"This address is taken.")"));
    }

    void keepsTheLogDetailFromClients() {
        const ApiError error(ErrorCode::InternalError, "SELECT secret");
        CPPUNIT_ASSERT(!test::contains(error.toResponse("r").body, "secret"));
        CPPUNIT_ASSERT_EQUAL(std::string{"SELECT secret"}, error.logDetail());
    }

    void writesRateLimitHeaders() {
        using std::chrono::seconds;
        const RateLimitStatus status{
            .policyName = "otp-request", .quota = 5, .window = seconds{3600}, .remaining = 4, .reset = seconds{3599}};
        CPPUNIT_ASSERT_EQUAL(std::string{R"("otp-request";q=5;w=3600)"}, rateLimitPolicyValue(status));
        CPPUNIT_ASSERT_EQUAL(std::string{R"("otp-request";r=4;t=3599)"}, rateLimitValue(status));
        const RateLimitStatus odd{
            .policyName = "a\"b\\\n", .quota = 1, .window = seconds{1}, .remaining = 0, .reset = seconds{-1}};
        CPPUNIT_ASSERT_EQUAL(std::string{R"("a\"b\\";r=0;t=0)"}, rateLimitValue(odd));
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ErrorTableTest);

}  // namespace http_errors_test
}  // namespace otpgate::http
