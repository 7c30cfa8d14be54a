#include "db/host_choice.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::db {
namespace db_host_choice_test {

using namespace std::chrono_literals;

class HostChoiceTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(HostChoiceTest);
    CPPUNIT_TEST(beginsWithTheFirst);
    CPPUNIT_TEST(goesToTheNextOne);
    CPPUNIT_TEST(heedsNoFailureOfAnother);
    CPPUNIT_TEST(prefersTheFirstThatRestsNoMore);
    CPPUNIT_TEST(takesTheOldestFailureWhereAllHaveFailed);
    CPPUNIT_TEST(hasNowhereToGoFromTheOnlyOne);
    CPPUNIT_TEST(returnsToTheFirstWhenItHasBeenWellForLong);
    CPPUNIT_TEST(countsAnewWhereTheFirstFailsAgain);
    CPPUNIT_TEST_SUITE_END();

    void at(std::size_t expected) { CPPUNIT_ASSERT_EQUAL(expected, choice_.current()); }

    void beginsWithTheFirst() { at(0); }

    void goesToTheNextOne() {
        CPPUNIT_ASSERT(choice_.leave(0, now_));
        at(1);
        CPPUNIT_ASSERT(choice_.leave(1, now_ + 1s));
        at(2);
    }

    // Many threads find out at once, and some later than the move.
    void heedsNoFailureOfAnother() {
        choice_.leave(0, now_);
        CPPUNIT_ASSERT(choice_.leave(0, now_ + 1s));
        at(1);
    }

    void prefersTheFirstThatRestsNoMore() {
        choice_.leave(0, now_);
        choice_.leave(1, now_ + HostChoice::kRest);
        at(0);
    }

    void takesTheOldestFailureWhereAllHaveFailed() {
        choice_.leave(0, now_);
        choice_.leave(1, now_ + 1s);
        CPPUNIT_ASSERT(choice_.leave(2, now_ + 2s));
        at(0);
        choice_.leave(0, now_ + 3s);
        at(1);
    }

    void hasNowhereToGoFromTheOnlyOne() {
        HostChoice only(1);
        CPPUNIT_ASSERT(!only.leave(0, now_));
        CPPUNIT_ASSERT_EQUAL(std::size_t{0}, only.current());
    }

    void returnsToTheFirstWhenItHasBeenWellForLong() {
        choice_.leave(0, now_);
        CPPUNIT_ASSERT(!choice_.noteFirst(false, now_ + 1s));
        CPPUNIT_ASSERT(!choice_.noteFirst(true, now_ + 2s));
        CPPUNIT_ASSERT(!choice_.noteFirst(true, now_ + 2s + HostChoice::kTrial - 1ms));
        at(1);
        CPPUNIT_ASSERT(choice_.noteFirst(true, now_ + 2s + HostChoice::kTrial));
        at(0);
    }

    void countsAnewWhereTheFirstFailsAgain() {
        choice_.leave(0, now_);
        choice_.noteFirst(true, now_ + 1s);
        choice_.noteFirst(false, now_ + 3s);
        choice_.noteFirst(true, now_ + 4s);
        CPPUNIT_ASSERT(!choice_.noteFirst(true, now_ + 1s + HostChoice::kTrial));
        CPPUNIT_ASSERT(choice_.noteFirst(true, now_ + 4s + HostChoice::kTrial));
    }

    const HostChoice::Time now_{24h};
    HostChoice choice_{3};
};

CPPUNIT_TEST_SUITE_REGISTRATION(HostChoiceTest);

}  // namespace db_host_choice_test
}  // namespace otpgate::db
