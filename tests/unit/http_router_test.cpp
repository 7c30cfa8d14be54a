#include "otpgate/http/errors.h"
#include "otpgate/http/router.h"

#include <cppunit/extensions/HelperMacros.h>

#include <stdexcept>

namespace otpgate::http {

namespace http_router_test {

// Answers with its own name and the path parameters, so that a test sees which route won.
Endpoint named(std::string name) {
    return [name = std::move(name)](const Request& request) {
        Response response;
        response.body = name;
        for (const auto& [key, value] : request.pathParameters)
            response.body.append(" ").append(key).append("=").append(value);
        return response;
    };
}

Request requestFor(std::string method, std::string path) {
    Request request;
    request.method = std::move(method);
    request.path = std::move(path);
    return request;
}

std::string bodyOf(const Router& router, std::string method, std::string path) {
    Request request = requestFor(std::move(method), std::move(path));
    return router.route(request).body;
}

// "405 GET, HEAD" or "404"
std::string refusalOf(const Router& router, Request request) {
    try {
        router.route(request);
        return "answered";
    } catch (const ApiError& error) {
        const Response response = error.toResponse("r");
        std::string text = std::to_string(response.status);
        for (const auto& [name, value] : response.headers) text.append(" ").append(name).append(": ").append(value);
        return text;
    }
}

class RouterTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(RouterTest);
    CPPUNIT_TEST(findsTheRouteOfMethodAndPath);
    CPPUNIT_TEST(fillsPathParameters);
    CPPUNIT_TEST(prefersALiteralInEitherOrder);
    CPPUNIT_TEST(fallsBackToANameForAnotherMethod);
    CPPUNIT_TEST(treatsASlashAtTheEndOfAPatternAsNone);
    CPPUNIT_TEST(servesTheRoot);
    CPPUNIT_TEST(servesWhatIsBelowItsBaseAlone);
    CPPUNIT_TEST(answers404ForAnUnknownPath);
    CPPUNIT_TEST(hidesARouteFromThoseItIsNotFor);
    CPPUNIT_TEST(tellsWhichPatternAPathIs);
    CPPUNIT_TEST(neverCollapsesSlashes);
    CPPUNIT_TEST(answers405WithAllow);
    CPPUNIT_TEST(servesHeadByGet);
    CPPUNIT_TEST(prefersARouteForHeadItself);
    CPPUNIT_TEST(answersOptionsWithAllow);
    CPPUNIT_TEST(leavesOptionsToARouteOfItsOwn);
    CPPUNIT_TEST(throwsTheRejectionOnlyOnAKnownRoute);
    CPPUNIT_TEST(refusesBadRegistrations);
    CPPUNIT_TEST(listsRoutesInOrder);
    CPPUNIT_TEST(passesOnWhatAnEndpointThrows);
    CPPUNIT_TEST_SUITE_END();

public:
    void findsTheRouteOfMethodAndPath() {
        Router router;
        router.add("GET", "/a", named("get a"));
        router.add("POST", "/a", named("post a"));
        router.add("GET", "/a/b", named("get ab"));
        CPPUNIT_ASSERT_EQUAL(std::string{"get a"}, bodyOf(router, "GET", "/a"));
        CPPUNIT_ASSERT_EQUAL(std::string{"post a"}, bodyOf(router, "POST", "/a"));
        CPPUNIT_ASSERT_EQUAL(std::string{"get ab"}, bodyOf(router, "GET", "/a/b"));
    }

    void fillsPathParameters() {
        Router router;
        router.add("GET", "/a/{id}/b/{name}", named("x"));
        CPPUNIT_ASSERT_EQUAL(std::string{"x id=1 name=%2F ä"}, bodyOf(router, "GET", "/a/1/b/%2F ä"));
    }

    void prefersALiteralInEitherOrder() {
        Router router;
        router.add("GET", "/s/{id}", named("name"));
        router.add("GET", "/s/current", named("literal"));
        router.add("GET", "/t/current", named("literal"));
        router.add("GET", "/t/{id}", named("name"));
        router.add("GET", "/u/{x}/b", named("late literal"));
        router.add("GET", "/u/a/{y}", named("early literal"));
        CPPUNIT_ASSERT_EQUAL(std::string{"literal"}, bodyOf(router, "GET", "/s/current"));
        CPPUNIT_ASSERT_EQUAL(std::string{"name id=7"}, bodyOf(router, "GET", "/s/7"));
        CPPUNIT_ASSERT_EQUAL(std::string{"literal"}, bodyOf(router, "GET", "/t/current"));
        CPPUNIT_ASSERT_EQUAL(std::string{"early literal y=b"}, bodyOf(router, "GET", "/u/a/b"));
    }

