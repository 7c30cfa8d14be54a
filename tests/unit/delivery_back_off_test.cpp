#include "delivery/courier/back_off.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <climits>

namespace otpgate::delivery {
namespace delivery_back_off_test {

using std::chrono::milliseconds;

class BackOffTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(BackOffTest);
    CPPUNIT_TEST(doublesFromTwoSecondsToAMinute);
    CPPUNIT_TEST(takesUpToAQuarterOff);
    CPPUNIT_TEST_SUITE_END();

    void doublesFromTwoSecondsToAMinute() {
        CPPUNIT_ASSERT(backOff(0, 0) == milliseconds(2000));
        CPPUNIT_ASSERT(backOff(1, 0) == milliseconds(4000));
        CPPUNIT_ASSERT(backOff(2, 0) == milliseconds(8000));
        CPPUNIT_ASSERT(backOff(3, 0) == milliseconds(16000));
        CPPUNIT_ASSERT(backOff(4, 0) == milliseconds(32000));
        CPPUNIT_ASSERT(backOff(5, 0) == milliseconds(60000));
        CPPUNIT_ASSERT(backOff(6, 0) == milliseconds(60000));
        CPPUNIT_ASSERT(backOff(UINT_MAX, 0) == milliseconds(60000));
    }

    void takesUpToAQuarterOff() {
        CPPUNIT_ASSERT(backOff(0, 65535) == milliseconds(1500));
        CPPUNIT_ASSERT(backOff(5, 65535) == milliseconds(45000));
        CPPUNIT_ASSERT(backOff(0, 32768) > milliseconds(1500));
        CPPUNIT_ASSERT(backOff(0, 32768) < milliseconds(2000));
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(BackOffTest);

}  // namespace delivery_back_off_test
}  // namespace otpgate::delivery
