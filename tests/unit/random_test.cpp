#include "otpgate/crypto/random.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <array>

namespace otpgate::crypto {
namespace random_test {

class SystemRandomTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(SystemRandomTest);
    CPPUNIT_TEST(fillsTheWholeSpan);
    CPPUNIT_TEST(neverRepeatsItself);
    CPPUNIT_TEST(fillsNothingWhereNothingIsAskedFor);
    CPPUNIT_TEST_SUITE_END();

    // Each of 64 places is zero in 16 fills of good bytes once in 2^122.
    void fillsTheWholeSpan() {
        std::array<std::uint8_t, 64> seen{};
        for (int i = 0; i < 16; ++i) {
            std::array<std::uint8_t, 64> bytes{};
            random_.fill(bytes);
            std::ranges::transform(seen, bytes, seen.begin(), std::bit_or<>());
        }
        CPPUNIT_ASSERT(std::ranges::find(seen, 0) == seen.end());
    }

    void neverRepeatsItself() {
        std::array<std::uint8_t, 16> first{};
        std::array<std::uint8_t, 16> second{};
        random_.fill(first);
        random_.fill(second);
        CPPUNIT_ASSERT(first != second);
    }

    void fillsNothingWhereNothingIsAskedFor() { random_.fill({}); }

    SystemRandom random_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(SystemRandomTest);

}  // namespace random_test
}  // namespace otpgate::crypto
