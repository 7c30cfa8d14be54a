#include "otpgate/base/clock.h"

#include "support_cpp/fake_clock.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

class ClockTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(ClockTest);
    CPPUNIT_TEST(writesRfc3339InUtc);
    CPPUNIT_TEST(cutsFractionsOfASecond);
    CPPUNIT_TEST(writesLeapDaysAndTheLastSecondOfADay);
    CPPUNIT_TEST(writesTimesBefore1970);
    CPPUNIT_TEST(countsMicrosecondsBothWays);
    CPPUNIT_TEST(readsTheSystemClock);
    CPPUNIT_TEST_SUITE_END();

    void writesRfc3339InUtc() {
        CPPUNIT_ASSERT_EQUAL(std::string("1970-01-01T00:00:00Z"), formatRfc3339(Timestamp{}));
        CPPUNIT_ASSERT_EQUAL(std::string("2026-11-20T05:12:00Z"), formatRfc3339(test::FakeClock().now()));
    }

    void cutsFractionsOfASecond() {
        CPPUNIT_ASSERT_EQUAL(std::string("1970-01-01T00:00:01Z"), formatRfc3339(Timestamp{microseconds{1'999'999}}));
    }

    void writesLeapDaysAndTheLastSecondOfADay() {
        CPPUNIT_ASSERT_EQUAL(std::string("2024-02-29T23:59:59Z"), formatRfc3339(Timestamp{seconds{1'709'251'199}}));
        CPPUNIT_ASSERT_EQUAL(std::string("2024-03-01T00:00:00Z"), formatRfc3339(Timestamp{seconds{1'709'251'200}}));
    }

    void writesTimesBefore1970() {
        CPPUNIT_ASSERT_EQUAL(std::string("1969-12-31T23:59:59Z"), formatRfc3339(Timestamp{microseconds{-1}}));
    }

    void countsMicrosecondsBothWays() {
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1'500'000}, toMicroseconds(Timestamp{microseconds{1'500'000}}));
        CPPUNIT_ASSERT(fromMicroseconds(-7) == Timestamp{microseconds{-7}});
    }

    void readsTheSystemClock() {
        const Timestamp before{seconds{1'700'000'000}};  // of 2023
        const SystemClock clock;
        CPPUNIT_ASSERT(clock.now() > before);
        CPPUNIT_ASSERT(clock.now() <= clock.now());
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ClockTest);

}  // namespace
}  // namespace otpgate
