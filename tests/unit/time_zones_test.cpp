#include "otpgate/base/time_zones.h"

#include <cppunit/extensions/HelperMacros.h>

namespace otpgate {
namespace time_zones_test {

using namespace std::chrono_literals;

class TimeZonesTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(TimeZonesTest);
    CPPUNIT_TEST(tellsTheTimeOfAZone);
    CPPUNIT_TEST(tellsSummerTime);
    CPPUNIT_TEST(tellsOffsetsThatAreNoWholeHours);
    CPPUNIT_TEST(tellsUtcWhereThereIsNoSuchZone);
    CPPUNIT_TEST_SUITE_END();

    static std::string told(int month, int day, const std::string& zone) {
        const auto date = std::chrono::sys_days{std::chrono::year{2026} / month / day};
        return toLocalMinutes(Timestamp{date} + 23h + 15min + 59s, zone);
    }

    void tellsTheTimeOfAZone() {
        CPPUNIT_ASSERT_EQUAL(std::string{"2026-11-21 00:15 UTC+1"}, told(11, 20, "Europe/Berlin"));
        CPPUNIT_ASSERT_EQUAL(std::string{"2026-11-20 20:15 UTC-3"}, told(11, 20, "America/Sao_Paulo"));
        CPPUNIT_ASSERT_EQUAL(std::string{"2026-11-20 23:15 UTC"}, told(11, 20, "Europe/London"));
    }

    void tellsSummerTime() {
        CPPUNIT_ASSERT_EQUAL(std::string{"2026-07-02 01:15 UTC+2"}, told(7, 1, "Europe/Berlin"));
        CPPUNIT_ASSERT_EQUAL(std::string{"2026-07-02 00:15 UTC+1"}, told(7, 1, "Europe/London"));
    }

    void tellsOffsetsThatAreNoWholeHours() {
        CPPUNIT_ASSERT_EQUAL(std::string{"2026-11-21 05:00 UTC+5:45"}, told(11, 20, "Asia/Kathmandu"));
        CPPUNIT_ASSERT_EQUAL(std::string{"2026-11-20 13:45 UTC-9:30"}, told(11, 20, "Pacific/Marquesas"));
    }

    void tellsUtcWhereThereIsNoSuchZone() {
        for (const char* name : {"", "Europe/Nowhere", "../../etc/passwd", "+"}) {
            CPPUNIT_ASSERT_EQUAL(std::string{"2026-11-20 23:15 UTC"}, told(11, 20, name));
        }
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(TimeZonesTest);

}  // namespace time_zones_test
}  // namespace otpgate
