// Sixteen threads at once, half of them in groups and half alone, as of two processes: limits, attempts and single use
// are exact, and nobody is turned away by an error.
#include "contract/otp_store_test.h"

#include <array>
#include <atomic>
#include <map>
#include <mutex>

namespace otpgate::test {
namespace otp_store_race_test {

using namespace std::chrono_literals;
using domain::Guess;

template <class Engine>
class OtpStoreRaceTest : public OtpStoreTest<OtpStoreRaceTest<Engine>, Engine> {
    using Base = OtpStoreTest<OtpStoreRaceTest<Engine>, Engine>;
    using Base::connection_;
    using Base::count;
    using Base::guessRight;
    using Base::kThreads;
    using Base::newGuess;
    using Base::newRequest;
    using Base::now;
    using Base::onSixteenThreads;
    using Base::requestAnotherCode;
    using Base::requestCode;

    CPPUNIT_TEST_SUITE(OtpStoreRaceTest);
    CPPUNIT_TEST(letsExactlyOneOfSixteenRightAnswersWin);
    CPPUNIT_TEST(acceptsExactlyFiveOfFortyRequestsForADestination);
    CPPUNIT_TEST(acceptsExactlyThirtyOfEightyRequestsOfAClient);
    CPPUNIT_TEST(leavesOneOfManyCodesAlive);
    CPPUNIT_TEST(countsExactlyThreeOfFortyWrongGuessesAtACode);
    CPPUNIT_TEST(countsExactlyTenOfAHundredWrongGuessesAtADestination);
    CPPUNIT_TEST(neverCreatesTwoUsersForOneAddress);
    CPPUNIT_TEST(createsEveryUserOfSixteenNewAddresses);
    CPPUNIT_TEST_SUITE_END();

    // How often each outcome came, over all threads.
    template <typename Outcome>
    class Tally {
    public:
        void add(Outcome outcome) {
            const std::lock_guard lock(mutex_);
            ++counts_[outcome];
        }
        int of(Outcome outcome) const {
            const auto found = counts_.find(outcome);
            return found == counts_.end() ? 0 : found->second;
        }

    private:
        std::mutex mutex_;
        std::map<Outcome, int> counts_;
    };

    // Runs work(store, i) for each i below `jobs`, spread over the threads as they are free.
    template <typename Work>
    void share(std::size_t jobs, Work work) {
        std::atomic<std::size_t> next{0};
        onSixteenThreads([&](db::Connection& connection, std::size_t thread) {
            const auto store = store::makeOtpStore(connection, Base::groupsOf(thread));
            for (std::size_t job = next++; job < jobs; job = next++) {
                Base::clock_.advance(1us);  // as in life: no two times are the same, and they come out of order
                work(*store, job);
            }
        });
    }

