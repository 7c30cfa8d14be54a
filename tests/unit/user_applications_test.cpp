#include "otpgate/domain/user_applications.h"

#include "support_cpp/counting_random.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::domain {
namespace user_applications_test {

using namespace std::chrono_literals;

class UserApplicationsTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(UserApplicationsTest);
    CPPUNIT_TEST(tellsOfEachApplicationOnce);
    CPPUNIT_TEST(tellsOfNothingThatIsOver);
    CPPUNIT_TEST(keepsAConsentThatNothingCameOf);
    CPPUNIT_TEST(putsThemByTheirTitles);
    CPPUNIT_TEST_SUITE_END();

    test::CountingRandom random_;
    const Timestamp now_ = fromMicroseconds(1'800'000'000'000'000);

    static OidcClient client(const std::string& id, const std::string& title = "Wiki") {
        OidcClient client;
        client.id = id;
        client.title = title;
        return client;
    }
    GrantsAlike grants(std::string_view scopes, Timestamp first, Timestamp last) {
        User user;
        user.id = Uuid::makeV7(now_, random_);
        OidcGrant grant;
        grant.clientId = "wiki";
        grant.userId = user.id;
        grant.scopes = parseScopes(scopes);
        grant.methods = "otp";
        grant.createdAt = first;
        grant.expiresAt = now_ + 1h;
        return {{grant, client("wiki"), user, true}, last};
    }

    void tellsOfEachApplicationOnce() {
        const auto list = applicationsOf(
            {{client("wiki"), parseScopes("openid groups"), now_ - 2h}},
            {grants("openid email", now_ - 3h, now_ - 1h), grants("openid profile", now_ - 2h, now_ - 1min)}, now_);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, list.size());
        CPPUNIT_ASSERT(list[0].clientId == "wiki" && list[0].title == "Wiki");
        CPPUNIT_ASSERT(list[0].scopes == parseScopes("openid profile email groups"));
        CPPUNIT_ASSERT(list[0].since == now_ - 3h && list[0].lastUsedAt == now_ - 1min);
    }

    void tellsOfNothingThatIsOver() {
        auto signedOut = grants("openid", now_ - 1h, now_);
        signedOut.use.sessionIsAlive = false;
        auto expired = grants("openid", now_ - 1h, now_);
        expired.use.grant.expiresAt = now_;
        auto withoutFactor = grants("openid", now_ - 1h, now_);
        withoutFactor.use.user->hasFactor = true;
        auto notAllowed = grants("openid", now_ - 1h, now_);
        notAllowed.use.client.groups = {"staff"};
        CPPUNIT_ASSERT(applicationsOf({}, {signedOut, expired, withoutFactor, notAllowed}, now_).empty());
        signedOut.use.grant.scopes = parseScopes("openid offline_access");
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, applicationsOf({}, {signedOut}, now_).size());
    }

    void keepsAConsentThatNothingCameOf() {
        const auto list = applicationsOf({{client("wiki"), parseScopes("openid"), now_ - 1h}}, {}, now_);
        CPPUNIT_ASSERT(list.size() == 1 && list[0].since == now_ - 1h && !list[0].lastUsedAt);
    }

    void putsThemByTheirTitles() {
        const auto list = applicationsOf(
            {{client("a", "Shop"), {}, now_}, {client("b", "Radio"), {}, now_}, {client("c", "Radio"), {}, now_}}, {},
            now_);
        CPPUNIT_ASSERT(list[0].clientId == "b" && list[1].clientId == "c" && list[2].clientId == "a");
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(UserApplicationsTest);

}  // namespace user_applications_test
}  // namespace otpgate::domain
