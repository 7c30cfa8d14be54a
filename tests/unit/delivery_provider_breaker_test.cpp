#include "delivery/courier/provider_breaker.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <chrono>

namespace otpgate::delivery {
namespace delivery_provider_breaker_test {

using std::chrono::seconds;
using Outcome = SendResult::Outcome;
using Cause = SendResult::Cause;

class ProviderBreakerTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(ProviderBreakerTest);
    CPPUNIT_TEST(opensAtTheThirdFailureOfTheProviderInARow);
    CPPUNIT_TEST(closesWithAnythingThatTheProviderAnswers);
    CPPUNIT_TEST(doesNotCountWhatIsTheMessagesFault);
    CPPUNIT_TEST(restsAsLongAsTheProviderAsksForWithinALimit);
    CPPUNIT_TEST_SUITE_END();

    ProviderBreaker breaker_;
    const Timestamp now_ = fromMicroseconds(1'795'162'500'000'000);

    void fail(Cause cause, std::optional<seconds> retryAfter = std::nullopt) {
        SendResult result{Outcome::TryLater, "busy", cause};
        result.retryAfter = retryAfter;
        breaker_.note(result, now_);
    }

    void opensAtTheThirdFailureOfTheProviderInARow() {
        for (int i = 0; i < 2; ++i) fail(Cause::Provider);
        CPPUNIT_ASSERT(breaker_.hasJustFailed() && !breaker_.isOpen(now_) && !breaker_.wantsOneAtATime());
        fail(Cause::Provider);
        CPPUNIT_ASSERT(breaker_.isOpen(now_) && breaker_.wantsOneAtATime());
        CPPUNIT_ASSERT(!breaker_.restReason(now_));
    }

    void closesWithAnythingThatTheProviderAnswers() {
        for (const Outcome outcome : {Outcome::Sent, Outcome::Refused}) {
            for (int i = 0; i < 3; ++i) fail(Cause::Provider);
            breaker_.note({outcome, ""}, now_);
            CPPUNIT_ASSERT(!breaker_.hasJustFailed() && !breaker_.isOpen(now_));
        }
    }

    void doesNotCountWhatIsTheMessagesFault() {
        for (int i = 0; i < 2; ++i) fail(Cause::Provider);
        fail(Cause::Message);
        fail(Cause::Provider);
        CPPUNIT_ASSERT(!breaker_.isOpen(now_));
    }

    void restsAsLongAsTheProviderAsksForWithinALimit() {
        fail(Cause::Message, seconds(30));
        CPPUNIT_ASSERT(breaker_.restReason(now_) == "busy" && breaker_.isOpen(now_));
        CPPUNIT_ASSERT(!breaker_.wantsOneAtATime());
        CPPUNIT_ASSERT(!breaker_.restReason(now_ + seconds(30)) && !breaker_.isOpen(now_ + seconds(30)));
        fail(Cause::Message, seconds(86400));
        CPPUNIT_ASSERT(breaker_.restUntil() == now_ + seconds(300));
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ProviderBreakerTest);

}  // namespace delivery_provider_breaker_test
}  // namespace otpgate::delivery
