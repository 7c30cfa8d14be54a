// What a session may do, by its sign-in and by the factors of its account.
#include "otpgate/domain/step_up.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <string>

namespace otpgate::domain {
namespace step_up_test {

using namespace std::chrono_literals;

class StepUpTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(StepUpTest);
    CPPUNIT_TEST(grantsByFactorLevelAndAge);
    CPPUNIT_TEST(readsTheStandingOfASession);
    CPPUNIT_TEST(opensAnAccountWithAFactorByTwoFactorsAlone);
    CPPUNIT_TEST(kratos4285ACodeAndAnAppOpenTheAccount);
    CPPUNIT_TEST(kratos4317TwoCodesAreOneFactor);
    CPPUNIT_TEST(changesByAPasskeyWhereThereIsOne);
    CPPUNIT_TEST(addsAFactorAndNothingElseByARecoveryCode);
    CPPUNIT_TEST(addsAFactorAndNothingElseWhereOneIsOwed);
    CPPUNIT_TEST(usesAndChangesNothingByATrustedDevice);
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
        for (const char* methods : {"hwk user mfa", "swk user mfa", "pwd otp totp mfa"}) {
            CPPUNIT_ASSERT_MESSAGE(methods, opensAccount(methods, true));
            CPPUNIT_ASSERT_MESSAGE(methods, assuranceOf(methods) == AssuranceLevel::Two);
        }
    }

    // Two things that one has are of level 1, no less, and the account is his who shows both.
    void kratos4285ACodeAndAnAppOpenTheAccount() {
        CPPUNIT_ASSERT(opensAccount("otp totp", true));
        CPPUNIT_ASSERT(assuranceOf("otp totp") == AssuranceLevel::One);
        CPPUNIT_ASSERT(assuranceOf("totp mfa") == AssuranceLevel::One);
    }

    void kratos4317TwoCodesAreOneFactor() {
        for (const char* methods : {"otp otp", "otp sms", "otp mfa", "otp otp mfa", "pwd otp mfa"}) {
            CPPUNIT_ASSERT_MESSAGE(methods, assuranceOf(methods) == AssuranceLevel::One);
            CPPUNIT_ASSERT_MESSAGE(methods, !opensAccount(methods, true));
        }
    }

    void addsAFactorAndNothingElseByARecoveryCode() {
        AuthenticatedSession session;
        session.session.methods = "otp rc";
        session.user.hasFactor = true;
        const auto need = [&](Action action, Timestamp now = {}) {
            return stepUpFor(action, standingOf(session, now), 15min);
        };
        CPPUNIT_ASSERT(need(Action::AddFactor) == StepUp::None && need(Action::Leave) == StepUp::None);
        CPPUNIT_ASSERT(need(Action::AddFactor, Timestamp{16min}) == StepUp::Anew);
        CPPUNIT_ASSERT(need(Action::SeeFactors, Timestamp{16min}) == StepUp::None);
        session.session.methods = "otp";
        CPPUNIT_ASSERT(need(Action::SeeFactors) == StepUp::TwoFactors);
        session.session.methods = "otp rc";
        for (const Action action : {Action::Use, Action::Change, Action::Administer}) {
            CPPUNIT_ASSERT(need(action) == StepUp::TwoFactors);
        }
        CPPUNIT_ASSERT(!opensAccount("otp rc", true) && mayAddFactor("otp rc", true));
        CPPUNIT_ASSERT(assuranceOf("pwd otp rc") == AssuranceLevel::One);
        for (const char* methods : {"otp", "pwd otp"}) CPPUNIT_ASSERT(!mayAddFactor(methods, true));
    }

    void addsAFactorAndNothingElseWhereOneIsOwed() {
        for (const char* methods : {"otp", "pwd otp", "otp totp", "hwk user mfa"}) {
            AuthenticatedSession session;
            session.session.methods = methods;
            session.owesFactor = true;
            const auto need = [&](Action action, Timestamp now = {}) {
                return stepUpFor(action, standingOf(session, now), 15min);
            };
            CPPUNIT_ASSERT(need(Action::AddFactor) == StepUp::None && need(Action::Leave) == StepUp::None);
            CPPUNIT_ASSERT(need(Action::AddFactor, Timestamp{16min}) == StepUp::Anew);
            CPPUNIT_ASSERT(need(Action::SeeFactors, Timestamp{16min}) == StepUp::None);
            for (const Action action : {Action::Use, Action::Change, Action::Administer})
                CPPUNIT_ASSERT_MESSAGE(methods, need(action) == StepUp::TwoFactors);
        }
    }

    // It is used, and nothing that outlasts it is done by it: that takes the factor itself.
    void usesAndChangesNothingByATrustedDevice() {
        const std::string methods = withTrustedDevice("pwd otp");
        CPPUNIT_ASSERT(opensAccount(methods, true) && !showsFactor(methods) && !mayAddFactor(methods, true));
        CPPUNIT_ASSERT(assuranceOf(methods) == AssuranceLevel::One &&
                       assuranceOf(methods + " mfa") == AssuranceLevel::One);
        AuthenticatedSession session;
        session.session.methods = methods;
        session.user.hasFactor = session.user.hasTotp = true;
        const auto need = [&](Action action) { return stepUpFor(action, standingOf(session, Timestamp{}), 15min); };
        CPPUNIT_ASSERT(need(Action::Use) == StepUp::None && need(Action::Leave) == StepUp::None);
        CPPUNIT_ASSERT(need(Action::SeeFactors) == StepUp::None);
        for (const Action action : {Action::AddFactor, Action::Change, Action::Administer})
            CPPUNIT_ASSERT(need(action) == StepUp::TwoFactors);
    }

    void changesByAPasskeyWhereThereIsOne() {
        AuthenticatedSession session;
        session.session.methods = "otp totp";
        session.user.hasFactor = session.user.hasTotp = true;
        const auto change = [&] { return stepUpFor(Action::Change, standingOf(session, Timestamp{}), 15min); };
        CPPUNIT_ASSERT(change() == StepUp::None);
        session.user.hasVerifyingPasskey = true;
        CPPUNIT_ASSERT(change() == StepUp::TwoFactors);
        CPPUNIT_ASSERT(stepUpFor(Action::Administer, standingOf(session, Timestamp{}), 15min) == StepUp::TwoFactors);
        CPPUNIT_ASSERT(stepUpFor(Action::Use, standingOf(session, Timestamp{}), 15min) == StepUp::None);
        session.session.methods = "pwd otp totp mfa";
        CPPUNIT_ASSERT(change() == StepUp::None);
        session.session.methods = "otp";
        for (const Action action : {Action::Use, Action::Change}) {
            CPPUNIT_ASSERT(stepUpFor(action, standingOf(session, Timestamp{}), 15min) == StepUp::TwoFactors);
        }
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(StepUpTest);

}  // namespace step_up_test
}  // namespace otpgate::domain
