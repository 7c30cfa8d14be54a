// Guesses that go together while somebody else holds the row of one user for long: nobody waits for it but who needs
// it.
#include "contract/otp_store_test.h"

#include <latch>

namespace otpgate::test {
namespace otp_store_lock_test {

using namespace std::chrono_literals;
using domain::Guess;

class OtpStoreLockTest : public OtpStoreTest<OtpStoreLockTest, MysqlEngine> {
    CPPUNIT_TEST_SUITE(OtpStoreLockTest);
    CPPUNIT_TEST(letsNobodyWaitForTheRowOfAnotherUser);
    CPPUNIT_TEST_SUITE_END();

    static std::string address(std::size_t user) { return "user" + std::to_string(user) + "@example.org"; }

    void letsNobodyWaitForTheRowOfAnotherUser() {
        for (std::size_t i = 0; i < kThreads; ++i) {
            CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, guessRight(requestCode(address(i))).outcome);
        }
        for (int round = 0; round < 5; ++round) {
            std::vector<domain::OtpVerification> guesses;
            for (std::size_t i = 0; i < kThreads; ++i) {
                guesses.push_back(newGuess(requestCode(address(i)), Guess::Right, rule("10/1h")));
            }
            std::latch isLocked(1);
            std::latch othersAreIn(kThreads - 1);
            std::chrono::steady_clock::duration othersTook{};
            std::vector<VerifyOutcome> outcomes(kThreads, VerifyOutcome::Unknown);
            onThreads(kThreads + 1, [&](db::Connection& connection, std::size_t i) {
                if (i < kThreads) {
                    isLocked.wait();
                    outcomes[i] = store::makeOtpStore(connection, &groups())->verify(guesses[i]).outcome;
                    if (i > 0) othersAreIn.count_down();
                    return;
                }
                connection.transact([&] {
                    connection.query("SELECT id FROM users WHERE email = ? FOR UPDATE", {address(0)});
                    const auto begin = std::chrono::steady_clock::now();
                    isLocked.count_down();
                    othersAreIn.wait();
                    othersTook = std::chrono::steady_clock::now() - begin;
                });
            });
            for (const VerifyOutcome outcome : outcomes) CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, outcome);
            CPPUNIT_ASSERT(othersTook < 800ms);  // a lock wait ends after a second
        }
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(OtpStoreLockTest);

}  // namespace otp_store_lock_test
}  // namespace otpgate::test
