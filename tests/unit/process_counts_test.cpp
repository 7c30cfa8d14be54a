#include "otpgate/domain/process_counts.h"

#include "support_cpp/fake_clock.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::domain {
namespace process_counts_test {

using namespace std::chrono_literals;

class ProcessCountsTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(ProcessCountsTest);
    CPPUNIT_TEST(countsEachSubjectUntilItsEnd);
    CPPUNIT_TEST(keepsToItsSize);
    CPPUNIT_TEST_SUITE_END();

    void countsEachSubjectUntilItsEnd() {
        CPPUNIT_ASSERT_EQUAL(1U, guesses_.count("a", now_, now_ + 10min));
        CPPUNIT_ASSERT_EQUAL(2U, guesses_.count("a", now_ + 9min, now_ + 19min));
        CPPUNIT_ASSERT_EQUAL(1U, guesses_.count("b", now_, now_ + 10min));
        CPPUNIT_ASSERT_EQUAL(1U, guesses_.count("a", now_ + 10min, now_ + 20min));
        guesses_.forget("a");
        CPPUNIT_ASSERT_EQUAL(1U, guesses_.count("a", now_ + 10min, now_ + 20min));
    }

    void keepsToItsSize() {
        ProcessCounts few{2};
        few.count("over", now_, now_ + 1s);
        few.count("a", now_, now_ + 10min);
        few.count("b", now_ + 1s, now_ + 10min);
        CPPUNIT_ASSERT_EQUAL(2U, few.count("a", now_ + 1s, now_ + 10min));
        few.count("c", now_ + 1s, now_ + 10min);
        CPPUNIT_ASSERT_EQUAL(1U, few.count("a", now_ + 1s, now_ + 10min));
    }

    const Timestamp now_ = test::FakeClock{}.now();
    ProcessCounts guesses_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(ProcessCountsTest);

}  // namespace process_counts_test
}  // namespace otpgate::domain
