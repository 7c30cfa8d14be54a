// Who is let in, and the routes for sessions and tokens: what a client reads of each outcome.
#include "api/authentication.h"
#include "support_cpp/api_fixture.h"

namespace otpgate::api {
namespace api_sessions_test {

using namespace std::string_literals;
using RefreshOutcome = domain::SessionRefreshResult::Outcome;
using test::Answer;

const std::string kOwn = "https://login.example.org";
const std::string kShop = "https://shop.example.org";

class ApiSessionsTest : public test::ApiFixture {
    CPPUNIT_TEST_SUITE(ApiSessionsTest);
    CPPUNIT_TEST(letsNobodyInWithoutACredential);
    CPPUNIT_TEST(letsInByAnAccessToken);
    CPPUNIT_TEST(letsNobodyInWhoseSessionIsOver);
    CPPUNIT_TEST(letsInByTheCookieToRead);
    CPPUNIT_TEST(wantsTheCsrfTokenOfThisSessionToWrite);
    CPPUNIT_TEST(letsNoForeignPageWrite);
    CPPUNIT_TEST(takesTheTokenBeforeTheCookie);
    CPPUNIT_TEST(wantsARecentSignIn);
    CPPUNIT_TEST(wantsTheFactorOfTheAccount);
    CPPUNIT_TEST(endsItsOwnSessionAndKeepsTheDevice);
    CPPUNIT_TEST(endsAllSessionsItsOwnToo);
    CPPUNIT_TEST(endsAnotherSessionAndForgetsItsDevice);
    CPPUNIT_TEST(knowsNoSessionOfOthers);
    CPPUNIT_TEST(listsSessionsAndMarksItsOwn);
    CPPUNIT_TEST(tellsTheWebServerWhoAsks);
    CPPUNIT_TEST(refreshesTokens);
    CPPUNIT_TEST(tellsEachRefusalOfARefresh);
    CPPUNIT_TEST(describesTokensToApplications);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override {
        ApiFixture::setUp();
        sessionStore_.active = domain::AuthenticatedSession{session_, user_};
        sessionStore_.active->session.lastSeenAt = clock_.now();
    }

private:
    const http::Cors cors_{{kShop}, kOwn};
    using Headers = std::map<std::string, std::string, std::less<>>;

    std::string bearer() { return "Bearer " + sessions_.issueFirst(signIn()).access; }
    std::string cookie() const { return "__Host-otpgate=" + sessions_.cookieOf(session_.id); }
    std::string csrf() const { return sessions_.csrfTokenOf(session_.id); }
    // 204 where the caller is let in.
    Answer enter(const http::Request& request) {
        return answerOf([&] { return authorize(request, authenticate(sessions_, cors_, request), settings_); });
    }
    Answer refresh(const std::string& token) {
        return answerOf([&] { return refreshTokens(post(R"({"refresh":")" + token + R"("})"), sessions_); });
    }
    http::Request named(const std::string& id) const {
        http::Request request = post("");
        request.method = "DELETE";
        request.pathParameters["id"] = id;
        return request;
    }

    void letsNobodyInWithoutACredential() {
        for (const Headers& headers :
             {Headers{}, Headers{{"authorization", "Basic YTpi"}}, Headers{{"cookie", "a=b"}}}) {
            const Answer answer = enter(get(headers));
            CPPUNIT_ASSERT_EQUAL(401, answer.status);
            CPPUNIT_ASSERT_EQUAL("UNAUTHENTICATED"s, answer.code());
            CPPUNIT_ASSERT(!answer.header("WWW-Authenticate").empty());
        }
    }

    void letsInByAnAccessToken() {
        const std::string token = bearer().substr(7);
        for (const char* scheme : {"Bearer ", "bearer ", "TOKEN ", "Bearer   "}) {
            CPPUNIT_ASSERT_EQUAL(204, enter(post("", {{"authorization", scheme + token}})).status);
        }
        CPPUNIT_ASSERT_EQUAL("INVALID_TOKEN"s, enter(get({{"authorization", "Bearer " + token + "x"}})).code());
        CPPUNIT_ASSERT_EQUAL("UNAUTHENTICATED"s, enter(get({{"authorization", "Bearer"}})).code());
        CPPUNIT_ASSERT_EQUAL("UNAUTHENTICATED"s, enter(get({{"authorization", "Bearer" + token}})).code());
    }

