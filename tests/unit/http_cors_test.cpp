#include "otpgate/base/errors.h"
#include "otpgate/http/cors.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <map>

namespace otpgate::http {
namespace http_cors_test {

class CorsTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(CorsTest);
    CPPUNIT_TEST(trustsItsOwnOriginAndTheAllowedOnes);
    CPPUNIT_TEST(trustsNoOtherOrigin);
    CPPUNIT_TEST(takesOriginsAsTheyAreWritten);
    CPPUNIT_TEST(namesWhatIsNoOrigin);
    CPPUNIT_TEST(answersThePreflightOfAnAllowedOrigin);
    CPPUNIT_TEST(answersNoOtherRequest);
    CPPUNIT_TEST(letsTheAllowedOriginReadTheAnswer);
    CPPUNIT_TEST(letsPagesSendTheHeadersOfTheSettings);
    CPPUNIT_TEST(namesAHeaderThatIsNone);
    CPPUNIT_TEST(letsNoOtherOriginReadTheAnswer);
    CPPUNIT_TEST(saysNothingWhereNoOriginIsAllowed);
    CPPUNIT_TEST_SUITE_END();

    static Request request(const std::string& method, const std::string& origin) {
        Request request;
        request.method = method;
        if (!origin.empty()) request.headers["origin"] = origin;
        return request;
    }
    static Request preflight(const std::string& origin) {
        Request preflight = request("OPTIONS", origin);
        preflight.headers["access-control-request-method"] = "POST";
        return preflight;
    }
    static std::map<std::string, std::string> headersOf(const Response& response) {
        std::map<std::string, std::string> headers;
        for (const auto& [name, value] : response.headers) CPPUNIT_ASSERT(headers.emplace(name, value).second);
        return headers;
    }
    static std::map<std::string, std::string> permitted(const Cors& cors, const std::string& origin) {
        Response response;
        cors.permit(request("POST", origin), response);
        return headersOf(response);
    }

    void trustsItsOwnOriginAndTheAllowedOnes() {
        CPPUNIT_ASSERT(cors_.isTrusted("https://login.example.org"));
        CPPUNIT_ASSERT(cors_.isTrusted("https://app.example.com"));
        CPPUNIT_ASSERT(cors_.isTrusted("http://localhost:3000"));
        CPPUNIT_ASSERT(Cors({}, "https://login.example.org/auth/x").isTrusted("https://login.example.org"));
    }

    void trustsNoOtherOrigin() {
        for (const char* origin :
             {"", "null", "*", "https://evil.example.com", "http://app.example.com", "https://app.example.com:8443",
              "https://app.example.com.evil.org", "https://app.example.co", "https://app.example.com/",
              "https://sub.app.example.com", "app.example.com", "http://localhost:3001", "http://localhost",
              "http://login.example.org", "https://login.example.org/auth"}) {
            CPPUNIT_ASSERT_MESSAGE(origin, !cors_.isTrusted(origin));
            CPPUNIT_ASSERT_MESSAGE(origin, !Cors({}, "https://login.example.org").isTrusted(origin));
        }
    }

    // A browser writes the host in lower case and leaves the port of the scheme out.
    void takesOriginsAsTheyAreWritten() {
        const Cors cors({"https://App.Example.com", "HTTPS://www.example.com:443", "http://www.example.com:80",
                         "http://[2001:DB8::1]:8080", "https://secure.example.com:80"},
                        "https://Login.Example.org:443");
        for (const char* origin :
             {"https://app.example.com", "https://www.example.com", "http://www.example.com",
              "http://[2001:db8::1]:8080", "https://secure.example.com:80", "https://login.example.org"}) {
            CPPUNIT_ASSERT_MESSAGE(origin, cors.isTrusted(origin));
        }
        CPPUNIT_ASSERT(!cors.isTrusted("https://secure.example.com"));
        CPPUNIT_ASSERT_EQUAL(std::string{"https://app.example.com"},
                             permitted(cors, "https://app.example.com").at("Access-Control-Allow-Origin"));
    }

