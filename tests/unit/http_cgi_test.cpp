#include "http/cgi.h"
#include "support_cpp/fake_random.h"

#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::http {

namespace http_cgi_test {

CgiRequest read(const std::vector<std::string>& variables, const std::vector<std::string>& proxies = {},
                Role role = Role::Responder) {
    CgiVariables pairs;
    for (const std::string_view variable : variables) {
        const std::size_t equals = std::min(variable.find('='), variable.size());
        pairs.emplace_back(variable.substr(0, equals), variable.substr(std::min(equals + 1, variable.size())));
    }
    test::FakeRandom random;
    return readCgi(pairs, role, TrustedProxies(proxies), random);
}

Request requestOf(const std::vector<std::string>& variables) {
    return read(variables).request;
}

std::string decoded(std::string_view target) {
    return decodePath(target).value_or("refused");
}

Request withQuery(std::string query) {
    Request request;
    request.query = std::move(query);
    return request;
}

class CgiTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(CgiTest);
    CPPUNIT_TEST(readsTheVariablesOfARequest);
    CPPUNIT_TEST(fallsBackToScriptNameAndPathInfo);
    CPPUNIT_TEST(decodesThePathOnce);
    CPPUNIT_TEST(removesSlashesAtTheEndOnly);
    CPPUNIT_TEST(refusesPathsThatCannotBeDecoded);
    CPPUNIT_TEST(rejectsAnUndecodablePathAsNotFound);
    CPPUNIT_TEST(asksAboutTheClientWhateverItWantsElsewhere);
    CPPUNIT_TEST(joinsRepeatedHeaders);
    CPPUNIT_TEST(walksForwardedForOfRepeatedHeaders);
    CPPUNIT_TEST(parsesContentLengthStrictly);
    CPPUNIT_TEST(takesOverAGoodRequestId);
    CPPUNIT_TEST(replacesABadRequestId);
    CPPUNIT_TEST(cleansTheUserAgent);
    CPPUNIT_TEST(survivesVariablesWithoutAValue);
    CPPUNIT_TEST(decodesQueryParameters);
    CPPUNIT_TEST(takesTheFirstOfSeveralParameters);
    CPPUNIT_TEST(repairsBadQueryParameters);
    CPPUNIT_TEST(readsAForm);
    CPPUNIT_TEST(writesStatusHeadersAndBody);
    CPPUNIT_TEST(leavesTheBodyOutForHead);
    CPPUNIT_TEST(writesNoBodyWith204And304);
    CPPUNIT_TEST(neverLetsAValueAddALine);
    CPPUNIT_TEST(tellsTheServerOfAnAuthorizerWhoItIsAndNothingElse);
    CPPUNIT_TEST(tellsAnAccessCheckerYesOrNo);
    CPPUNIT_TEST(readsWhatTheWebServerSaysOfASite);
    CPPUNIT_TEST(takesThePathThatTheWebServerSaysInPlaceOfTheClients);
    CPPUNIT_TEST(takesNoFieldOfAClientForWhatTheWebServerSays);
    CPPUNIT_TEST_SUITE_END();

public:
    void readsTheVariablesOfARequest() {
        const CgiRequest cgi = read({"FCGI_ROLE=RESPONDER", "REQUEST_METHOD=POST", "REQUEST_URI=/api/v1/x/?a=1%20&b=/",
                                     "QUERY_STRING=a=1%20&b=/", "CONTENT_TYPE=application/json", "CONTENT_LENGTH=12",
                                     "REMOTE_ADDR=2001:db8:0:0:9:0:0:1", "REQUEST_ID=abc_-9",
                                     "HTTP_AUTHORIZATION=Bearer x=y", "HTTP_USER_AGENT=curl/8", "SCRIPT_NAME=/other"});
        CPPUNIT_ASSERT_EQUAL(std::string{"POST"}, cgi.request.method);
        CPPUNIT_ASSERT_EQUAL(std::string{"/api/v1/x"}, cgi.request.path);
        CPPUNIT_ASSERT_EQUAL(std::string{"a=1%20&b=/"}, cgi.request.query);
        CPPUNIT_ASSERT_EQUAL(std::string{"application/json"}, cgi.request.contentType);
        CPPUNIT_ASSERT_EQUAL(std::string{"Bearer x=y"}, std::string{cgi.request.header("authorization").value()});
        CPPUNIT_ASSERT(!cgi.request.header("x-absent"));
        CPPUNIT_ASSERT_EQUAL(std::string{"2001:db8::9:0:0:1"}, cgi.request.clientAddress);
        CPPUNIT_ASSERT_EQUAL(std::string{"2001:db8::/64"}, cgi.request.clientNetwork);
        CPPUNIT_ASSERT_EQUAL(std::string{"abc_-9"}, cgi.request.requestId);
        CPPUNIT_ASSERT_EQUAL(std::string{"curl/8"}, cgi.request.userAgent);
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{12}, cgi.bodyBytes.value());
        CPPUNIT_ASSERT(!cgi.request.rejected);
    }

    void fallsBackToScriptNameAndPathInfo() {
        CPPUNIT_ASSERT_EQUAL(std::string{"/otp/x/y"}, requestOf({"SCRIPT_NAME=/otp", "PATH_INFO=/x/y/"}).path);
        CPPUNIT_ASSERT_EQUAL(std::string{"/100%?x"}, requestOf({"SCRIPT_NAME=", "PATH_INFO=/100%?x"}).path);
        CPPUNIT_ASSERT_EQUAL(std::string{"/s"}, requestOf({"REQUEST_URI=", "SCRIPT_NAME=/s"}).path);
        CPPUNIT_ASSERT(requestOf({}).rejected);
    }

    void decodesThePathOnce() {
        CPPUNIT_ASSERT_EQUAL(std::string{"/a b/ä+"}, decoded("/a%20b/%c3%A4+"));
        CPPUNIT_ASSERT_EQUAL(std::string{"/%41"}, decoded("/%2541"));
        CPPUNIT_ASSERT_EQUAL(std::string{"/a"}, decoded("/a?x=%zz"));
        CPPUNIT_ASSERT_EQUAL(std::string{"/a?b"}, decoded("/a%3fb"));
    }

    void removesSlashesAtTheEndOnly() {
        CPPUNIT_ASSERT_EQUAL(std::string{"/"}, decoded("/"));
        CPPUNIT_ASSERT_EQUAL(std::string{"/"}, decoded("///"));
        CPPUNIT_ASSERT_EQUAL(std::string{"/a"}, decoded("/a//"));
        CPPUNIT_ASSERT_EQUAL(std::string{"/a"}, decoded("/a%2f"));
        CPPUNIT_ASSERT_EQUAL(std::string{"//a//b/../c/."}, decoded("//a//b/../c/."));
    }

    void refusesPathsThatCannotBeDecoded() {
        for (const char* target : {"", "*", "a", "?x", "http://host/a", "/%", "/%1", "/%zz", "/a%00b", "/a%0ab",
                                   "/a%7f", "/\x01", "/%ff", "/%c0%af", "/%ed%a0%80", "/\xff"}) {
            CPPUNIT_ASSERT_MESSAGE(target, !decodePath(target));
        }
    }

    void rejectsAnUndecodablePathAsNotFound() {
        const Request request = requestOf({"REQUEST_METHOD=GET", "REQUEST_URI=/a%00?q", "REMOTE_ADDR=192.0.2.1"});
        CPPUNIT_ASSERT(request.rejected.value().code == ErrorCode::NotFound);
        CPPUNIT_ASSERT_EQUAL(std::string{"/a%00"}, request.path);
        CPPUNIT_ASSERT_EQUAL(std::string{"192.0.2.1"}, request.clientAddress);
    }

    void asksAboutTheClientWhateverItWantsElsewhere() {
        for (const char* target : {"/wiki", "/%zz", "wiki", "/a%00b"}) {
            const CgiRequest cgi = read({"REQUEST_METHOD=POST", std::string{"REQUEST_URI="} + target,
                                         "CONTENT_LENGTH=12", "HTTP_TRANSFER_ENCODING=chunked"},
                                        {}, Role::Authorizer);
            CPPUNIT_ASSERT_EQUAL(std::string{"GET"}, cgi.request.method);
            CPPUNIT_ASSERT_EQUAL(std::string{"/authz"}, cgi.request.path);
            CPPUNIT_ASSERT_MESSAGE(target, !cgi.request.rejected);
            CPPUNIT_ASSERT(cgi.bodyBytes == 0U && !cgi.isBodyOpen);
        }
    }

    void joinsRepeatedHeaders() {
        const Request request = requestOf({"HTTP_X_A=1", "HTTP_COOKIE=a=1", "HTTP_X_A=2", "HTTP_COOKIE=b=2"});
        CPPUNIT_ASSERT_EQUAL(std::string{"1, 2"}, std::string{request.header("x-a").value()});
        CPPUNIT_ASSERT_EQUAL(std::string{"a=1; b=2"}, std::string{request.header("cookie").value()});
    }

    void walksForwardedForOfRepeatedHeaders() {
        const CgiRequest cgi =
            read({"REMOTE_ADDR=10.0.0.1", "HTTP_X_FORWARDED_FOR=1.1.1.1", "HTTP_X_FORWARDED_FOR=203.0.113.9"},
                 {"10.0.0.0/8"});
        CPPUNIT_ASSERT_EQUAL(std::string{"203.0.113.9"}, cgi.request.clientAddress);
    }

    void parsesContentLengthStrictly() {
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{0}, read({}).bodyBytes.value());
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{0}, read({"CONTENT_LENGTH="}).bodyBytes.value());
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{0}, read({"CONTENT_LENGTH=0"}).bodyBytes.value());
        for (const char* value : {"-1", "+1", " 1", "1 ", "1,1", "0x10", "1e3", "99999999999999999999999"}) {
            CPPUNIT_ASSERT_MESSAGE(value, !read({std::string{"CONTENT_LENGTH="} + value}).bodyBytes);
        }
    }

    void takesOverAGoodRequestId() {
        const std::string longest(64, 'a');
        CPPUNIT_ASSERT_EQUAL(longest, requestOf({"REQUEST_ID=" + longest}).requestId);
    }

    void replacesABadRequestId() {
        const std::string made = "000102030405060708090a0b0c0d0e0f";
        const std::vector<std::string> badIds{std::string{}, std::string(65, 'a'), std::string{"a b"},
                                              std::string{"a\r\nX: y"}, std::string{"ä"}};
        for (const std::string& bad : badIds) {
            CPPUNIT_ASSERT_EQUAL(made, requestOf({"REQUEST_ID=" + bad}).requestId);
        }
        CPPUNIT_ASSERT_EQUAL(made, requestOf({}).requestId);
    }

    void cleansTheUserAgent() {
        CPPUNIT_ASSERT_EQUAL(std::string{"a b\u00a0ä😀"}, cleanUserAgent("a\r\n b\x7f\x01\u00a0\u0085ä\xff😀\xc3"));
        CPPUNIT_ASSERT_EQUAL(std::string(255, 'x'), cleanUserAgent(std::string(1000, 'x')));
        CPPUNIT_ASSERT_EQUAL(std::string(254, 'x'), cleanUserAgent(std::string(254, 'x') + "äx"));
    }

    void survivesVariablesWithoutAValue() {
        const Request request = requestOf({"REQUEST_METHOD", "HTTP_X", "", "="});
        CPPUNIT_ASSERT_EQUAL(std::string{}, request.method);
        CPPUNIT_ASSERT_EQUAL(std::string{}, std::string{request.header("x").value()});
    }

    void decodesQueryParameters() {
        const Request request = withQuery("a=1&b=x+y%2Bz&&c&d=&%65=%c3%a4=");
        CPPUNIT_ASSERT_EQUAL(std::string{"1"}, request.queryParameter("a").value());
        CPPUNIT_ASSERT_EQUAL(std::string{"x y+z"}, request.queryParameter("b").value());
        CPPUNIT_ASSERT_EQUAL(std::string{}, request.queryParameter("c").value());
        CPPUNIT_ASSERT_EQUAL(std::string{}, request.queryParameter("d").value());
        CPPUNIT_ASSERT_EQUAL(std::string{"ä="}, request.queryParameter("e").value());
        CPPUNIT_ASSERT(!request.queryParameter("f"));
        CPPUNIT_ASSERT(!withQuery("").queryParameter("a"));
    }

    void takesTheFirstOfSeveralParameters() {
        CPPUNIT_ASSERT_EQUAL(std::string{"1"}, withQuery("a=1&a=2").queryParameter("a").value());
    }

    void repairsBadQueryParameters() {
        CPPUNIT_ASSERT_EQUAL(std::string{"100%"}, withQuery("a=100%").queryParameter("a").value());
        CPPUNIT_ASSERT_EQUAL(std::string{"x\uFFFDy"}, withQuery("a=x%00y").queryParameter("a").value());
        CPPUNIT_ASSERT_EQUAL(std::string{"\uFFFD"}, withQuery("a=%ff").queryParameter("a").value());
    }

    void readsAForm() {
        Request request;
        request.body = "token=a%2Bb+c&hint=";
        for (const char* type :
             {"application/x-www-form-urlencoded", "Application/X-WWW-Form-Urlencoded ; charset=UTF-8"}) {
            request.contentType = type;
            CPPUNIT_ASSERT(request.hasForm());
        }
        CPPUNIT_ASSERT_EQUAL(std::string{"a+b c"}, request.formParameter("token").value());
        CPPUNIT_ASSERT_EQUAL(std::string{}, request.formParameter("hint").value());
        CPPUNIT_ASSERT(!request.formParameter("other"));
        for (const char* type :
             {"", "application/json", "text/plain", "application/x-www-form-urlencoded, application/json"}) {
            request.contentType = type;
            CPPUNIT_ASSERT(!request.hasForm());
        }
    }

    void writesStatusHeadersAndBody() {
        const Response response = Response{201, "{}", "application/json", {}}.with("X-A", "1").with("X-B", "2");
        CPPUNIT_ASSERT_EQUAL(
            std::string{"Status: 201 Created\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
                        "X-A: 1\r\nX-B: 2\r\n\r\n{}"},
            writeCgi(response, BodyMode::Whole));
    }

    void leavesTheBodyOutForHead() {
        const std::string text = writeCgi(Response{200, "{\"a\":1}", "application/json", {}}, BodyMode::HeadersOnly);
        CPPUNIT_ASSERT_EQUAL(
            std::string{"Status: 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n"}, text);
    }

    void writesNoBodyWith204And304() {
        CPPUNIT_ASSERT_EQUAL(std::string{"Status: 204 No Content\r\n\r\n"},
                             writeCgi(Response{204, "x", "text/plain", {}}, BodyMode::Whole));
        CPPUNIT_ASSERT_EQUAL(std::string{"Status: 304 Not Modified\r\nETag: \"1\"\r\n\r\n"},
                             writeCgi(Response{304, "x", "text/plain", {{"ETag", "\"1\""}}}, BodyMode::Whole));
    }

    void neverLetsAValueAddALine() {
        Response response{200, "", "text/plain\r\nX-Evil: 1", {}};
        response.with("Location", std::string("/a\r\nSet-Cookie: evil=1\n\0b", 25))
            .with("X\r\nY", "1")
            .with("", "1")
            .with("A B", "1");
        CPPUNIT_ASSERT_EQUAL(std::string{"Status: 200 OK\r\nContent-Type: text/plainX-Evil: 1\r\nContent-Length: 0\r\n"
                                         "Location: /aSet-Cookie: evil=1b\r\n\r\n"},
                             writeCgi(response, BodyMode::Whole));
    }

    void readsWhatTheWebServerSaysOfASite() {
        CPPUNIT_ASSERT(!requestOf({"REQUEST_METHOD=GET", "REQUEST_URI=/authz"}).guarded);
        const auto asked =
            requestOf({"REQUEST_METHOD=GET", "REQUEST_URI=/authz", "OTPGATE_SITE=https://Wiki.example.com/",
                       "OTPGATE_REQUIRE=", "OTPGATE_METHOD=POST", "OTPGATE_TARGET=/a?b"})
                .guarded.value();
        CPPUNIT_ASSERT_EQUAL(std::string{"https://wiki.example.com"}, asked.site);
        CPPUNIT_ASSERT_EQUAL(std::string{}, asked.rule.value());
        CPPUNIT_ASSERT_EQUAL(std::string{"POST"}, asked.method);
        CPPUNIT_ASSERT_EQUAL(std::string{"/a?b"}, asked.target);
        // An Authorizer is asked by the request itself.
        const auto authorizer =
            requestOf({"REQUEST_METHOD=PUT", "REQUEST_URI=/%61?b", "OTPGATE_SITE=https://a"}).guarded.value();
        CPPUNIT_ASSERT_EQUAL(std::string{"PUT"}, authorizer.method);
        CPPUNIT_ASSERT_EQUAL(std::string{"/%61?b"}, authorizer.target);
        CPPUNIT_ASSERT(!authorizer.rule);
    }

    void takesThePathThatTheWebServerSaysInPlaceOfTheClients() {
        const Request request = requestOf({"REQUEST_METHOD=GET", "OTPGATE_PATH=/authz/start", "REQUEST_URI=/page?x=1",
                                           "OTPGATE_SITE=https://a.example.com", "OTPGATE_METHOD=POST"});
        CPPUNIT_ASSERT_EQUAL(std::string{"/authz/start"}, request.path);
        CPPUNIT_ASSERT_EQUAL(std::string{"/page?x=1"}, request.guarded.value().target);
        CPPUNIT_ASSERT_EQUAL(std::string{"POST"}, request.guarded->method);
        CPPUNIT_ASSERT_EQUAL(std::string{"/a"}, requestOf({"REQUEST_URI=/a", "HTTP_OTPGATE_PATH=/b"}).path);
    }

    void takesNoFieldOfAClientForWhatTheWebServerSays() {
        CPPUNIT_ASSERT(!requestOf({"REQUEST_METHOD=GET", "REQUEST_URI=/authz", "HTTP_OTPGATE_SITE=https://a",
                                   "HTTP_OTPGATE_REQUIRE=anybody", "OTPGATE_OTHER=x"})
                            .guarded);
    }

    // Apache would add the rest to the answers of the site that it protects.
    void tellsTheServerOfAnAuthorizerWhoItIsAndNothingElse() {
        const Response good{204,
                            "",
                            "application/json",
                            {{"X-Auth-User", "1"},
                             {"X-Auth-Email", "a@example.com"},
                             {"Remote-User", "1"},
                             {"Otpgate-User", "1"},
                             {"Access-Control-Allow-Origin", "https://app.example.com"},
                             {"Content-Security-Policy", "default-src 'none'"},
                             {"Cache-Control", "no-store"},
                             {"X-Request-Id", "r"}}};
        CPPUNIT_ASSERT_EQUAL(
            std::string{"Status: 200 OK\r\nVariable-X_AUTH_USER: 1\r\nVariable-X_AUTH_EMAIL: a@example.com\r\n"
                        "Variable-REMOTE_USER: 1\r\nVariable-OTPGATE_USER: 1\r\n\r\n"},
            writeCgi(asAuthorizer(good, Authorizer::Ordinary), BodyMode::Whole));
        const Response refused{401, "{}", "application/problem+json", {{"WWW-Authenticate", "Bearer"}}};
        CPPUNIT_ASSERT_EQUAL(writeCgi(refused, BodyMode::Whole),
                             writeCgi(asAuthorizer(refused, Authorizer::Ordinary), BodyMode::Whole));
    }

    void tellsAnAccessCheckerYesOrNo() {
        const Response good{204, "", "", {{"Otpgate-User", "1"}, {"X-Auth-User", "1"}}};
        CPPUNIT_ASSERT_EQUAL(std::string{"Status: 200 OK\r\nVariable-OTPGATE_USER: 1\r\nVariable-X_AUTH_USER: 1\r\n"
                                         "Variable-REMOTE_USER: 1\r\n\r\n"},
                             writeCgi(asAuthorizer(good, Authorizer::AccessChecker), BodyMode::Whole));
        for (const int status : {303, 401, 403, 503}) {
            const Response other{
                status, "{}", "application/problem+json", {{"Set-Cookie", "a=b"}, {"Location", "https://a/"}}};
            CPPUNIT_ASSERT_EQUAL(status, asAuthorizer(other, Authorizer::Ordinary).status);
            const Response no = asAuthorizer(other, Authorizer::AccessChecker);
            CPPUNIT_ASSERT(no.status == 401 && no.headers.empty() && no.body.empty() && no.contentType.empty());
        }
        for (const auto& [says, means] : {std::pair{"FCGI_APACHE_ROLE=ACCESS_CHECKER", Authorizer::AccessChecker},
                                          std::pair{"FCGI_APACHE_ROLE=AUTHORIZER", Authorizer::Ordinary},
                                          std::pair{"HTTP_FCGI_APACHE_ROLE=ACCESS_CHECKER", Authorizer::Ordinary}}) {
            CPPUNIT_ASSERT_MESSAGE(says, read({says}, {}, Role::Authorizer).authorizer == means);
        }
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(CgiTest);

}  // namespace http_cgi_test
}  // namespace otpgate::http
