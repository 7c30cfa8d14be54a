// Protected sites: what the web server and the visitor's browser are answered. Of the whole way, see tests/e2e.
#include "api/site_visits.h"
#include "support_cpp/api_fixture.h"

#include <set>

namespace otpgate::api {
namespace api_sites_test {

using namespace std::string_literals;
using namespace std::chrono_literals;
using test::Answer;

const std::string kLogin = "https://login.example.org";
const std::string kWiki = "https://wiki.example.org";
const std::string kShop = "https://shop.example.org:8443";

class OneUse final : public domain::TicketStore {
public:
    bool use(const Uuid& ticket, Timestamp) override { return used_.insert(ticket).second; }

private:
    std::set<Uuid> used_;
};

class ApiSitesTest : public test::ApiFixture {
    CPPUNIT_TEST_SUITE(ApiSitesTest);
    CPPUNIT_TEST(asksForNothingMoreWhereNoSiteIsNamed);
    CPPUNIT_TEST(letsInByTheSessionOfThisSiteAlone);
    CPPUNIT_TEST(letsInByAnAccessToken);
    CPPUNIT_TEST(letsNobodyInWithoutARule);
    CPPUNIT_TEST(letsNobodyInAtAnUnknownSite);
    CPPUNIT_TEST(tellsByTheChosenNames);
    CPPUNIT_TEST(vouchesForNoAddressThatIsNotProved);
    CPPUNIT_TEST(sendsBrowsersThatOpenAPageToTheSignIn);
    CPPUNIT_TEST(sendsNobodyElseThere);
    CPPUNIT_TEST(sendsNobodyThereWhoIsSignedInAndMayNotEnter);
    CPPUNIT_TEST(sendsThereFromTheAuthorizerAtOnce);
    CPPUNIT_TEST(asksForAnotherSignInWhereItIsTooOld);
    CPPUNIT_TEST(asksForAPasskeyWhereTheRuleWantsTwoFactors);
    CPPUNIT_TEST(letsNobodyInWithoutTheFactorOfTheAccount);
    CPPUNIT_TEST(sendsToTheOwnLoginPageDirectly);
    CPPUNIT_TEST(sendsToNoSiteWithoutHttps);
    CPPUNIT_TEST(keepsTheNonceOfABrowser);
    CPPUNIT_TEST(escapesWhatBrowsersDoNot);
    CPPUNIT_TEST(namesCookiesByThePort);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override {
        ApiFixture::setUp();
        sessionStore_.active = domain::AuthenticatedSession{session_, user_};
        sessionStore_.active->session.lastSeenAt = clock_.now();
        settings_.publicUrl = kLogin;
        settings_.returnTargets = {{"Sign-in", kLogin},
                                   {{"Wiki", kWiki}, {"Shop", kShop}, {"Old", "http://old.example.org"}}};
    }

private:
    using Headers = std::map<std::string, std::string, std::less<>>;
    const http::Cors cors_{{}, kLogin};
    OneUse tickets_;
    domain::SiteSessions sites_{sessionStore_, tickets_, ring_, clock_, random_, domain::SessionLifetimes{}};

    static http::Request at(const std::string& site, Headers headers = {},
                            std::optional<std::string> rule = "anybody") {
        http::Request request = get(std::move(headers));
        request.guarded = http::GuardedRequest{site, std::move(rule), "GET", "/page?x=1"};
        return request;
    }
    static Headers page(Headers more = {}) {
        more["accept"] = "text/html,*/*";
        return more;
    }
    std::string siteCookie(const std::string& site = kWiki) const {
        return "__Host-otpgate-site=" + sites_.cookieOf(session_.id, site);
    }
    std::string loginCookie() const { return "__Host-otpgate=" + sessions_.cookieOf(session_.id); }
    Answer enter(const http::Request& request) {
        return answerOf(
            [&] { return authorize(request, admit(sessions_, sites_, cors_, clock_, settings_, request), settings_); });
    }
    Answer begin(const http::Request& request) {
        return answerOf([&] { return beginAtSite(request, sessions_, sites_, cors_, clock_, settings_); });
    }

    void asksForNothingMoreWhereNoSiteIsNamed() {
        CPPUNIT_ASSERT_EQUAL(204, enter(get({{"cookie", loginCookie()}})).status);
        CPPUNIT_ASSERT_EQUAL(401, enter(get({{"cookie", siteCookie()}})).status);
    }