    void letsNobodyInWhoseSessionIsOver() {
        const std::string token = bearer();
        sessionStore_.active.reset();
        CPPUNIT_ASSERT_EQUAL("INVALID_TOKEN"s, enter(get({{"authorization", token}})).code());
        CPPUNIT_ASSERT_EQUAL("INVALID_TOKEN"s, enter(get({{"cookie", cookie()}})).code());
    }

    void letsInByTheCookieToRead() {
        CPPUNIT_ASSERT_EQUAL(204, enter(get({{"cookie", "a=b; " + cookie()}})).status);
        CPPUNIT_ASSERT_EQUAL("INVALID_TOKEN"s, enter(get({{"cookie", cookie() + "x"}})).code());
    }

    void wantsTheCsrfTokenOfThisSessionToWrite() {
        const std::string others = sessions_.csrfTokenOf(user_.id);
        for (const char* method : {"POST", "PUT", "PATCH", "DELETE"}) {
            const auto enterWith = [&](Headers headers) {
                headers.emplace("cookie", cookie());
                http::Request request = post("", headers);
                request.method = method;
                return enter(request).status;
            };
            CPPUNIT_ASSERT_EQUAL(204, enterWith({{"x-csrf-token", csrf()}}));
            CPPUNIT_ASSERT_EQUAL(403, enterWith({}));
            CPPUNIT_ASSERT_EQUAL(403, enterWith({{"x-csrf-token", ""}}));
            CPPUNIT_ASSERT_EQUAL(403, enterWith({{"x-csrf-token", others}}));
            // The cookie is no CSRF token, or whoever could plant one would have both.
            CPPUNIT_ASSERT_EQUAL(403, enterWith({{"x-csrf-token", sessions_.cookieOf(session_.id)}}));
        }
    }

    void letsNoForeignPageWrite() {
        const auto enterFrom = [&](const std::string& origin) {
            return enter(post("", {{"cookie", cookie()},
                                   {"x-csrf-token", csrf()},
                                   {"host", "sso.example.org"},
                                   {"origin", origin}}))
                .status;
        };
        CPPUNIT_ASSERT_EQUAL(204, enterFrom(kOwn));
        CPPUNIT_ASSERT_EQUAL(204, enterFrom(kShop));
        CPPUNIT_ASSERT_EQUAL(204, enterFrom("https://sso.example.org"));  // by another name of this host
        for (const char* origin : {"https://evil.example", "null", "", "https://shop.example.org.evil.example",
                                   "sso.example.org", "https://sso.example.org:8443", "https://evil-sso.example.org"}) {
            CPPUNIT_ASSERT_EQUAL_MESSAGE(origin, 403, enterFrom(origin));
        }
        // A token is sent by nobody's browser unasked.
        CPPUNIT_ASSERT_EQUAL(204,
                             enter(post("", {{"authorization", bearer()}, {"origin", "https://evil.example"}})).status);
    }

    void takesTheTokenBeforeTheCookie() {
        CPPUNIT_ASSERT_EQUAL("INVALID_TOKEN"s,
                             enter(get({{"authorization", "Bearer forged"}, {"cookie", cookie()}})).code());
        const auto who = authenticate(sessions_, cors_, post("", {{"authorization", bearer()}, {"cookie", cookie()}}));
        CPPUNIT_ASSERT(who.credential == Credential::AccessToken);
        CPPUNIT_ASSERT(authenticate(sessions_, cors_, get({{"cookie", cookie()}})).credential == Credential::Cookie);
    }

    void wantsARecentSignIn() {
        using std::chrono::minutes;
        const auto enterWithin = [&](minutes within) {
            const auto request = get({{"cookie", cookie()}});
            return answerOf([&] {
                return authorize(request,
                                 authenticateFor(domain::Action::Change, sessions_, cors_, clock_, within, request),
                                 settings_);
            });
        };
        clock_.advance(minutes{10});
        CPPUNIT_ASSERT_EQUAL(204, enterWithin(minutes{10}).status);
        const Answer old = enterWithin(minutes{9});
        CPPUNIT_ASSERT_EQUAL(403, old.status);
        CPPUNIT_ASSERT_EQUAL("SIGN_IN_TOO_OLD"s, old.code());
        CPPUNIT_ASSERT(old.text("detail").find("9 minutes ago") != std::string::npos);
        CPPUNIT_ASSERT(enterWithin(minutes{1}).text("detail").find("1 minute ago") != std::string::npos);
    }

