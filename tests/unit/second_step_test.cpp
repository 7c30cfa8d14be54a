// The token between the two steps of a sign-in.
#include "otpgate/domain/second_step.h"

#include "otpgate/domain/limits.h"
#include "support_cpp/counting_random.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::domain {
namespace second_step_test {

using namespace std::chrono_literals;

class SecondStepTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(SecondStepTest);
    CPPUNIT_TEST(readsBackWhatItSays);
    CPPUNIT_TEST(isNoLongerGoodThanItSays);
    CPPUNIT_TEST(isNobodyElses);
    CPPUNIT_TEST_SUITE_END();

    PendingStep step(const std::string& methods = "pwd otp") {
        return {Uuid::makeV7(now_, random_),
                {Uuid::makeV7(now_, random_), methods, limitBucket("guess", "ann@example.org")},
                now_ + kSecondStepLifetime};
    }

    void readsBackWhatItSays() {
        for (const char* methods : {"otp", "pwd otp"}) {
            const PendingStep said = step(methods);
            const auto read = parseSecondStepToken(ring_, makeSecondStepToken(ring_, said), now_);
            CPPUNIT_ASSERT(read && read->id == said.id && read->first.userId == said.first.userId);
            CPPUNIT_ASSERT_EQUAL(said.first.methods, read->first.methods);
            CPPUNIT_ASSERT_EQUAL(said.first.guessBucket, read->first.guessBucket);
            CPPUNIT_ASSERT(read->expiresAt == said.expiresAt);
        }
        CPPUNIT_ASSERT_THROW(makeSecondStepToken(ring_, step(std::string(25, 'x'))), std::logic_error);
    }

    void isNoLongerGoodThanItSays() {
        const std::string token = makeSecondStepToken(ring_, step());
        CPPUNIT_ASSERT(parseSecondStepToken(ring_, token, now_ + kSecondStepLifetime - 1us));
        CPPUNIT_ASSERT(!parseSecondStepToken(ring_, token, now_ + kSecondStepLifetime));
    }

    void isNobodyElses() {
        std::string token = makeSecondStepToken(ring_, step());
        CPPUNIT_ASSERT(!parseSecondStepToken(ring_, "", now_) && !parseSecondStepToken(ring_, token + "A", now_));
        token[3] = token[3] == 'A' ? 'B' : 'A';
        CPPUNIT_ASSERT(!parseSecondStepToken(ring_, token, now_));
    }

    const Timestamp now_ = fromMicroseconds(1'700'000'000'000'000);
    test::CountingRandom random_;
    const crypto::KeyRing ring_ = crypto::KeyRing::parse(
        "otpgate1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n", "master.key");
};

CPPUNIT_TEST_SUITE_REGISTRATION(SecondStepTest);

}  // namespace second_step_test
}  // namespace otpgate::domain
