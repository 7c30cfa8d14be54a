#include "support_cpp/watchdog.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <atomic>
#include <future>

namespace otpgate::test {
namespace watchdog_test {

using namespace std::chrono_literals;

class WatchdogTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(WatchdogTest);
    CPPUNIT_TEST(namesTheTestThatDoesNotEnd);
    CPPUNIT_TEST(saysNothingOfATestThatEnds);
    CPPUNIT_TEST_SUITE_END();

    void namesTheTestThatDoesNotEnd() {
        std::promise<std::string> barked;
        Watchdog watchdog(1ms, [&barked](const std::string& test) { barked.set_value(test); });
        watchdog.begin("Sleeper::sleeps");
        auto name = barked.get_future();
        CPPUNIT_ASSERT(name.wait_for(30s) == std::future_status::ready);
        CPPUNIT_ASSERT_EQUAL(std::string("Sleeper::sleeps"), name.get());
    }

    void saysNothingOfATestThatEnds() {
        std::atomic<int> barks = 0;
        {
            Watchdog watchdog(1h, [&barks](const std::string&) { ++barks; });
            watchdog.begin("Quick::ends");
            watchdog.end();
        }
        CPPUNIT_ASSERT_EQUAL(0, barks.load());
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(WatchdogTest);

}  // namespace watchdog_test
}  // namespace otpgate::test