    void letsInByTheSessionOfThisSiteAlone() {
        CPPUNIT_ASSERT_EQUAL(204, enter(at(kWiki, {{"cookie", siteCookie()}})).status);
        for (const std::string& cookie : {siteCookie(kShop), loginCookie(), "__Host-otpgate-site=" + loginCookie(),
                                          "__Host-otpgate-site="s, siteCookie().substr(1)}) {
            CPPUNIT_ASSERT_EQUAL_MESSAGE(cookie, 401, enter(at(kWiki, {{"cookie", cookie}})).status);
        }
        // The own host has the login's.
        CPPUNIT_ASSERT_EQUAL(204, enter(at(kLogin, {{"cookie", loginCookie()}})).status);
        sessionStore_.active.reset();
        CPPUNIT_ASSERT_EQUAL(401, enter(at(kWiki, {{"cookie", siteCookie()}})).status);
    }

    void letsInByAnAccessToken() {
        const std::string bearer = "Bearer " + sessions_.issueFirst(signIn()).access;
        CPPUNIT_ASSERT_EQUAL(204, enter(at(kWiki, {{"authorization", bearer}})).status);
        CPPUNIT_ASSERT_EQUAL(403, enter(at(kWiki, {{"authorization", bearer}}, "role=admin")).status);
        CPPUNIT_ASSERT_EQUAL(401, enter(at(kWiki, {{"authorization", "Bearer x"}, {"cookie", siteCookie()}})).status);
    }

    void letsNobodyInWithoutARule() {
        for (const std::optional<std::string>& rule :
             {std::optional<std::string>{}, std::optional{""s}, std::optional{" "s}, std::optional{"anybdy"s}}) {
            CPPUNIT_ASSERT_EQUAL(403, enter(at(kWiki, {{"cookie", siteCookie()}}, rule)).status);
            CPPUNIT_ASSERT_EQUAL(403, enter(at(kLogin, {{"cookie", loginCookie()}}, rule)).status);
        }
    }

    void letsNobodyInAtAnUnknownSite() {
        for (const char* site :
             {"", "https://evil.example", "https://wiki.example.org:444", "http://wiki.example.org"}) {
            const std::string cookie = "__Host-otpgate-site=" + sites_.cookieOf(session_.id, site);
            CPPUNIT_ASSERT_EQUAL_MESSAGE(site, 403, enter(at(site, {{"cookie", cookie}})).status);
            CPPUNIT_ASSERT_EQUAL_MESSAGE(site, 403, begin(at(site, page())).status);
        }
    }

    void tellsByTheChosenNames() {
        const auto told = [&](HeaderFamily family, RemoteUser user, const char* name) {
            settings_.authz.headers = family;
            settings_.authz.remoteUser = user;
            return enter(at(kWiki, {{"cookie", siteCookie()}})).header(name);
        };
        const std::string id = user_.id.toString();
        CPPUNIT_ASSERT_EQUAL(id, told(HeaderFamily::XAuth, RemoteUser::Id, "X-Auth-User"));
        CPPUNIT_ASSERT_EQUAL(id, told(HeaderFamily::XAuth, RemoteUser::Id, "Otpgate-User"));
        CPPUNIT_ASSERT_EQUAL(""s, told(HeaderFamily::XAuth, RemoteUser::Id, "Remote-User"));
        CPPUNIT_ASSERT_EQUAL("ann@example.org"s, told(HeaderFamily::XAuth, RemoteUser::Email, "Otpgate-User"));
        CPPUNIT_ASSERT_EQUAL(id, told(HeaderFamily::XAuth, RemoteUser::Email, "X-Auth-User"));
        CPPUNIT_ASSERT_EQUAL(id, told(HeaderFamily::Remote, RemoteUser::Id, "Remote-User"));
        CPPUNIT_ASSERT_EQUAL("ann@example.org"s, told(HeaderFamily::Remote, RemoteUser::Email, "Remote-User"));
        CPPUNIT_ASSERT_EQUAL(""s, told(HeaderFamily::Remote, RemoteUser::Email, "X-Auth-User"));
        CPPUNIT_ASSERT_EQUAL("ann@example.org"s,
                             told(HeaderFamily::XAuthRequest, RemoteUser::Id, "X-Auth-Request-Email"));
        CPPUNIT_ASSERT_EQUAL(id, told(HeaderFamily::XAuthRequest, RemoteUser::Id, "X-Auth-Request-User"));
    }

