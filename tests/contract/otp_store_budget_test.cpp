// Wrong guesses belong to the destination: more codes buy no more of them.
#include "contract/otp_store_test.h"

namespace otpgate::test {
namespace otp_store_budget_test {

using namespace std::chrono_literals;
using domain::Guess;

template <class Engine>
class OtpStoreBudgetTest : public OtpStoreTest<OtpStoreBudgetTest<Engine>, Engine> {
    using Base = OtpStoreTest<OtpStoreBudgetTest<Engine>, Engine>;
    using Base::assertOutcome;
    using Base::clock_;
    using Base::count;
    using Base::guessRight;
    using Base::guessWrong;
    using Base::kLifetime;
    using Base::newGuess;
    using Base::now;
    using Base::only;
    using Base::requestAnotherCode;
    using Base::requestCode;
    using Base::store_;

    CPPUNIT_TEST_SUITE(OtpStoreBudgetTest);
    CPPUNIT_TEST(spendsOneBudgetOnAllCodesOfADestination);
    CPPUNIT_TEST(refusesTheRightGuessOnASpentBudget);
    CPPUNIT_TEST(freesTheBudgetAfterItsWindow);
    CPPUNIT_TEST(holdsBothWindowsOfTheBudget);
    CPPUNIT_TEST(auditsASpentBudgetOnceAMinute);
    CPPUNIT_TEST(countsNoRightGuessAgainstTheBudget);
    CPPUNIT_TEST(countsNoGuessAtADeadCodeAgainstTheBudget);
    CPPUNIT_TEST(keepsNoBudgetWhereThereIsNone);
    CPPUNIT_TEST_SUITE_END();

    // Wrong guesses at code after code, until one is refused; the code that it was at.
    Uuid spendTheBudget(const domain::LimitRule& budget, int guesses) {
        for (int done = 0; done <= guesses;) {
            const Uuid code = requestCode("ada@example.org");
            for (int i = 0; i < 3; ++i, ++done) {
                const auto result = guessWrong(code, budget);
                if (result.outcome == VerifyOutcome::BudgetExhausted) {
                    CPPUNIT_ASSERT_EQUAL(guesses, done);
                    return code;
                }
                CPPUNIT_ASSERT_EQUAL(VerifyOutcome::WrongCode, result.outcome);
            }
            clock_.advance(1s);
        }
        CPPUNIT_FAIL("no guess was refused");
        return Uuid{};
    }
    void assertUntouched(const Uuid& code, std::int64_t attempts) {
        const db::Row row = only("SELECT attempts, consumed_at_us FROM otp_requests WHERE id = ?", {code});
        CPPUNIT_ASSERT_EQUAL(attempts, row.integer(0));
        CPPUNIT_ASSERT(row.isNull(1));
    }

    void spendsOneBudgetOnAllCodesOfADestination() {
        spendTheBudget(rule("10/1h"), 10);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{10}, count("audit_events WHERE event = 'OTP_FAILED'"));
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::WrongCode,
                             guessWrong(requestCode("eve@example.org"), rule("10/1h")).outcome);
    }

    void refusesTheRightGuessOnASpentBudget() {
        const Uuid code = spendTheBudget(rule("10/1h"), 10);
        for (int i = 0; i < 5; ++i) {
            assertOutcome(VerifyOutcome::BudgetExhausted, guessRight(code, rule("10/1h")));
            assertOutcome(VerifyOutcome::BudgetExhausted, guessWrong(code, rule("10/1h")));
        }
        assertUntouched(code, 1);
        assertOutcome(VerifyOutcome::BudgetExhausted, guessRight(requestCode("ada@example.org"), rule("10/1h")));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("users") + count("sessions"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("audit_events WHERE event = 'OTP_VERIFIED'"));
    }