    // RFC 9470: what would do is said, and the way out stays open.
    void wantsTheFactorOfTheAccount() {
        using domain::Action;
        sessionStore_.active->user.hasFactor = true;
        const auto enterFor = [&](Action action) {
            const auto request = get({{"authorization", bearer()}});
            return answerOf([&] {
                return authorize(request,
                                 authenticateFor(action, sessions_, cors_, clock_, std::chrono::minutes{15}, request),
                                 settings_);
            });
        };
        for (const Action action : {Action::Use, Action::Change, Action::Administer}) {
            const Answer refused = enterFor(action);
            CPPUNIT_ASSERT_EQUAL(401, refused.status);
            CPPUNIT_ASSERT_EQUAL("INSUFFICIENT_USER_AUTHENTICATION"s, refused.code());
            CPPUNIT_ASSERT(refused.header("WWW-Authenticate").find(R"(acr_values="urn:otpgate:aal2")") !=
                           std::string::npos);
        }
        CPPUNIT_ASSERT_EQUAL(204, enterFor(Action::Leave).status);
        sessionStore_.active->session.methods = "hwk user mfa";
        CPPUNIT_ASSERT_EQUAL(204, enterFor(Action::Change).status);
        clock_.advance(std::chrono::minutes{16});
        const Answer old = enterFor(Action::Change);
        CPPUNIT_ASSERT_EQUAL("SIGN_IN_TOO_OLD"s, old.code());
        CPPUNIT_ASSERT(old.header("WWW-Authenticate").ends_with(R"(max_age="900")"));
    }

    void endsItsOwnSessionAndKeepsTheDevice() {
        const Answer answer = answerOf([&] { return logout(post(""), caller(), sessions_); });
        CPPUNIT_ASSERT_EQUAL(204, answer.status);
        CPPUNIT_ASSERT_EQUAL(""s, answer.cookie("__Host-otpgate"));
        CPPUNIT_ASSERT_EQUAL("absent"s, answer.cookie("__Host-otpgate-device"));
        const auto& ended = sessionStore_.revocations.at(0);
        CPPUNIT_ASSERT(ended.sessionId == session_.id && ended.userId == user_.id);
        CPPUNIT_ASSERT(ended.reason == "logout");
        CPPUNIT_ASSERT(ended.deviceFate == domain::DeviceFate::Keep);
        CPPUNIT_ASSERT(sessionStore_.allRevocations.empty());
    }

    void endsAllSessionsItsOwnToo() {
        const Answer answer = answerOf([&] { return logoutAll(post(""), caller(), sessions_); });
        CPPUNIT_ASSERT_EQUAL(204, answer.status);
        CPPUNIT_ASSERT_EQUAL(""s, answer.cookie("__Host-otpgate"));
        CPPUNIT_ASSERT(sessionStore_.revocations.at(0).sessionId == session_.id);
        CPPUNIT_ASSERT(sessionStore_.revocations.at(0).deviceFate == domain::DeviceFate::Keep);
        const auto& others = sessionStore_.allRevocations.at(0);
        CPPUNIT_ASSERT(others.userId == user_.id);
        CPPUNIT_ASSERT(others.reason == "logout_all");
        CPPUNIT_ASSERT(others.keptSession == session_.id);  // it ended by itself, with its device kept
    }

    void endsAnotherSessionAndForgetsItsDevice() {
        const Uuid other = Uuid::makeV7(clock_.now(), random_);
        const Answer answer = answerOf([&] { return endSession(named(other.toString()), caller(), sessions_); });
        CPPUNIT_ASSERT_EQUAL(204, answer.status);
        CPPUNIT_ASSERT_EQUAL("absent"s, answer.cookie("__Host-otpgate"));
        const auto& ended = sessionStore_.revocations.at(0);
        CPPUNIT_ASSERT(ended.sessionId == other && ended.userId == user_.id);
        CPPUNIT_ASSERT(ended.deviceFate == domain::DeviceFate::Forget);
    }

    void knowsNoSessionOfOthers() {
        sessionStore_.revokeResult = false;
        for (const std::string& id : {session_.id.toString(), "17"s, ""s}) {
            const Answer answer = answerOf([&] { return endSession(named(id), caller(), sessions_); });
            CPPUNIT_ASSERT_EQUAL(404, answer.status);
            CPPUNIT_ASSERT_EQUAL("NOT_FOUND"s, answer.code());
        }
    }