    void fallsBackToANameForAnotherMethod() {
        Router router;
        router.add("GET", "/s/current", named("current"));
        router.add("DELETE", "/s/{id}", named("delete"));
        CPPUNIT_ASSERT_EQUAL(std::string{"delete id=current"}, bodyOf(router, "DELETE", "/s/current"));
    }

    void treatsASlashAtTheEndOfAPatternAsNone() {
        Router router;
        router.add("POST", "/api/otp/", named("otp"));
        CPPUNIT_ASSERT_EQUAL(std::string{"otp"}, bodyOf(router, "POST", "/api/otp"));
        CPPUNIT_ASSERT_THROW(router.add("POST", "/api/otp", named("again")), std::logic_error);
    }

    void servesTheRoot() {
        Router router;
        router.add("GET", "/", named("root"));
        CPPUNIT_ASSERT_EQUAL(std::string{"root"}, bodyOf(router, "GET", "/"));
    }

    void hidesARouteFromThoseItIsNotFor() {
        Router router;
        router.add("GET", "/a", named("a"),
                   [](const Request& request) { return request.clientAddress == "192.0.2.1"; });
        for (const char* method : {"GET", "HEAD", "POST", "OPTIONS"}) {
            Request request = requestFor(method, "/a");
            CPPUNIT_ASSERT_EQUAL(std::string{"404"}, refusalOf(router, request));
            router.recognize(request);
            CPPUNIT_ASSERT_EQUAL(Request::kNoRoute, request.route);
        }
        Request request = requestFor("GET", "/a");
        request.clientAddress = "192.0.2.1";
        CPPUNIT_ASSERT_EQUAL(std::string{"a"}, router.route(request).body);
    }

