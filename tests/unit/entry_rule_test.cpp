// Who may enter a protected site, by the words beside its location.
#include "otpgate/domain/entry_rule.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::domain {
namespace entry_rule_test {

using namespace std::chrono_literals;

class EntryRuleTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(EntryRuleTest);
    CPPUNIT_TEST(letsNobodyInByARuleThatCannotBeUnderstood);
    CPPUNIT_TEST(letsAnybodyInWhoIsSignedIn);
    CPPUNIT_TEST(letsAdministratorsIn);
    CPPUNIT_TEST(letsInWhoHasAnAddressOfTheDomain);
    CPPUNIT_TEST(letsInWhoIsNamed);
    CPPUNIT_TEST(letsMembersIn);
    CPPUNIT_TEST(believesNoAddressThatIsNotProved);
    CPPUNIT_TEST(wantsARecentSignIn);
    CPPUNIT_TEST(wantsTwoFactors);
    CPPUNIT_TEST(wantsAllWordsToHold);
    CPPUNIT_TEST(tellsWhoMayNotBeforeHowOldTheSignInIs);
    CPPUNIT_TEST_SUITE_END();

    const Timestamp now_ = fromMicroseconds(1'700'000'000'000'000);

    AuthenticatedSession visitor(const char* email = "ann@example.com") const {
        AuthenticatedSession visitor;
        visitor.user.email = email;
        visitor.user.emailVerified = true;
        visitor.session.authenticatedAt = now_ - 10min;
        return visitor;
    }
    Entry decide(const char* rule, const AuthenticatedSession& visitor) const {
        const auto parsed = EntryRule::parse(rule);
        CPPUNIT_ASSERT_MESSAGE(rule, parsed.has_value());
        return parsed->decide(visitor, now_);
    }

    void letsNobodyInByARuleThatCannotBeUnderstood() {
        for (const char* rule : {"",
                                 " ",
                                 "within=15m",
                                 "anybdy",
                                 "Anybody",
                                 "anybody;",
                                 "any body",
                                 "role",
                                 "role=",
                                 "role=user",
                                 "role=Admin",
                                 "rol=admin",
                                 "people",
                                 "people=",
                                 "people=,",
                                 "people=example.com,",
                                 "people=@example.com",
                                 "people=*.",
                                 "people=ann@",
                                 "people=example.com,within=15m",
                                 "group",
                                 "group=",
                                 "group=,",
                                 "group=staff,",
                                 "group=staff,*",
                                 "groups=staff",
                                 "aal2",
                                 "anybody aal1",
                                 "anybody aal3",
                                 "anybody AAL2",
                                 "anybody aal2=yes",
                                 "anybody within",
                                 "anybody within=",
                                 "anybody within=15",
                                 "anybody within=0s",
                                 "anybody within=-1m",
                                 "anybody within=15m,16m",
                                 "anybody domain=example.com",
                                 "anybody\trole=admin",
                                 "anybody,role=admin"}) {
            CPPUNIT_ASSERT_MESSAGE(rule, !EntryRule::parse(rule));
        }
    }

    void letsAnybodyInWhoIsSignedIn() {
        CPPUNIT_ASSERT(decide("anybody", visitor()) == Entry::Granted);
        CPPUNIT_ASSERT(decide("  anybody  ", AuthenticatedSession{}) == Entry::Granted);
    }

    void letsAdministratorsIn() {
        AuthenticatedSession admin = visitor();
        admin.user.role = Role::Admin;
        CPPUNIT_ASSERT(decide("role=admin", admin) == Entry::Granted);
        CPPUNIT_ASSERT(decide("role=admin", visitor()) == Entry::Denied);
    }

    void letsInWhoHasAnAddressOfTheDomain() {
        CPPUNIT_ASSERT(decide("people=example.com", visitor()) == Entry::Granted);
        CPPUNIT_ASSERT(decide("people=EXAMPLE.com", visitor()) == Entry::Granted);
        CPPUNIT_ASSERT(decide("people=example.org,example.com", visitor()) == Entry::Granted);
        CPPUNIT_ASSERT(decide("people=*.example.com", visitor("ann@team.example.com")) == Entry::Granted);
        for (const char* stranger : {"ann@example.org", "ann@example.com.evil.example", "ann@evilexample.com",
                                     "\"ann@example.com\"@evil.example"}) {
            CPPUNIT_ASSERT_MESSAGE(stranger, decide("people=example.com", visitor(stranger)) == Entry::Denied);
        }
        CPPUNIT_ASSERT(decide("people=*.example.com", visitor()) == Entry::Denied);
    }

    void letsInWhoIsNamed() {
        const char* rule = "people=example.org,Ann@Example.com,+4930123456";
        CPPUNIT_ASSERT(decide(rule, visitor()) == Entry::Granted);
        CPPUNIT_ASSERT(decide(rule, visitor("bob@example.com")) == Entry::Denied);
        AuthenticatedSession caller = visitor("bob@example.com");
        caller.user.phoneNumber = "+4930123456";
        CPPUNIT_ASSERT(decide(rule, caller) == Entry::Denied);
        caller.user.phoneVerified = true;
        CPPUNIT_ASSERT(decide(rule, caller) == Entry::Granted);
    }

    void letsMembersIn() {
        AuthenticatedSession member = visitor();
        member.user.groups = {"board", "staff"};
        CPPUNIT_ASSERT(decide("group=staff", member) == Entry::Granted);
        CPPUNIT_ASSERT(decide("group=editors,staff", member) == Entry::Granted);
        CPPUNIT_ASSERT(decide("group=editors", member) == Entry::Denied);
        CPPUNIT_ASSERT(decide("group=staf", member) == Entry::Denied);
        CPPUNIT_ASSERT(decide("group=staff", visitor()) == Entry::Denied);
        // In each that is named by a word of its own, and administrators no less.
        CPPUNIT_ASSERT(decide("group=staff group=board", member) == Entry::Granted);
        CPPUNIT_ASSERT(decide("group=staff group=editors", member) == Entry::Denied);
        CPPUNIT_ASSERT(decide("group=staff people=example.org", member) == Entry::Denied);
        AuthenticatedSession admin = visitor();
        admin.user.role = Role::Admin;
        CPPUNIT_ASSERT(decide("group=staff", admin) == Entry::Denied);
    }

    void believesNoAddressThatIsNotProved() {
        AuthenticatedSession imported = visitor();
        imported.user.emailVerified = false;
        imported.user.username = "ann@example.com";
        CPPUNIT_ASSERT(decide("people=example.com", imported) == Entry::Denied);
        CPPUNIT_ASSERT(decide("people=ann@example.com", imported) == Entry::Denied);
        CPPUNIT_ASSERT(decide("people=example.com", AuthenticatedSession{}) == Entry::Denied);
    }

    void wantsARecentSignIn() {
        CPPUNIT_ASSERT(decide("anybody within=10m", visitor()) == Entry::Granted);
        CPPUNIT_ASSERT(decide("anybody within=9m", visitor()) == Entry::SignInTooOld);
        CPPUNIT_ASSERT(EntryRule::parse("anybody within=9m")->within() == std::chrono::minutes{9});
        CPPUNIT_ASSERT(EntryRule::parse("within=1h anybody within=9m within=2h")->within() == std::chrono::minutes{9});
        CPPUNIT_ASSERT(!EntryRule::parse("anybody")->within());
    }

    void wantsTwoFactors() {
        AuthenticatedSession caller = visitor();
        for (const char* methods : {"otp", "pwd otp", "hwk user", ""}) {
            caller.session.methods = methods;
            CPPUNIT_ASSERT(decide("anybody aal2", caller) == Entry::LevelTooLow);
            CPPUNIT_ASSERT(decide("anybody", caller) == Entry::Granted);
        }
        CPPUNIT_ASSERT(decide("aal2 role=admin", caller) == Entry::Denied);
        CPPUNIT_ASSERT(decide("anybody aal2 within=9m", caller) == Entry::LevelTooLow);
        caller.session.methods = "hwk user mfa";
        CPPUNIT_ASSERT(decide("anybody aal2", caller) == Entry::Granted);
        CPPUNIT_ASSERT(decide("anybody aal2 within=9m", caller) == Entry::SignInTooOld);
        CPPUNIT_ASSERT(EntryRule::parse("anybody aal2")->needsTwoFactors());
        CPPUNIT_ASSERT(!EntryRule::parse("anybody")->needsTwoFactors());
    }

    void wantsAllWordsToHold() {
        AuthenticatedSession admin = visitor();
        admin.user.role = Role::Admin;
        CPPUNIT_ASSERT(decide("anybody role=admin", visitor()) == Entry::Denied);
        CPPUNIT_ASSERT(decide("role=admin anybody", admin) == Entry::Granted);
        CPPUNIT_ASSERT(decide("people=example.com role=admin", admin) == Entry::Granted);
        CPPUNIT_ASSERT(decide("people=example.org role=admin", admin) == Entry::Denied);
        // Of a whole site, and of a path in it.
        CPPUNIT_ASSERT(decide("people=example.com people=ann@example.com", visitor()) == Entry::Granted);
        CPPUNIT_ASSERT(decide("people=example.com people=bob@example.com", visitor()) == Entry::Denied);
    }

    void tellsWhoMayNotBeforeHowOldTheSignInIs() {
        CPPUNIT_ASSERT(decide("role=admin within=1m", visitor()) == Entry::Denied);
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(EntryRuleTest);

}  // namespace entry_rule_test
}  // namespace otpgate::domain