    void listsSessionsAndMarksItsOwn() {
        sessionStore_.sessions = {session_, domain::Session{}};
        const Answer answer = answerOf([&] { return listSessions(get(), caller(), sessions_); });
        CPPUNIT_ASSERT_EQUAL(200, answer.status);
        const auto list = answer.body->getArray("sessions");
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, list->size());
        CPPUNIT_ASSERT(list->getObject(0)->getValue<bool>("current"));
        CPPUNIT_ASSERT_EQUAL(session_.id.toString(), list->getObject(0)->getValue<std::string>("id"));
        CPPUNIT_ASSERT(!list->getObject(1)->getValue<bool>("current"));
        CPPUNIT_ASSERT(sessionStore_.found.back().first == user_.id);
    }

    void tellsTheWebServerWhoAsks() {
        const auto answer = [&] { return answerOf([&] { return authorize(get(), caller(), settings_); }); };
        CPPUNIT_ASSERT_EQUAL(204, answer().status);
        CPPUNIT_ASSERT_EQUAL(user_.id.toString(), answer().header("X-Auth-User"));
        CPPUNIT_ASSERT_EQUAL(session_.id.toString(), answer().header("X-Auth-Session"));
        CPPUNIT_ASSERT_EQUAL("ann@example.org"s, answer().header("X-Auth-Email"));
        CPPUNIT_ASSERT_EQUAL(""s, answer().header("X-Auth-Groups"));
        user_.groups = {"editors", "staff"};
        CPPUNIT_ASSERT_EQUAL("editors,staff"s, answer().header("X-Auth-Groups"));
        user_.emailVerified = false;
        CPPUNIT_ASSERT_EQUAL(""s, answer().header("X-Auth-Email"));
    }

    void refreshesTokens() {
        for (const auto outcome : {RefreshOutcome::Rotated, RefreshOutcome::Repeated}) {
            sessionStore_.refreshResult = {outcome, user_.id, clock_.now(), "otp",
                                           clock_.now() + std::chrono::days{30}};
            const Answer answer = refresh(sessions_.issueFirst(signIn()).refresh);
            CPPUNIT_ASSERT_EQUAL(200, answer.status);
            CPPUNIT_ASSERT(sessions_.authenticate(answer.text("access")).has_value());
            CPPUNIT_ASSERT(answer.text("refresh") != sessions_.issueFirst(signIn()).refresh);
            CPPUNIT_ASSERT_EQUAL(session_.id.toString(), answer.text("session_id"));
        }
    }

    void tellsEachRefusalOfARefresh() {
        const std::string token = sessions_.issueFirst(signIn()).refresh;
        CPPUNIT_ASSERT_EQUAL("INVALID_TOKEN"s, refresh("forged").code());
        CPPUNIT_ASSERT(sessionStore_.refreshes.empty());
        sessionStore_.refreshResult.outcome = RefreshOutcome::Ended;
        CPPUNIT_ASSERT_EQUAL("INVALID_TOKEN"s, refresh(token).code());
        sessionStore_.refreshResult.outcome = RefreshOutcome::Reused;
        CPPUNIT_ASSERT_EQUAL("TOKEN_REUSED"s, refresh(token).code());
        const Answer missing = answerOf([&] { return refreshTokens(post("{}"), sessions_); });
        CPPUNIT_ASSERT_EQUAL("refresh"s, missing.field());
    }

    void describesTokensToApplications() {
        const auto introspect = [&](const std::string& token) {
            return answerOf([&] { return introspectToken(post(R"({"token":")" + token + R"("})"), {}, sessions_); });
        };
        const auto tokens = sessions_.issueFirst(signIn());
        const Answer access = introspect(tokens.access);
        CPPUNIT_ASSERT_EQUAL("true"s, access.text("active"));
        CPPUNIT_ASSERT_EQUAL("Bearer"s, access.text("token_type"));
        CPPUNIT_ASSERT_EQUAL(user_.id.toString(), access.text("sub"));
        CPPUNIT_ASSERT_EQUAL("refresh_token"s, introspect(tokens.refresh).text("token_type"));
        const Answer forged = introspect("forged");
        CPPUNIT_ASSERT_EQUAL(200, forged.status);
        CPPUNIT_ASSERT_EQUAL("false"s, forged.text("active"));
        CPPUNIT_ASSERT(!forged.has("sub"));
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ApiSessionsTest);

}  // namespace api_sessions_test
}  // namespace otpgate::api