    void letsExactlyOneOfSixteenRightAnswersWin() {
        for (int round = 0; round < 5; ++round) {
            const Uuid code = requestCode("user" + std::to_string(round) + "@example.org");
            Tally<VerifyOutcome> tally;
            share(kThreads, [&](domain::OtpStore& store, std::size_t) {
                tally.add(store.verify(newGuess(code, Guess::Right, rule("10/1h,20/1d"))).outcome);
            });
            CPPUNIT_ASSERT_EQUAL(1, tally.of(VerifyOutcome::Verified));
            CPPUNIT_ASSERT_EQUAL(15, tally.of(VerifyOutcome::Used));
        }
        CPPUNIT_ASSERT_EQUAL(std::int64_t{5}, count("sessions"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{5}, count("audit_events WHERE event = 'LOGIN_SUCCEEDED'"));
    }

    void acceptsExactlyFiveOfFortyRequestsForADestination() {
        Tally<RequestOutcome> tally;
        share(40, [&](domain::OtpStore& store, std::size_t) {
            auto request = newRequest("ada@example.org");
            request.destinationRule = rule("5/1h");
            request.clientRule = rule("30/1h");
            tally.add(store.request(request).outcome);
        });
        CPPUNIT_ASSERT_EQUAL(5, tally.of(RequestOutcome::Accepted));
        CPPUNIT_ASSERT_EQUAL(35, tally.of(RequestOutcome::DestinationLimited));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{5}, count("otp_requests"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{5}, count("outbox"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{5}, count("audit_events WHERE event = 'OTP_REQUESTED'"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("audit_events WHERE event = 'OTP_RATE_LIMITED'"));
    }

    void acceptsExactlyThirtyOfEightyRequestsOfAClient() {
        Tally<RequestOutcome> tally;
        share(80, [&](domain::OtpStore& store, std::size_t job) {
            // Every address is asked for twice and may be accepted once.
            auto request = newRequest("user" + std::to_string(job / 2) + "@example.org");
            request.destinationRule = rule("1/1h");
            request.clientRule = rule("30/1h");
            tally.add(store.request(request).outcome);
        });
        CPPUNIT_ASSERT_EQUAL(30, tally.of(RequestOutcome::Accepted));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{30}, count("otp_requests"));
    }

    void leavesOneOfManyCodesAlive() {
        share(40, [&](domain::OtpStore& store, std::size_t) {
            auto request = newRequest("ada@example.org");
            request.destinationRule = rule("1000/1h");
            store.request(request);
        });
        CPPUNIT_ASSERT_EQUAL(std::int64_t{40}, count("otp_requests"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("otp_requests WHERE expires_at_us > ?", {now()}));
    }

    void countsExactlyThreeOfFortyWrongGuessesAtACode() {
        const Uuid code = requestCode("ada@example.org");
        Tally<VerifyOutcome> tally;
        share(40, [&](domain::OtpStore& store, std::size_t) {
            tally.add(store.verify(newGuess(code, Guess::Wrong, rule("10/1h"))).outcome);
        });
        CPPUNIT_ASSERT_EQUAL(3, tally.of(VerifyOutcome::WrongCode));
        CPPUNIT_ASSERT_EQUAL(37, tally.of(VerifyOutcome::AttemptsExhausted));
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::AttemptsExhausted, guessRight(code).outcome);
    }

    void countsExactlyTenOfAHundredWrongGuessesAtADestination() {
        std::vector<Uuid> codes;
        codes.reserve(10);
        for (int i = 0; i < 10; ++i) codes.push_back(requestAnotherCode("ada@example.org", 100));
        Tally<VerifyOutcome> tally;
        share(100, [&](domain::OtpStore& store, std::size_t job) {
            tally.add(store.verify(newGuess(codes[job % 10], Guess::Wrong, rule("10/1h,20/1d"))).outcome);
        });
        CPPUNIT_ASSERT_EQUAL(10, tally.of(VerifyOutcome::WrongCode));
        CPPUNIT_ASSERT_EQUAL(90, tally.of(VerifyOutcome::BudgetExhausted));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{10},
                             connection_->queryOne("SELECT SUM(attempts) FROM otp_requests").value().integer(0));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{10}, count("audit_events WHERE event = 'OTP_FAILED'"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("audit_events WHERE event = 'OTP_LOCKED'"));
    }

    void neverCreatesTwoUsersForOneAddress() {
        constexpr std::int64_t kRounds = 10;
        for (std::int64_t round = 0; round < kRounds; ++round) {
            const std::string address = round % 2 == 0 ? "user" + std::to_string(round) + "@example.org"
                                                       : "+4366000000" + std::to_string(round);
            const std::array<Uuid, 2> codes{requestAnotherCode(address), requestAnotherCode(address)};
            Tally<VerifyOutcome> tally;
            std::atomic<int> newUsers{0};
            share(kThreads, [&](domain::OtpStore& store, std::size_t job) {
                const auto result = store.verify(newGuess(codes[job % 2], Guess::Right, rule("10/1h")));
                tally.add(result.outcome);
                if (result.signIn && result.signIn->isNewUser) ++newUsers;
            });
            CPPUNIT_ASSERT_EQUAL(2, tally.of(VerifyOutcome::Verified));
            CPPUNIT_ASSERT_EQUAL(14, tally.of(VerifyOutcome::Used));
            CPPUNIT_ASSERT_EQUAL(1, newUsers.load());
        }
        CPPUNIT_ASSERT_EQUAL(kRounds, count("users"));
        CPPUNIT_ASSERT_EQUAL(kRounds, count("audit_events WHERE event = 'USER_REGISTERED'"));
        CPPUNIT_ASSERT_EQUAL(2 * kRounds, count("sessions JOIN users ON users.id = sessions.user_id"));
    }

    void createsEveryUserOfSixteenNewAddresses() {
        for (int round = 0; round < 5; ++round) {
            std::vector<Uuid> codes;
            codes.reserve(kThreads);
            for (std::size_t i = 0; i < kThreads; ++i) {
                codes.push_back(
                    requestCode("user" + std::to_string(i) + "@round" + std::to_string(round) + ".example.org"));
            }
            Tally<VerifyOutcome> tally;
            share(kThreads, [&](domain::OtpStore& store, std::size_t job) {
                tally.add(store.verify(newGuess(codes[job], Guess::Right)).outcome);
            });
            CPPUNIT_ASSERT_EQUAL(16, tally.of(VerifyOutcome::Verified));
        }
        CPPUNIT_ASSERT_EQUAL(std::int64_t{80}, count("users"));
    }
};

REGISTER_ON_BOTH_ENGINES(OtpStoreRaceTest);

}  // namespace otp_store_race_test
}  // namespace otpgate::test