    void freesTheBudgetAfterItsWindow() {
        const Timestamp begun = now();
        spendTheBudget(rule("10/1h"), 10);
        for (const Guess guess : {Guess::Wrong, Guess::Right}) {
            const auto refused = store_->verify(newGuess(requestCode("ada@example.org"), guess, rule("10/1h")));
            CPPUNIT_ASSERT_EQUAL(VerifyOutcome::BudgetExhausted, refused.outcome);
            const auto state = domain::LimitHits{refused.hits}.state(rule("10/1h"), now());
            CPPUNIT_ASSERT_EQUAL(0U, state.remaining);
            CPPUNIT_ASSERT(now() + state.reset == begun + 1h);
        }
        clock_.set(begun + 1h - 1us);
        const Uuid code = requestCode("ada@example.org");
        assertOutcome(VerifyOutcome::BudgetExhausted, guessRight(code, rule("10/1h")));
        clock_.set(begun + 1h);
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::WrongCode, guessWrong(code, rule("10/1h")).outcome);
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, guessRight(code, rule("10/1h")).outcome);
    }

    void holdsBothWindowsOfTheBudget() {
        const auto both = rule("10/1h,20/1d");
        const Timestamp begun = now();
        spendTheBudget(both, 10);
        clock_.set(begun + 2h);
        spendTheBudget(both, 10);
        clock_.set(begun + 24h - 1us);
        assertOutcome(VerifyOutcome::BudgetExhausted, guessRight(requestCode("ada@example.org"), both));
        assertOutcome(VerifyOutcome::BudgetExhausted, guessWrong(requestCode("ada@example.org"), both));
        clock_.set(begun + 24h);
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, guessRight(requestCode("ada@example.org"), both).outcome);
    }

    void auditsASpentBudgetOnceAMinute() {
        const auto locks = [this] { return count("audit_events WHERE event = 'OTP_LOCKED'"); };
        const Uuid code = spendTheBudget(rule("2/1h"), 2);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, locks());
        clock_.advance(1min - 1us);
        guessWrong(code, rule("2/1h"));
        guessRight(code, rule("2/1h"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, locks());
        clock_.advance(1us);
        guessRight(code, rule("2/1h"));
        guessWrong(code, rule("2/1h"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, locks());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2},
                             count("audit_events WHERE event = 'OTP_LOCKED' AND destination = 'ada@example.org'"
                                   " AND ip_address = '192.0.2.7' AND user_id IS NULL"));
    }

    void countsNoRightGuessAgainstTheBudget() {
        for (int i = 0; i < 5; ++i) {
            CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified,
                                 guessRight(requestCode("ada@example.org"), rule("2/1h")).outcome);
        }
        spendTheBudget(rule("2/1h"), 2);
    }

    void countsNoGuessAtADeadCodeAgainstTheBudget() {
        const Uuid used = requestAnotherCode("ada@example.org");
        const Uuid exhausted = requestAnotherCode("ada@example.org", 1);
        guessRight(used, rule("2/1d"));
        for (int i = 0; i < 5; ++i) guessWrong(used, rule("2/1d"));
        for (int i = 0; i < 5; ++i) guessWrong(exhausted, rule("2/1d"));
        clock_.advance(kLifetime);
        for (int i = 0; i < 5; ++i) guessWrong(exhausted, rule("2/1d"));
        const Uuid alive = requestCode("ada@example.org");
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::WrongCode, guessWrong(alive, rule("2/1d")).outcome);
        assertOutcome(VerifyOutcome::BudgetExhausted, guessWrong(alive, rule("2/1d")));
    }

    void keepsNoBudgetWhereThereIsNone() {
        for (int codes = 0; codes < 10; ++codes) {
            const Uuid code = requestCode("ada@example.org");
            for (int i = 0; i < 3; ++i) CPPUNIT_ASSERT_EQUAL(VerifyOutcome::WrongCode, guessWrong(code).outcome);
        }
        // One row, for the wrong guesses in a row: see domain/short_codes.h.
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, Base::countGuessBuckets("ada@example.org"));
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, guessRight(requestCode("ada@example.org")).outcome);
    }
};

REGISTER_ON_BOTH_ENGINES(OtpStoreBudgetTest);

}  // namespace otp_store_budget_test
}  // namespace otpgate::test
