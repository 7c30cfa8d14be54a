#include "otpgate/base/clock.h"

#include "support_cpp/fake_clock.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate {
namespace clock_test {

using std::chrono::microseconds;
using std::chrono::seconds;

class ClockTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(ClockTest);
    CPPUNIT_TEST(writesRfc3339InUtc);
    CPPUNIT_TEST(cutsFractionsOfASecond);
    CPPUNIT_TEST(writesLeapDaysAndTheLastSecondOfADay);
    CPPUNIT_TEST(writesTimesBefore1970);
    CPPUNIT_TEST(readsRfc3339WithAnyOffset);
    CPPUNIT_TEST(readsATimeAsTheSpanThatItNames);
    CPPUNIT_TEST(readsADateAsItsWholeDay);
    CPPUNIT_TEST(refusesWhatIsNoTime);
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

    void readsRfc3339WithAnyOffset() {
        for (const char* text :
             {"2026-11-20T05:12:00Z", "2026-11-20t05:12:00z", "2026-11-20 05:12:00Z", "2026-11-20T07:12:00+02:00",
              "2026-11-19T19:42:00-09:30", "2026-11-20T05:12:00.000Z"}) {
            const auto span = parseRfc3339(text);
            CPPUNIT_ASSERT_MESSAGE(text, span.has_value());
            CPPUNIT_ASSERT_MESSAGE(text, span->begin == test::FakeClock().now());
        }
    }

    void readsATimeAsTheSpanThatItNames() {
        CPPUNIT_ASSERT(parseRfc3339("1970-01-01T00:00:01Z")->end == Timestamp{seconds{2}});
        const auto fraction = parseRfc3339("1970-01-01T00:00:00.25Z").value();
        CPPUNIT_ASSERT(fraction.begin == Timestamp{microseconds{250'000}});
        CPPUNIT_ASSERT(fraction.end == Timestamp{microseconds{260'000}});
        const auto fine = parseRfc3339("1970-01-01T00:00:00.1234567891234567891234Z").value();
        CPPUNIT_ASSERT(fine.begin == Timestamp{microseconds{123'456}});
        CPPUNIT_ASSERT(fine.end == Timestamp{microseconds{123'457}});
    }

    void readsADateAsItsWholeDay() {
        const auto day = parseDateOrTime("2024-02-29").value();
        CPPUNIT_ASSERT_EQUAL(std::string("2024-02-29T00:00:00Z"), formatRfc3339(day.begin));
        CPPUNIT_ASSERT_EQUAL(std::string("2024-03-01T00:00:00Z"), formatRfc3339(day.end));
        CPPUNIT_ASSERT(parseDateOrTime("2026-11-20T05:12:00Z")->begin == test::FakeClock().now());
    }

    void refusesWhatIsNoTime() {
        for (const char* text : {"",
                                 "2026",
                                 "2026-11",
                                 "2026-13-01",
                                 "2026-02-29",
                                 "2026-00-10",
                                 "2026-1-1",
                                 "26-11-20",
                                 "2026-11-20T",
                                 "2026-11-20T05:12Z",
                                 "2026-11-20T05:12:00",
                                 "2026-11-20T24:00:00Z",
                                 "2026-11-20T05:60:00Z",
                                 "2026-11-20T05:12:00.Z",
                                 "2026-11-20T05:12:00+2:00",
                                 "2026-11-20T05:12:00+0200",
                                 "2026-11-20T05:12:00Zx",
                                 " 2026-11-20",
                                 "2026-11-20 ",
                                 "yesterday",
                                 "-026-11-20",
                                 "2026-11-20T05:12:00+24:00"}) {
            CPPUNIT_ASSERT_MESSAGE(text, !parseDateOrTime(text));
        }
        CPPUNIT_ASSERT(!parseRfc3339("2026-11-20"));
    }

    void countsMicrosecondsBothWays() {
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1'500'000}, toMicroseconds(Timestamp{microseconds{1'500'000}}));
        CPPUNIT_ASSERT(fromMicroseconds(-7) == Timestamp{microseconds{-7}});
    }

    void readsTheSystemClock() {
        const Timestamp before{seconds{1'700'000'000}};  // of 2023
        const SystemClock clock;
        CPPUNIT_ASSERT(clock.now() > before);
        const Timestamp first = clock.now();
        const Timestamp second = clock.now();
        CPPUNIT_ASSERT(first <= second);
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ClockTest);

}  // namespace clock_test
}  // namespace otpgate