    void vouchesForNoAddressThatIsNotProved() {
        sessionStore_.active->user.emailVerified = false;
        sessionStore_.active->user.username = "ann@example.org";
        for (const auto family : {HeaderFamily::XAuth, HeaderFamily::Remote, HeaderFamily::XAuthRequest}) {
            settings_.authz = {family, RemoteUser::Id};
            const Answer answer = enter(at(kWiki, {{"cookie", siteCookie()}}));
            CPPUNIT_ASSERT_EQUAL(204, answer.status);
            for (const auto& [name, value] : answer.response.headers) CPPUNIT_ASSERT(value != "ann@example.org");
            settings_.authz.remoteUser = RemoteUser::Email;
            CPPUNIT_ASSERT_EQUAL(403, enter(at(kWiki, {{"cookie", siteCookie()}})).status);
        }
    }

    void sendsBrowsersThatOpenAPageToTheSignIn() {
        for (const Headers& headers :
             {page(), page({{"sec-fetch-mode", "navigate"}, {"sec-fetch-dest", "document"}})}) {
            const Answer answer = begin(at(kWiki, headers));
            CPPUNIT_ASSERT_EQUAL(303, answer.status);
            const std::string nonce = answer.cookie("__Host-otpgate-start");
            CPPUNIT_ASSERT_EQUAL(kLogin +
                                     "/authz/enter?site=https%3A%2F%2Fwiki.example.org&to=%2Fpage%3Fx%3D1&challenge=" +
                                     domain::SiteSessions::challengeOf(nonce),
                                 answer.header("Location"));
            CPPUNIT_ASSERT_EQUAL("no-referrer"s, answer.header("Referrer-Policy"));
        }
    }

    void sendsNobodyElseThere() {
        for (const Headers& headers : {Headers{}, Headers{{"accept", "*/*"}}, page({{"sec-fetch-mode", "cors"}}),
                                       page({{"sec-fetch-mode", "navigate"}, {"sec-fetch-dest", "iframe"}})}) {
            CPPUNIT_ASSERT_EQUAL(401, begin(at(kWiki, headers)).status);
        }
        http::Request sent = at(kWiki, page());
        sent.guarded->method = "POST";
        CPPUNIT_ASSERT_EQUAL(401, begin(sent).status);
        CPPUNIT_ASSERT_EQUAL(404, begin(get(page())).status);
    }

    // He would come back with a session, and be sent there again.
    void sendsNobodyThereWhoIsSignedInAndMayNotEnter() {
        const Answer answer = begin(at(kWiki, page({{"cookie", siteCookie()}}), "role=admin"));
        CPPUNIT_ASSERT_EQUAL(403, answer.status);
        CPPUNIT_ASSERT_EQUAL("FORBIDDEN"s, answer.code());
        CPPUNIT_ASSERT_EQUAL(403, begin(at(kLogin, page({{"cookie", loginCookie()}}), "role=admin")).status);
        CPPUNIT_ASSERT_EQUAL(303, begin(at(kWiki, page({{"cookie", siteCookie(kShop)}}), "role=admin")).status);
    }

    void sendsThereFromTheAuthorizerAtOnce() {
        using http::ErrorCode;
        http::Request request = at(kWiki, page());
        const auto way = [&](ErrorCode refusal) {
            return wayToSignIn(sites_, settings_, request, refusal).has_value();
        };
        CPPUNIT_ASSERT(!way(ErrorCode::Unauthenticated));
        request.role = http::Role::Authorizer;
        CPPUNIT_ASSERT(way(ErrorCode::Unauthenticated) && way(ErrorCode::InvalidToken) && way(ErrorCode::SignInTooOld));
        CPPUNIT_ASSERT(!way(ErrorCode::Forbidden) && !way(ErrorCode::Unavailable));
        request.headers["authorization"] = "Bearer x";
        CPPUNIT_ASSERT(!way(ErrorCode::InvalidToken));
    }

    void asksForAnotherSignInWhereItIsTooOld() {
        http::Request request = at(kWiki, page({{"cookie", siteCookie()}}), "anybody within=15m");
        CPPUNIT_ASSERT_EQUAL(204, enter(request).status);
        clock_.advance(15min + 1us);
        // nginx knows 401 and 403, and sends only the first to the sign-in.
        CPPUNIT_ASSERT_EQUAL(401, enter(request).status);
        CPPUNIT_ASSERT(begin(request).header("Location").ends_with("&within=900"));
        request.role = http::Role::Authorizer;
        CPPUNIT_ASSERT_EQUAL("SIGN_IN_TOO_OLD"s, enter(request).code());
    }

