#include "otpgate/http/cookies.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::http {
namespace http_cookies_test {

using namespace std::chrono_literals;

class CookiesTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(CookiesTest);
    CPPUNIT_TEST(findsACookieAmongOthers);
    CPPUNIT_TEST(findsTheFirstOfAName);
    CPPUNIT_TEST(takesNoPartOfANameForTheName);
    CPPUNIT_TEST(findsNoCookieThatIsNotThere);
    CPPUNIT_TEST(setsACookieThatOnlyThisHostGets);
    CPPUNIT_TEST(setsSeveralCookies);
    CPPUNIT_TEST(clearsACookie);
    CPPUNIT_TEST_SUITE_END();

    static std::string found(const std::string& header, std::string_view name = "__Host-otpgate") {
        Request request;
        request.headers["cookie"] = header;
        return std::string{findCookie(request, name).value_or("none")};
    }

    void findsACookieAmongOthers() {
        CPPUNIT_ASSERT_EQUAL(std::string{"abc"}, found("__Host-otpgate=abc"));
        CPPUNIT_ASSERT_EQUAL(std::string{"abc"}, found("a=1; __Host-otpgate=abc; b=2"));
        CPPUNIT_ASSERT_EQUAL(std::string{"abc"}, found("a=1;__Host-otpgate=abc"));
        CPPUNIT_ASSERT_EQUAL(std::string{"abc"}, found("a=1;   __Host-otpgate=abc;"));
        CPPUNIT_ASSERT_EQUAL(std::string{"abc"}, found("; ;; a; =; __Host-otpgate=abc"));
        CPPUNIT_ASSERT_EQUAL(std::string{"a=b=="}, found("__Host-otpgate=a=b=="));
        CPPUNIT_ASSERT_EQUAL(std::string{}, found("__Host-otpgate="));
    }

    // RFC 6265 leaves the order to the browser; ours are of one path and host, so there is one.
    void findsTheFirstOfAName() {
        CPPUNIT_ASSERT_EQUAL(std::string{"first"}, found("__Host-otpgate=first; __Host-otpgate=second"));
    }

    // The session's name begins that of the device's.
    void takesNoPartOfANameForTheName() {
        CPPUNIT_ASSERT_EQUAL(std::string{"none"}, found("__Host-otpgate-device=abc"));
        CPPUNIT_ASSERT_EQUAL(std::string{"abc"}, found("__Host-otpgate-device=x; __Host-otpgate=abc"));
        CPPUNIT_ASSERT_EQUAL(std::string{"x"},
                             found("__Host-otpgate=abc; __Host-otpgate-device=x", "__Host-otpgate-device"));
        CPPUNIT_ASSERT_EQUAL(std::string{"none"}, found("x__Host-otpgate=abc"));
        CPPUNIT_ASSERT_EQUAL(std::string{"none"}, found("a=__Host-otpgate=abc"));
        CPPUNIT_ASSERT_EQUAL(std::string{"none"}, found("__host-otpgate=abc"));  // names are case-sensitive
    }

    void findsNoCookieThatIsNotThere() {
        for (const char* header : {"", ";", "__Host-otpgate", "__Host-otpgate;", "a=1; b=2"}) {
            CPPUNIT_ASSERT_EQUAL(std::string{"none"}, found(header));
        }
        CPPUNIT_ASSERT(!findCookie(Request{}, "__Host-otpgate"));
    }

    void setsACookieThatOnlyThisHostGets() {
        Response response;
        setCookie(response, "__Host-otpgate", "abc_-", 168h);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, response.headers.size());
        CPPUNIT_ASSERT_EQUAL(std::string{"Set-Cookie"}, response.headers[0].first);
        // The prefix __Host- makes a browser refuse it with a Domain, without Secure or with another Path.
        CPPUNIT_ASSERT_EQUAL(
            std::string{"__Host-otpgate=abc_-; Max-Age=604800; Path=/; Secure; HttpOnly; SameSite=Lax"},
            response.headers[0].second);
    }

    void setsSeveralCookies() {
        Response response;
        setCookie(response, "a", "1", 1s);
        setCookie(response, "b", "2", 1s);
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, response.headers.size());
    }

    void clearsACookie() {
        Response response;
        clearCookie(response, "__Host-otpgate");
        CPPUNIT_ASSERT_EQUAL(std::string{"__Host-otpgate=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax"},
                             response.headers.at(0).second);
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(CookiesTest);

}  // namespace http_cookies_test
}  // namespace otpgate::http