    void tellsWhichPatternAPathIs() {
        Router router;
        router.add("GET", "/a/{id}", named("a"));
        router.add("GET", "/a/b", named("b"));
        router.add("PUT", "/a/{id}", named("a"));
        CPPUNIT_ASSERT(router.patterns() == (std::vector<std::string>{"/a/{id}", "/a/b"}));
        const auto routeOf = [&router](const char* method, const char* path) {
            Request request = requestFor(method, path);
            try {
                router.route(request);
            } catch (const ApiError&) {
                // A refused request has its route all the same.
            }
            return request.route;
        };
        CPPUNIT_ASSERT_EQUAL(std::size_t{0}, routeOf("GET", "/a/1"));
        CPPUNIT_ASSERT_EQUAL(std::size_t{0}, routeOf("PUT", "/a/b"));
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, routeOf("GET", "/a/b"));
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, routeOf("HEAD", "/a/b"));
        CPPUNIT_ASSERT_EQUAL(std::size_t{0}, routeOf("DELETE", "/a/2"));
        CPPUNIT_ASSERT_EQUAL(Request::kNoRoute, routeOf("GET", "/b"));
    }

    void servesWhatIsBelowItsBaseAlone() {
        Router router("/login");
        router.add("GET", "/", named("root"));
        router.add("GET", "/a/{id}", named("a"));
        router.add("GET", "/authz", named("authz"));
        CPPUNIT_ASSERT_EQUAL(std::string{"root"}, bodyOf(router, "GET", "/login"));
        CPPUNIT_ASSERT_EQUAL(std::string{"a id=7"}, bodyOf(router, "GET", "/login/a/7"));
        for (const char* path : {"/", "/a/7", "/loginx", "/login/login/a/7", "/authz", "login/a/7", "*"}) {
            CPPUNIT_ASSERT_EQUAL_MESSAGE(path, std::string{"404"}, refusalOf(router, requestFor("GET", path)));
            CPPUNIT_ASSERT_MESSAGE(path, !router.needsBody(requestFor("GET", path)));
        }
        CPPUNIT_ASSERT(router.needsBody(requestFor("GET", "/login/a/7")));
        Request known = requestFor("GET", "/login/a/7");
        router.recognize(known);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, known.route);
        // The web server asks whether a client may go on elsewhere.
        Request question = requestFor("GET", "/authz");
        question.role = Role::Authorizer;
        CPPUNIT_ASSERT_EQUAL(std::string{"authz"}, router.route(question).body);
    }

    void answers404ForAnUnknownPath() {
        Router router;
        router.add("GET", "/a/{id}", named("x"));
        for (const char* path : {"/", "/a", "/a/", "/a/1/2", "/b/1", "/A/1", "", "*", "a/1"}) {
            CPPUNIT_ASSERT_EQUAL_MESSAGE(path, std::string{"404"}, refusalOf(router, requestFor("GET", path)));
        }
    }

    void neverCollapsesSlashes() {
        Router router;
        router.add("GET", "/a/b", named("x"));
        CPPUNIT_ASSERT_EQUAL(std::string{"404"}, refusalOf(router, requestFor("GET", "//a/b")));
        CPPUNIT_ASSERT_EQUAL(std::string{"404"}, refusalOf(router, requestFor("GET", "/a//b")));
    }

    void answers405WithAllow() {
        Router router;
        router.add("GET", "/a", named("x"));
        router.add("POST", "/a", named("y"));
        router.add("DELETE", "/{any}", named("z"));
        CPPUNIT_ASSERT_EQUAL(std::string{"405 Allow: GET, HEAD, POST, DELETE, OPTIONS"},
                             refusalOf(router, requestFor("PUT", "/a")));
        CPPUNIT_ASSERT_EQUAL(std::string{"405 Allow: DELETE, OPTIONS"}, refusalOf(router, requestFor("HEAD", "/b")));
        CPPUNIT_ASSERT_EQUAL(std::string{"405 Allow: DELETE, OPTIONS"}, refusalOf(router, requestFor("delete", "/b")));
    }

    void servesHeadByGet() {
        Router router;
        router.add("GET", "/a", named("get"));
        CPPUNIT_ASSERT_EQUAL(std::string{"get"}, bodyOf(router, "HEAD", "/a"));
    }

    void prefersARouteForHeadItself() {
        Router router;
        router.add("GET", "/a", named("get"));
        router.add("HEAD", "/a", named("head"));
        CPPUNIT_ASSERT_EQUAL(std::string{"head"}, bodyOf(router, "HEAD", "/a"));
    }

    void answersOptionsWithAllow() {
        Router router;
        router.add("POST", "/a", named("x"));
        Request request = requestFor("OPTIONS", "/a");
        const Response response = router.route(request);
        CPPUNIT_ASSERT_EQUAL(204, response.status);
        CPPUNIT_ASSERT_EQUAL(std::string{"Allow"}, response.headers.at(0).first);
        CPPUNIT_ASSERT_EQUAL(std::string{"POST, OPTIONS"}, response.headers.at(0).second);
        CPPUNIT_ASSERT_EQUAL(std::string{"404"}, refusalOf(router, requestFor("OPTIONS", "/b")));
    }

    void leavesOptionsToARouteOfItsOwn() {
        Router router;
        router.add("OPTIONS", "/a", named("own"));
        CPPUNIT_ASSERT_EQUAL(std::string{"own"}, bodyOf(router, "OPTIONS", "/a"));
    }

    void throwsTheRejectionOnlyOnAKnownRoute() {
        Router router;
        router.add("POST", "/a", named("x"));
        const auto tooLarge = [](std::string method, std::string path) {
            Request request = requestFor(std::move(method), std::move(path));
            request.rejected = Rejection{ErrorCode::PayloadTooLarge, ""};
            return request;
        };
        CPPUNIT_ASSERT_EQUAL(std::string{"413"}, refusalOf(router, tooLarge("POST", "/a")));
        CPPUNIT_ASSERT_EQUAL(std::string{"404"}, refusalOf(router, tooLarge("POST", "/b")));
        CPPUNIT_ASSERT_EQUAL(std::string{"405 Allow: POST, OPTIONS"}, refusalOf(router, tooLarge("PUT", "/a")));
        Request undecodable = requestFor("POST", "/a");
        undecodable.rejected = Rejection{ErrorCode::NotFound, ""};
        CPPUNIT_ASSERT_EQUAL(std::string{"404"}, refusalOf(router, undecodable));
    }

    void refusesBadRegistrations() {
        Router router;
        router.add("GET", "/a/{id}", named("x"));
        for (const char* pattern : {"/a/{id}", "/a/{other}", "/a/{id}/", "a", "", "//", "/a//b", "/a/{}", "/a/{id"}) {
            CPPUNIT_ASSERT_THROW_MESSAGE(pattern, router.add("GET", pattern, named("y")), std::logic_error);
        }
        CPPUNIT_ASSERT_NO_THROW(router.add("PUT", "/a/{id}", named("z")));
    }

    void listsRoutesInOrder() {
        Router router;
        router.add("POST", "/b/", named("x"));
        router.add("GET", "/a/{id}", named("y"));
        const std::vector<std::pair<std::string, std::string>> expected{{"POST", "/b/"}, {"GET", "/a/{id}"}};
        CPPUNIT_ASSERT(expected == router.routes());
    }

    void passesOnWhatAnEndpointThrows() {
        Router router;
        router.add("GET", "/a", [](const Request&) -> Response { throw std::runtime_error("x"); });
        Request request = requestFor("GET", "/a");
        CPPUNIT_ASSERT_THROW(router.route(request), std::runtime_error);
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(RouterTest);

}  // namespace http_router_test
}  // namespace otpgate::http