    void asksForAPasskeyWhereTheRuleWantsTwoFactors() {
        http::Request request = at(kWiki, page({{"cookie", siteCookie()}}), "anybody aal2");
        const Answer refused = enter(request);
        CPPUNIT_ASSERT_EQUAL(401, refused.status);
        CPPUNIT_ASSERT_EQUAL("INSUFFICIENT_USER_AUTHENTICATION"s, refused.code());
        CPPUNIT_ASSERT_EQUAL(R"(Bearer realm="otpgate", error="insufficient_user_authentication", )"
                             R"(acr_values="urn:otpgate:aal2")"s,
                             refused.header("WWW-Authenticate"));
        CPPUNIT_ASSERT(begin(request).header("Location").ends_with("&aal=2"));
        CPPUNIT_ASSERT(begin(at(kLogin, page(), "anybody aal2")).header("Location").ends_with("&sign_in=passkey"));
        sessionStore_.active->session.methods = "hwk user mfa";
        CPPUNIT_ASSERT_EQUAL(204, enter(request).status);
    }

    // Whatever the rule says: whoever has the mailbox is not the owner.
    void letsNobodyInWithoutTheFactorOfTheAccount() {
        const http::Request request = at(kWiki, page({{"cookie", siteCookie()}}), "anybody");
        CPPUNIT_ASSERT_EQUAL(204, enter(request).status);
        sessionStore_.active->user.hasFactor = true;
        CPPUNIT_ASSERT_EQUAL("INSUFFICIENT_USER_AUTHENTICATION"s, enter(request).code());
        sessionStore_.active->session.methods = "swk user mfa";
        CPPUNIT_ASSERT_EQUAL(204, enter(request).status);
    }

    void sendsToTheOwnLoginPageDirectly() {
        const Answer answer = begin(at(kLogin, page()));
        CPPUNIT_ASSERT_EQUAL(kLogin + "/?return_to=%2Fpage%3Fx%3D1&sign_in=here", answer.header("Location"));
        CPPUNIT_ASSERT_EQUAL("absent"s, answer.cookie("__Host-otpgate-start"));
        CPPUNIT_ASSERT_EQUAL(kLogin + "/?return_to=%2Fpage%3Fx%3D1&sign_in=again",
                             begin(at(kLogin, page(), "anybody within=1m")).header("Location"));
    }

    void sendsToNoSiteWithoutHttps() { CPPUNIT_ASSERT_EQUAL(403, begin(at("http://old.example.org", page())).status); }

    void keepsTheNonceOfABrowser() {
        const std::string nonce = sites_.makeNonce();
        const Answer known = begin(at(kWiki, page({{"cookie", "__Host-otpgate-start=" + nonce}})));
        CPPUNIT_ASSERT_EQUAL(nonce, known.cookie("__Host-otpgate-start"));
        const Answer bad = begin(at(kWiki, page({{"cookie", "__Host-otpgate-start=x"}})));
        CPPUNIT_ASSERT(domain::SiteSessions::isNonce(bad.cookie("__Host-otpgate-start")));
    }

    void escapesWhatBrowsersDoNot() {
        const auto toOf = [&](const std::string& target) {
            http::Request request = at(kWiki, page());
            request.guarded->target = target;
            const std::string location = begin(request).header("Location");
            const auto start = location.find("&to=") + 4;
            return location.substr(start, location.find('&', start) - start);
        };
        CPPUNIT_ASSERT_EQUAL("%2Fa%257Cb%2522%25C3%25A9"s, toOf("/a|b\"\xc3\xa9"));
        CPPUNIT_ASSERT_EQUAL("%2F%2520%255C"s, toOf("/%20\\"));
        for (const std::string& none :
             {""s, "evil"s, "@evil"s, "http://evil.example/"s, "/"s + std::string(1500, 'a')}) {
            CPPUNIT_ASSERT_EQUAL("%2F"s, toOf(none));
        }
    }

    void namesCookiesByThePort() {
        const Answer answer = begin(at(kShop, page()));
        CPPUNIT_ASSERT(answer.cookie("__Host-otpgate-start-8443") != "absent");
        const std::string cookie = "__Host-otpgate-site-8443=" + sites_.cookieOf(session_.id, kShop);
        CPPUNIT_ASSERT_EQUAL(204, enter(at(kShop, {{"cookie", cookie}})).status);
        CPPUNIT_ASSERT_EQUAL(401, enter(at(kShop, {{"cookie", siteCookie(kShop)}})).status);
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ApiSitesTest);

}  // namespace api_sites_test
}  // namespace otpgate::api
