// Proof of work: what is asked, what solves it, and what does not.
#include "otpgate/domain/work_challenge.h"

#include "otpgate/base/encoding.h"
#include "otpgate/crypto/hash.h"
#include "support_cpp/counting_random.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <string>

namespace otpgate::domain {
namespace work_challenge_test {

using namespace std::chrono_literals;

constexpr unsigned kSteps = 50;
constexpr std::string_view kSubject = "login\nann@example.org\n192.0.2.7";

WorkSolution solve(const WorkChallenge& challenge) {
    for (std::uint64_t number = 0; number <= challenge.steps; ++number) {
        if (toHex(crypto::sha256(challenge.salt + std::to_string(number))) == challenge.challenge)
            return {challenge.challenge, challenge.salt, challenge.signature, number};
    }
    CPPUNIT_FAIL("no number solves it");
    return {};
}

class WorkChallengeTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(WorkChallengeTest);
    CPPUNIT_TEST(asksInTheFormOfAltcha);
    CPPUNIT_TEST(takesItsSolutionInTime);
    CPPUNIT_TEST(isForOneSubject);
    CPPUNIT_TEST(takesNothingElse);
    CPPUNIT_TEST(takesNoDigitOfItsTimeForOneOfTheNumber);
    CPPUNIT_TEST(isSpentUnderANameOfItsOwn);
    CPPUNIT_TEST(takesWhatAnOlderMasterKeyAsked);
    CPPUNIT_TEST_SUITE_END();

    WorkChallenge make() { return makeWorkChallenge(ring_, kSubject, kSteps, now_, random_); }
    bool isTaken(const WorkSolution& solution, std::string_view subject = kSubject) {
        return solvedWork(ring_, subject, solution, now_).has_value();
    }

    void asksInTheFormOfAltcha() {
        const WorkChallenge made = make();
        CPPUNIT_ASSERT_EQUAL(R"({"algorithm":"SHA-256","challenge":")" + made.challenge +
                                 R"(","maxnumber":50,"salt":")" + made.salt + R"(","signature":")" + made.signature +
                                 R"("})",
                             made.toJson());
        CPPUNIT_ASSERT(made.challenge.size() == 64 && made.signature.size() == 64);
        CPPUNIT_ASSERT(made.salt.find("?expires=1795180500&") == 24 && made.salt.ends_with('&'));
        CPPUNIT_ASSERT(make().salt != made.salt);
    }

    void takesItsSolutionInTime() {
        const auto solution = solve(make());
        CPPUNIT_ASSERT(isTaken(solution));
        CPPUNIT_ASSERT(solvedWork(ring_, kSubject, solution, now_ + kWorkFor - 1s));
        CPPUNIT_ASSERT(!solvedWork(ring_, kSubject, solution, now_ + kWorkFor));
    }

    void isForOneSubject() {
        const auto solution = solve(make());
        for (const char* subject : {"reset\nann@example.org\n192.0.2.7", "login\nbob@example.org\n192.0.2.7",
                                    "login\nann@example.org\n192.0.2.8", ""}) {
            CPPUNIT_ASSERT_MESSAGE(subject, !isTaken(solution, subject));
        }
    }

    void takesNothingElse() {
        const auto right = solve(make());
        auto wrong = right;
        ++wrong.number;
        CPPUNIT_ASSERT(!isTaken(wrong));
        wrong = right;
        wrong.signature.back() = wrong.signature.back() == '0' ? '1' : '0';
        CPPUNIT_ASSERT(!isTaken(wrong));
        // One's own challenge, that costs nothing.
        wrong = right;
        wrong.challenge = toHex(crypto::sha256(wrong.salt + "0"));
        wrong.number = 0;
        CPPUNIT_ASSERT(!isTaken(wrong));
        CPPUNIT_ASSERT(!isTaken({}));
    }

    // The same hash, and a time that never comes.
    void takesNoDigitOfItsTimeForOneOfTheNumber() {
        auto solution = solve(make());
        solution.salt.pop_back();
        CPPUNIT_ASSERT(!isTaken(solution));
        auto longer = solve(make());
        longer.salt += std::to_string(longer.number);
        longer.number = 0;
        CPPUNIT_ASSERT(!isTaken(longer));
    }

    void isSpentUnderANameOfItsOwn() {
        const auto one = solve(make());
        const auto other = solve(make());
        const auto bucket = solvedWork(ring_, kSubject, one, now_);
        CPPUNIT_ASSERT(bucket && bucket->size() == 16);
        CPPUNIT_ASSERT(bucket == solvedWork(ring_, kSubject, one, now_) &&
                       bucket != solvedWork(ring_, kSubject, other, now_));
    }

    void takesWhatAnOlderMasterKeyAsked() {
        const auto solution = solve(make());
        const std::string newer = "otpgate1:" + std::string(64, 'a') + "\n";
        CPPUNIT_ASSERT(solvedWork(crypto::KeyRing::parse(newer + key_, "k"), kSubject, solution, now_));
        CPPUNIT_ASSERT(!solvedWork(crypto::KeyRing::parse(newer, "k"), kSubject, solution, now_));
    }

    const std::string key_ = "otpgate1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
    const crypto::KeyRing ring_ = crypto::KeyRing::parse(key_, "master.key");
    test::CountingRandom random_;
    const Timestamp now_ = parseRfc3339("2026-11-20T13:05:00Z").value().begin;
};

CPPUNIT_TEST_SUITE_REGISTRATION(WorkChallengeTest);

}  // namespace work_challenge_test
}  // namespace otpgate::domain
