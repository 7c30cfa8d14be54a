// What a session may do, by its sign-in and by the factors of its account.
#include "otpgate/domain/step_up.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <string>

namespace otpgate::domain {
namespace {

using namespace std::chrono_literals;

class StepUpTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(StepUpTest);
    CPPUNIT_TEST(grantsByFactorLevelAndAge);
    CPPUNIT_TEST(readsTheStandingOfASession);
    CPPUNIT_TEST(opensAnAccountWithAFactorByTwoFactorsAlone);
    CPPUNIT_TEST_SUITE_END();

    // Each line: has a factor, level, old, and what stands in the way of leaving, using, changing, administering.
    void grantsByFactorLevelAndAge() {
        constexpr StepUp kNone = StepUp::None;
        constexpr StepUp kAnew = StepUp::Anew;
        constexpr StepUp kTwo = StepUp::TwoFactors;
        struct Case {
            bool hasFactor;
            AssuranceLevel level;
            bool isOld;
            StepUp leave, use, change, administer;
        };
        constexpr auto kOne = AssuranceLevel::One;
        constexpr auto kBoth = AssuranceLevel::Two;
        const Case cases[] = {
            {false, kOne, false, kNone, kNone, kNone, kNone},  {false, kOne, true, kNone, kNone, kAnew, kAnew},
            {false, kBoth, false, kNone, kNone, kNone, kNone}, {false, kBoth, true, kNone, kNone, kAnew, kAnew},
            {true, kOne, false, kNone, kTwo, kTwo, kTwo},      {true, kOne, true, kNone, kTwo, kTwo, kTwo},
            {true, kBoth, false, kNone, kNone, kNone, kNone},  {true, kBoth, true, kNone, kNone, kAnew, kAnew},
        };
        for (const Case& each : cases) {
            const Standing standing{each.hasFactor, each.level, each.isOld ? 15min + 1us : 15min};
            const std::string name = std::to_string(each.hasFactor) + std::to_string(static_cast<int>(each.level)) +
                                     std::to_string(each.isOld);
            CPPUNIT_ASSERT_MESSAGE(name, stepUpFor(Action::Leave, standing, 15min) == each.leave);
            CPPUNIT_ASSERT_MESSAGE(name, stepUpFor(Action::Use, standing, 15min) == each.use);
            CPPUNIT_ASSERT_MESSAGE(name, stepUpFor(Action::Change, standing, 15min) == each.change);
            CPPUNIT_ASSERT_MESSAGE(name, stepUpFor(Action::Administer, standing, 15min) == each.administer);
        }
    }

    void readsTheStandingOfASession() {
        const Timestamp now = fromMicroseconds(1'700'000'000'000'000);
        AuthenticatedSession session;
        session.session.methods = "swk user mfa";
        session.session.authenticatedAt = now - 3min;
        session.user.hasFactor = true;
        const Standing standing = standingOf(session, now);
        CPPUNIT_ASSERT(standing.hasFactor && standing.level == AssuranceLevel::Two && standing.age == 3min);
    }

    void opensAnAccountWithAFactorByTwoFactorsAlone() {
        for (const char* methods : {"otp", "pwd otp", "pwd", "otp otp", "otp sms mfa", "hwk user", "swk user", "mfa"}) {
            CPPUNIT_ASSERT_MESSAGE(methods, !opensAccount(methods, true));
            CPPUNIT_ASSERT_MESSAGE(methods, opensAccount(methods, false));
        }
        for (const char* methods : {"hwk user mfa", "swk user mfa"}) CPPUNIT_ASSERT(opensAccount(methods, true));
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(StepUpTest);

}  // namespace
}  // namespace otpgate::domain
