#include "otpgate/domain/short_codes.h"

#include "otpgate/domain/limits.h"
#include "support_cpp/fake_clock.h"

#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::domain {
namespace short_codes_test {

using namespace std::chrono_literals;

class ShortCodesTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(ShortCodesTest);
    CPPUNIT_TEST(sendsWhatTheSettingSays);
    CPPUNIT_TEST(sendsLinksForSignInsByMailAlone);
    CPPUNIT_TEST(sendsALinkAfterTooManyFailuresWhateverTheSetting);
    CPPUNIT_TEST(leavesCodesAloneThatLetNobodyIn);
    CPPUNIT_TEST(takesShortCodesWhereOneIsSent);
    CPPUNIT_TEST(remembersFailuresForAYearAndForgetsThemAtASuccess);
    CPPUNIT_TEST_SUITE_END();

    static Means sent(LinkUse use, unsigned failures = 0, Purpose purpose = Purpose::Login,
                      Channel channel = Channel::Email) {
        return meansOf(use, purpose, channel, failures);
    }

    void sendsWhatTheSettingSays() {
        CPPUNIT_ASSERT_EQUAL(Means::Code, sent(LinkUse::Off));
        CPPUNIT_ASSERT_EQUAL(Means::CodeAndLink, sent(LinkUse::Beside));
        CPPUNIT_ASSERT_EQUAL(Means::Link, sent(LinkUse::Instead));
    }

    void sendsLinksForSignInsByMailAlone() {
        for (const LinkUse use : {LinkUse::Beside, LinkUse::Instead}) {
            CPPUNIT_ASSERT_EQUAL(Means::Code, sent(use, 0, Purpose::Reset));
            CPPUNIT_ASSERT_EQUAL(Means::Code, sent(use, 0, Purpose::Login, Channel::Sms));
        }
    }

    void sendsALinkAfterTooManyFailuresWhateverTheSetting() {
        CPPUNIT_ASSERT_EQUAL(Means::Code, sent(LinkUse::Off, kMostFailures - 1));
        for (const LinkUse use : {LinkUse::Off, LinkUse::Beside, LinkUse::Instead}) {
            for (const Channel channel : {Channel::Email, Channel::Sms}) {
                for (const Purpose purpose : {Purpose::Login, Purpose::Reset}) {
                    CPPUNIT_ASSERT_EQUAL(Means::Link, sent(use, kMostFailures, purpose, channel));
                }
            }
        }
    }

    void leavesCodesAloneThatLetNobodyIn() {
        for (const Purpose purpose : {Purpose::Register, Purpose::Verify, Purpose::Change}) {
            CPPUNIT_ASSERT(!letsIn(purpose));
            CPPUNIT_ASSERT_EQUAL(Means::Code, sent(LinkUse::Instead, kMostFailures, purpose));
        }
    }

    void takesShortCodesWhereOneIsSent() {
        CPPUNIT_ASSERT(takesShortCodes(LinkUse::Beside, Purpose::Login, Channel::Email, kMostFailures - 1));
        CPPUNIT_ASSERT(!takesShortCodes(LinkUse::Beside, Purpose::Login, Channel::Email, kMostFailures));
        CPPUNIT_ASSERT(!takesShortCodes(LinkUse::Instead, Purpose::Login, Channel::Email, 0));
        CPPUNIT_ASSERT(takesShortCodes(LinkUse::Instead, Purpose::Login, Channel::Sms, 0));
    }

    void remembersFailuresForAYearAndForgetsThemAtASuccess() {
        const Timestamp now = test::FakeClock{}.now();
        Bucket bucket("", now + 1h, {}, 41);
        bucket.fail(now);
        bucket.fail(now);
        CPPUNIT_ASSERT_EQUAL(43U, bucket.failures());
        CPPUNIT_ASSERT(bucket.expiresAt() >= now + std::chrono::days{365});
        bucket.takeBackFailure();
        CPPUNIT_ASSERT_EQUAL(42U, bucket.failures());

        bucket.succeed(now, 24h);
        CPPUNIT_ASSERT_EQUAL(0U, bucket.failures());
        CPPUNIT_ASSERT(bucket.expiresAt() == now + 24h);
        bucket.takeBackFailure();
        CPPUNIT_ASSERT_EQUAL(0U, bucket.failures());

        bucket.succeed(now + 1h, 24h);
        CPPUNIT_ASSERT(bucket.expiresAt() == now + 24h);
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ShortCodesTest);

}  // namespace short_codes_test
}  // namespace otpgate::domain
