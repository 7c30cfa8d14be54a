// Whom of those who have an account we let in, and every way in that asks.
#include "otpgate/domain/sign_in_rule.h"

#include "otpgate/domain/session_rules.h"
#include "support_cpp/fake_clock.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::domain {
namespace sign_in_rule_test {

using namespace std::chrono_literals;

class SignInRuleTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(SignInRuleTest);
    CPPUNIT_TEST(everybodyWhereNoGroupIsNamed);
    CPPUNIT_TEST(membersOfOneOfTheGroups);
    CPPUNIT_TEST(administratorsAlways);
    CPPUNIT_TEST(nobodyWhoIsDisabled);
    CPPUNIT_TEST(aSessionIsGoodAsLongAsItsUserIsLetIn);
    CPPUNIT_TEST(whoMustHaveAFactor);
    CPPUNIT_TEST(theGraceBeginsOnceAndIsNeverMoved);
    CPPUNIT_TEST(aSessionSaysThatItsUserMustAddAFactor);
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
        session.session.lastSeenAt = now;
        session.session.expiresAt = now + 1h;
        CPPUNIT_ASSERT(isGood(session, {}, rule_, now));
        session.user.groups.clear();
        CPPUNIT_ASSERT(!isGood(session, {}, rule_, now));
        CPPUNIT_ASSERT(isGood(session, {}, {}, now));
        session.session.createdAt = now - std::chrono::days{31};
        CPPUNIT_ASSERT(!isGood(session, {}, {}, now));
    }

    void whoMustHaveAFactor() {
        using Whom = FactorRule::Whom;
        const Timestamp now = clock_.now();
        User user = memberOf({"editors"});
        User admin = memberOf({});
        admin.role = Role::Admin;
        const auto concerns = [&](Whom whom, const User& each) {
            SignInRule rule;
            rule.factors = {.whom = whom, .group = "editors", .grace = 24h};
            return factorDueAt(each, rule, now).has_value();
        };
        CPPUNIT_ASSERT(!concerns(Whom::Nobody, user) && !concerns(Whom::Nobody, admin));
        CPPUNIT_ASSERT(!concerns(Whom::Admins, user) && concerns(Whom::Admins, admin));
        CPPUNIT_ASSERT(concerns(Whom::Group, user) && !concerns(Whom::Group, admin));
        CPPUNIT_ASSERT(concerns(Whom::Everybody, user) && concerns(Whom::Everybody, admin));
        user.hasFactor = true;
        for (const Whom whom : {Whom::Nobody, Whom::Admins, Whom::Group, Whom::Everybody})
            CPPUNIT_ASSERT(!concerns(whom, user));
    }

    // Neither signing in again, nor a factor that is added and removed, nor another group gives more time.
    void theGraceBeginsOnceAndIsNeverMoved() {
        SignInRule rule;
        rule.factors = {.whom = FactorRule::Whom::Group, .group = "staff", .grace = 24h};
        const Timestamp begin = clock_.now();
        User user = memberOf({});
        noteWantedFactor(user, rule, begin - 24h);
        CPPUNIT_ASSERT(!user.factorWantedSince);
        user.groups = {"staff"};
        CPPUNIT_ASSERT(factorDueAt(user, rule, begin) == begin + 24h && !owesFactor(user, rule, begin));
        noteWantedFactor(user, rule, begin);
        for (const Timestamp later : {begin + 1h, begin + 23h}) {
            user.hasFactor = !user.hasFactor;
            noteWantedFactor(user, rule, later);
            CPPUNIT_ASSERT(user.factorWantedSince == begin);
        }
        CPPUNIT_ASSERT(!owesFactor(user, rule, begin + 24h - 1us) && owesFactor(user, rule, begin + 24h));
        user.groups.clear();
        CPPUNIT_ASSERT(!owesFactor(user, rule, begin + 24h));
        // Without a grace it is due at the first sign-in.
        rule.factors = {.whom = FactorRule::Whom::Everybody, .grace = 0s};
        user.factorWantedSince.reset();
        CPPUNIT_ASSERT(owesFactor(user, rule, begin));
    }

    void aSessionSaysThatItsUserMustAddAFactor() {
        const Timestamp now = clock_.now();
        SignInRule rule;
        rule.factors = {.whom = FactorRule::Whom::Everybody, .grace = 0s};
        AuthenticatedSession session{{}, memberOf({})};
        session.session.createdAt = session.session.lastSeenAt = now;
        CPPUNIT_ASSERT(isGood(session, {}, rule, now) && session.owesFactor);
        CPPUNIT_ASSERT(isGood(session, {}, {}, now) && !session.owesFactor);
        session.user.hasFactor = true;
        CPPUNIT_ASSERT(isGood(session, {}, rule, now) && !session.owesFactor);
    }

    const SignInRule rule_{{"staff", "editors"}};
    test::FakeClock clock_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(SignInRuleTest);

}  // namespace sign_in_rule_test
}  // namespace otpgate::domain
