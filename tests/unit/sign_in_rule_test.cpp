// Whom of those who have an account we let in, and every way in that asks.
#include "otpgate/domain/sign_in_rule.h"

#include "otpgate/domain/session_rules.h"
#include "support_cpp/fake_clock.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::domain {

using namespace std::chrono_literals;

class SignInRuleTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(SignInRuleTest);
    CPPUNIT_TEST(everybodyWhereNoGroupIsNamed);
    CPPUNIT_TEST(membersOfOneOfTheGroups);
    CPPUNIT_TEST(administratorsAlways);
    CPPUNIT_TEST(nobodyWhoIsDisabled);
    CPPUNIT_TEST(aSessionIsGoodAsLongAsItsUserIsLetIn);
    CPPUNIT_TEST_SUITE_END();

    static User memberOf(std::vector<std::string> groups) {
        User user;
        user.groups = std::move(groups);
        return user;
    }

    void everybodyWhereNoGroupIsNamed() {
        CPPUNIT_ASSERT(SignInRule{}.allows(memberOf({})));
        CPPUNIT_ASSERT(SignInRule{}.allows(memberOf({"guests"})));
        CPPUNIT_ASSERT(mayEnter(memberOf({}), nullptr));
    }

    void membersOfOneOfTheGroups() {
        CPPUNIT_ASSERT(rule_.allows(memberOf({"guests", "staff"})));
        CPPUNIT_ASSERT(rule_.allows(memberOf({"editors"})));
        for (const auto& groups : {std::vector<std::string>{}, {"guests"}, {"staf"}, {"staff2"}})
            CPPUNIT_ASSERT(!rule_.allows(memberOf(groups)));
    }

    void administratorsAlways() {
        User user = memberOf({"guests"});
        user.role = Role::Admin;
        CPPUNIT_ASSERT(rule_.allows(user) && mayEnter(user, &rule_));
    }

    void nobodyWhoIsDisabled() {
        User user = memberOf({"staff"});
        CPPUNIT_ASSERT(mayEnter(user, &rule_));
        user.status = UserStatus::Disabled;
        CPPUNIT_ASSERT(!mayEnter(user, &rule_) && !mayEnter(user, nullptr));
    }

    void aSessionIsGoodAsLongAsItsUserIsLetIn() {
        const Timestamp now = clock_.now();
        AuthenticatedSession session{{}, memberOf({"staff"})};
        session.session.createdAt = now - 1h;
        session.session.expiresAt = now + 1h;
        CPPUNIT_ASSERT(isGood(session, {}, rule_, now));
        session.user.groups.clear();
        CPPUNIT_ASSERT(!isGood(session, {}, rule_, now));
        CPPUNIT_ASSERT(isGood(session, {}, {}, now));
        session.session.createdAt = now - std::chrono::days{31};
        CPPUNIT_ASSERT(!isGood(session, {}, {}, now));
    }

    const SignInRule rule_{{"staff", "editors"}};
    test::FakeClock clock_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(SignInRuleTest);

}  // namespace otpgate::domain