    void namesWhatIsNoOrigin() {
        for (const char* origin :
             {"*", "null", "app.example.com", "https://", "https://app.example.com/", "https://app.example.com/shop",
              "ftp://app.example.com", "https://*.example.com", "https://app.example.com?x", "https://me@example.com",
              "https://app.example.com#x", "https://app example.com", "//app.example.com", "https:///"}) {
            try {
                const Cors cors({"https://good.example.com", origin}, "https://login.example.org");
                CPPUNIT_FAIL(origin);
            } catch (const ConfigurationError& error) {
                CPPUNIT_ASSERT_EQUAL("cors.allowed_origins: " + std::string{origin} +
                                         " is not an origin such as https://app.example.com",
                                     std::string{error.what()});
            }
        }
    }

    void answersThePreflightOfAnAllowedOrigin() {
        const auto answer = cors_.answerPreflight(preflight("https://app.example.com"));
        CPPUNIT_ASSERT(answer);
        CPPUNIT_ASSERT_EQUAL(204, answer->status);
        CPPUNIT_ASSERT(answer->body.empty());
        const auto headers = headersOf(*answer);
        const std::string methods = headers.at("Access-Control-Allow-Methods");
        for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE"}) {
            CPPUNIT_ASSERT_MESSAGE(method, methods.find(method) != std::string::npos);
        }
        // A browser sends none of these across origins unless it is told that it may.
        const std::string allowed = headers.at("Access-Control-Allow-Headers");
        for (const char* header : {"Authorization", "Content-Type", "X-API-Key", "X-CSRF-Token"}) {
            CPPUNIT_ASSERT_MESSAGE(header, allowed.find(header) != std::string::npos);
        }
    }

    void letsPagesSendTheHeadersOfTheSettings() {
        const Cors cors({"https://app.example.com"}, "https://login.example.org", {"X-Requested-With", "traceparent"});
        CPPUNIT_ASSERT_EQUAL(
            std::string{"Authorization, Content-Type, X-API-Key, X-CSRF-Token, X-Requested-With, traceparent"},
            headersOf(*cors.answerPreflight(preflight("https://app.example.com"))).at("Access-Control-Allow-Headers"));
    }

    void namesAHeaderThatIsNone() {
        for (const char* header : {"*", "", "X Trace", "X-Trace:", "X\r\nY"}) {
            CPPUNIT_ASSERT_THROW_MESSAGE(header, Cors({}, "https://login.example.org", {header}), ConfigurationError);
        }
    }

    void answersNoOtherRequest() {
        CPPUNIT_ASSERT(!cors_.answerPreflight(preflight("https://evil.example.com")));
        CPPUNIT_ASSERT(!cors_.answerPreflight(preflight("https://login.example.org")));
        CPPUNIT_ASSERT(!cors_.answerPreflight(preflight("")));
        CPPUNIT_ASSERT(!cors_.answerPreflight(request("OPTIONS", "https://app.example.com")));
        Request post = preflight("https://app.example.com");
        post.method = "POST";
        CPPUNIT_ASSERT(!cors_.answerPreflight(post));
    }

    void letsTheAllowedOriginReadTheAnswer() {
        const auto headers = permitted(cors_, "https://app.example.com");
        CPPUNIT_ASSERT_EQUAL(std::string{"https://app.example.com"}, headers.at("Access-Control-Allow-Origin"));
        CPPUNIT_ASSERT_EQUAL(std::string{"true"}, headers.at("Access-Control-Allow-Credentials"));
        CPPUNIT_ASSERT_EQUAL(std::string{"Origin"}, headers.at("Vary"));
        CPPUNIT_ASSERT(headers.at("Access-Control-Expose-Headers").find("X-CSRF-Token") != std::string::npos);
    }

    // And a cache must not give one origin what another got.
    void letsNoOtherOriginReadTheAnswer() {
        for (const char* origin : {"", "null", "https://evil.example.com", "https://login.example.org"}) {
            CPPUNIT_ASSERT((permitted(cors_, origin) == std::map<std::string, std::string>{{"Vary", "Origin"}}));
        }
    }

    void saysNothingWhereNoOriginIsAllowed() {
        const Cors none({}, "https://login.example.org");
        CPPUNIT_ASSERT(permitted(none, "https://login.example.org").empty());
        CPPUNIT_ASSERT(!none.answerPreflight(preflight("https://login.example.org")));
    }

    const Cors cors_{{"https://app.example.com", "http://localhost:3000"}, "https://login.example.org"};
};

CPPUNIT_TEST_SUITE_REGISTRATION(CorsTest);

}  // namespace http_cors_test
}  // namespace otpgate::http
