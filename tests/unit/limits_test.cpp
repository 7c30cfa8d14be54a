#include "otpgate/domain/limits.h"

#include "otpgate/base/encoding.h"
#include "support_cpp/fake_clock.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <stdexcept>

namespace otpgate::domain {
namespace limits_test {

using namespace std::chrono_literals;
using namespace std::string_literals;

class LimitsTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(LimitsTest);
    CPPUNIT_TEST(readsOneWindow);
    CPPUNIT_TEST(readsTwoWindows);
    CPPUNIT_TEST(readsZeroAsNoLimit);
    CPPUNIT_TEST(refusesWhatIsNoRule);
    CPPUNIT_TEST(refusesThreeWindows);
    CPPUNIT_TEST(keepsAsManyTimesAsTheLargestCount);
    CPPUNIT_TEST(packsTimesAsTheDatabaseHoldsThem);
    CPPUNIT_TEST(keepsTheNewestOnly);
    CPPUNIT_TEST(acceptsAsManyAsTheRuleSays);
    CPPUNIT_TEST(acceptsAnotherWhenTheWindowHasPassed);
    CPPUNIT_TEST(needsBothWindows);
    CPPUNIT_TEST(acceptsEverythingWithoutARule);
    CPPUNIT_TEST(obeysAChangedRule);
    CPPUNIT_TEST(tellsWhatIsLeft);
    CPPUNIT_TEST(roundsTheResetUp);
    CPPUNIT_TEST(tellsOfTheWindowThatIsNearestToItsEnd);
    CPPUNIT_TEST(tellsOfTheLongerOfTwoFullWindows);
    CPPUNIT_TEST(isAcceptedWhenTheResetIsOver);
    CPPUNIT_TEST(forgetsTheOneThatIsGivenBack);
    CPPUNIT_TEST(keepsBucketsApart);
    CPPUNIT_TEST_SUITE_END();

    static LimitRule rule(std::string_view text) { return LimitRule::parse(text).value(); }
    // Takes as many as there are, or fails.
    LimitHits take(LimitHits hits, const LimitRule& rule, int times) const {
        for (int i = 0; i < times; ++i) {
            CPPUNIT_ASSERT(hits.accepts(rule, now_));
            hits = LimitHits{hits.with(rule.capacity(), now_)};
        }
        return hits;
    }

    void readsOneWindow() {
        CPPUNIT_ASSERT((rule("5/1h").windows() == std::vector<LimitWindow>{{5, 1h}}));
        CPPUNIT_ASSERT((rule("1/30s").windows() == std::vector<LimitWindow>{{1, 30s}}));
        CPPUNIT_ASSERT((rule("1000/15m").windows() == std::vector<LimitWindow>{{1000, 15min}}));
        CPPUNIT_ASSERT((rule(" 20/7d ").windows() == std::vector<LimitWindow>{{20, 168h}}));
    }

    void readsTwoWindows() {
        const std::vector<LimitWindow> expected{{10, 1h}, {20, 24h}};
        CPPUNIT_ASSERT(rule("10/1h,20/1d").windows() == expected);
        CPPUNIT_ASSERT(rule("10/1h, 20/1d").windows() == expected);
        CPPUNIT_ASSERT(!rule("10/1h,20/1d").isUnlimited());
    }

    void readsZeroAsNoLimit() {
        CPPUNIT_ASSERT(rule("0").isUnlimited());
        CPPUNIT_ASSERT(rule(" 0 ").isUnlimited());
        CPPUNIT_ASSERT(LimitRule{}.isUnlimited());
    }

    void refusesWhatIsNoRule() {
        for (const char* text : {"",
                                 " ",
                                 "5",
                                 "5/",
                                 "/1h",
                                 "5/h",
                                 "5/1",
                                 "5/1w",
                                 "5/1H",
                                 "0/1h",
                                 "5/0h",
                                 "00",
                                 "-5/1h",
                                 "+5/1h",
                                 "5/-1h",
                                 "5 /1h",
                                 "5/ 1h",
                                 "5/1 h",
                                 "5/1hh",
                                 "5/1h5",
                                 "5/1.5h",
                                 "5.0/1h",
                                 "0x5/1h",
                                 "1001/1h",
                                 "4294967297/1h",
                                 "99999999999999999999/1h",
                                 "5/99999999999999999999h",
                                 "5/4294967297h",
                                 "5/100001d",
                                 "5/1h,",
                                 ",5/1h",
                                 "5/1h,,10/1d",
                                 "5/1h;10/1d",
                                 "0,5/1h",
                                 "5/1h,0",
                                 "unlimited"}) {
            CPPUNIT_ASSERT_MESSAGE(text, !LimitRule::parse(text));
        }
    }

    void refusesThreeWindows() {
        CPPUNIT_ASSERT(!LimitRule::parse("5/1m,10/1h,20/1d"));
        CPPUNIT_ASSERT_THROW((LimitRule{{{1, 1s}, {2, 2s}, {3, 3s}}}), std::logic_error);
    }

    void keepsAsManyTimesAsTheLargestCount() {
        CPPUNIT_ASSERT_EQUAL(20U, rule("10/1h,20/1d").capacity());
        CPPUNIT_ASSERT_EQUAL(20U, rule("20/1h,10/1d").capacity());
        CPPUNIT_ASSERT(rule("10/1h,20/1d").longest() == 24h);
        CPPUNIT_ASSERT(rule("20/1d,10/1h").longest() == 24h);
        CPPUNIT_ASSERT_EQUAL(0U, LimitRule{}.capacity());
    }

    void packsTimesAsTheDatabaseHoldsThem() {
        const Timestamp time = fromMicroseconds(0x0006'4b0f'1a2b'3c4d);
        const std::string first = LimitHits{""}.with(2, time);
        CPPUNIT_ASSERT_EQUAL("00064b0f1a2b3c4d"s, toHex(first));
        CPPUNIT_ASSERT_EQUAL("00064b0f1a2b3c4e00064b0f1a2b3c4d"s, toHex(LimitHits{first}.with(2, time + 1us)));
    }

    void keepsTheNewestOnly() {
        const std::string packed = parseHex("000000000000000300000000000000020000000000000001").value();
        CPPUNIT_ASSERT_EQUAL("00000000000000040000000000000003"s,
                             toHex(LimitHits{packed}.with(2, fromMicroseconds(4))));
        CPPUNIT_ASSERT_EQUAL(packed, LimitHits{packed}.packed());
    }

    void acceptsAsManyAsTheRuleSays() {
        const auto hits = take(LimitHits{""}, rule("5/1h"), 5);
        CPPUNIT_ASSERT(!hits.accepts(rule("5/1h"), now_));
    }

    void acceptsAnotherWhenTheWindowHasPassed() {
        auto hits = take(LimitHits{""}, rule("2/1h"), 1);
        now_ += 10min;
        hits = take(hits, rule("2/1h"), 1);
        CPPUNIT_ASSERT(!hits.accepts(rule("2/1h"), now_ + 50min - 1us));
        CPPUNIT_ASSERT(hits.accepts(rule("2/1h"), now_ + 50min));
        now_ += 50min;
        hits = take(hits, rule("2/1h"), 1);
        CPPUNIT_ASSERT(!hits.accepts(rule("2/1h"), now_ + 10min - 1us));
        CPPUNIT_ASSERT(hits.accepts(rule("2/1h"), now_ + 10min));
    }

    void needsBothWindows() {
        for (const char* text : {"2/1m,3/1h", "3/1h,2/1m"}) {
            auto hits = take(LimitHits{""}, rule(text), 2);
            CPPUNIT_ASSERT(!hits.accepts(rule(text), now_ + 1min - 1us));
            now_ += 1min;
            hits = take(hits, rule(text), 1);
            CPPUNIT_ASSERT(!hits.accepts(rule(text), now_ + 1min));
            CPPUNIT_ASSERT(!hits.accepts(rule(text), now_ + 59min - 1us));
            CPPUNIT_ASSERT(hits.accepts(rule(text), now_ + 59min));
        }
    }

    void acceptsEverythingWithoutARule() {
        CPPUNIT_ASSERT(take(LimitHits{""}, rule("3/1h"), 3).accepts(LimitRule{}, now_));
        CPPUNIT_ASSERT(LimitHits{""}.with(LimitRule{}.capacity(), now_).empty());
    }

    void obeysAChangedRule() {
        const auto hits = take(LimitHits{""}, rule("5/1h"), 4);
        CPPUNIT_ASSERT(!hits.accepts(rule("3/1h"), now_));
        CPPUNIT_ASSERT(hits.accepts(rule("3/1s"), now_ + 1s));
        CPPUNIT_ASSERT(hits.accepts(rule("6/1h"), now_));
        CPPUNIT_ASSERT_EQUAL(0U, hits.state(rule("3/1h"), now_).remaining);
    }

    void tellsWhatIsLeft() {
        auto state = LimitHits{""}.state(rule("3/1h"), now_);
        CPPUNIT_ASSERT((state.window == LimitWindow{3, 1h}));
        CPPUNIT_ASSERT_EQUAL(3U, state.remaining);
        CPPUNIT_ASSERT(state.reset == 0s);

        auto hits = take(LimitHits{""}, rule("3/1h"), 1);
        now_ += 20min;
        hits = take(hits, rule("3/1h"), 1);
        state = hits.state(rule("3/1h"), now_);
        CPPUNIT_ASSERT_EQUAL(1U, state.remaining);
        CPPUNIT_ASSERT(state.reset == 40min);
        state = hits.state(rule("3/1h"), now_ + 40min);
        CPPUNIT_ASSERT_EQUAL(2U, state.remaining);
        CPPUNIT_ASSERT(state.reset == 20min);
        CPPUNIT_ASSERT_EQUAL(3U, hits.state(rule("3/1h"), now_ + 1h).remaining);
        CPPUNIT_ASSERT(hits.state(rule("3/1h"), now_ + 1h).reset == 0s);
    }

    void roundsTheResetUp() {
        const auto hits = take(LimitHits{""}, rule("1/10s"), 1);
        CPPUNIT_ASSERT(hits.state(rule("1/10s"), now_).reset == 10s);
        CPPUNIT_ASSERT(hits.state(rule("1/10s"), now_ + 1us).reset == 10s);
        CPPUNIT_ASSERT(hits.state(rule("1/10s"), now_ + 1s).reset == 9s);
        CPPUNIT_ASSERT(hits.state(rule("1/10s"), now_ + 10s - 1us).reset == 1s);
        CPPUNIT_ASSERT(hits.state(rule("1/10s"), now_ + 10s).reset == 0s);
    }

    void tellsOfTheWindowThatIsNearestToItsEnd() {
        for (const char* text : {"10/1h,20/1d", "20/1d,10/1h"}) {
            auto hits = take(LimitHits{""}, rule(text), 8);
            CPPUNIT_ASSERT((hits.state(rule(text), now_).window == LimitWindow{10, 1h}));
            CPPUNIT_ASSERT_EQUAL(2U, hits.state(rule(text), now_).remaining);
            now_ += 1h;
            hits = take(hits, rule(text), 7);
            now_ += 1h;
            hits = take(hits, rule(text), 1);
            CPPUNIT_ASSERT((hits.state(rule(text), now_).window == LimitWindow{20, 24h}));
            CPPUNIT_ASSERT_EQUAL(4U, hits.state(rule(text), now_).remaining);
            CPPUNIT_ASSERT(hits.state(rule(text), now_).reset == 22h);
        }
    }

    void tellsOfTheLongerOfTwoFullWindows() {
        for (const char* text : {"2/1m,2/1h", "2/1h,2/1m"}) {
            const auto state = take(LimitHits{""}, rule(text), 2).state(rule(text), now_);
            CPPUNIT_ASSERT_EQUAL(0U, state.remaining);
            CPPUNIT_ASSERT((state.window == LimitWindow{2, 1h}));
            CPPUNIT_ASSERT(state.reset == 1h);
        }
    }

    void isAcceptedWhenTheResetIsOver() {
        const auto both = rule("2/7s,5/31s");
        LimitHits hits{""};
        for (int accepted = 0; accepted < 50;) {
            if (hits.accepts(both, now_)) {
                hits = LimitHits{hits.with(both.capacity(), now_)};
                ++accepted;
                now_ += 1300ms;
                continue;
            }
            const auto reset = hits.state(both, now_).reset;
            CPPUNIT_ASSERT(reset > 0s);
            CPPUNIT_ASSERT(!hits.accepts(both, now_ + reset - 1s));
            now_ += reset;
            CPPUNIT_ASSERT(hits.accepts(both, now_));
        }
    }

    void forgetsTheOneThatIsGivenBack() {
        const auto two = rule("2/1h");
        const LimitHits first = take(LimitHits{{}}, two, 1);
        const LimitHits both{first.with(2, now_ + 1s)};
        CPPUNIT_ASSERT(!both.accepts(two, now_ + 2s));
        CPPUNIT_ASSERT(both.without(now_ + 1s) == first.packed());
        CPPUNIT_ASSERT((LimitHits{both.without(now_)}.accepts(two, now_ + 2s)));
        // One of two of the same moment, and nothing where there is none.
        CPPUNIT_ASSERT(LimitHits{first.with(2, now_)}.without(now_) == first.packed());
        CPPUNIT_ASSERT(both.without(now_ + 2s) == both.packed());
        CPPUNIT_ASSERT(LimitHits{{}}.without(now_).empty());
    }

    void keepsBucketsApart() {
        const std::string bucket = limitBucket("request", "ada@example.org");
        CPPUNIT_ASSERT_EQUAL(std::size_t{16}, bucket.size());
        CPPUNIT_ASSERT(bucket == limitBucket("request", "ada@example.org"));
        CPPUNIT_ASSERT(bucket != limitBucket("guess", "ada@example.org"));
        CPPUNIT_ASSERT(bucket != limitBucket("request", "eve@example.org"));
        // Never another: the buckets in the database would be forgotten. sha256("request:ada@example.org").
        CPPUNIT_ASSERT_EQUAL("320d610bd0de9f077c04857e4cd3d797"s, toHex(bucket));
    }

    Timestamp now_ = test::FakeClock{}.now();
};

// What a limit grants, one bucket after another state of it.
class BucketTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(BucketTest);
    CPPUNIT_TEST(grantsEverythingWithoutALimit);
    CPPUNIT_TEST(grantsAsManyAsOneWindowSays);
    CPPUNIT_TEST(grantsWhatBothWindowsGrant);
    CPPUNIT_TEST(leavesNoTraceOfWhatItRefuses);
    CPPUNIT_TEST(livesAsLongAsItsLongestWindow);
    CPPUNIT_TEST(asksWithoutCounting);
    CPPUNIT_TEST(remembersItsLastTimeWithoutALimit);
    CPPUNIT_TEST(remembersForTheLongerOfMemoryAndRule);
    CPPUNIT_TEST(remembersNothingThatItRefuses);
    CPPUNIT_TEST(grantsAgainWhatIsGivenBack);
    CPPUNIT_TEST(notesARefusalOnceAMinute);
    CPPUNIT_TEST(goesOnFromWhatWasStored);
    CPPUNIT_TEST(obeysARuleThatHasShrunk);
    CPPUNIT_TEST(takesInAllOrInNone);
    CPPUNIT_TEST(livesAsLongAsWhoeverCountsLongest);
    CPPUNIT_TEST_SUITE_END();

    static LimitRule rule(std::string_view text) { return LimitRule::parse(text).value(); }
    static std::string times(std::initializer_list<Timestamp> newestFirst) {
        std::string packed;
        for (const Timestamp time : newestFirst) packed += packTime(time);
        return packed;
    }
    // How many of `asked` the bucket grants at this moment.
    int taken(const LimitRule& rule, int asked) {
        int granted = 0;
        for (int i = 0; i < asked; ++i) granted += bucket_.take(rule, now_) ? 1 : 0;
        return granted;
    }

    void grantsEverythingWithoutALimit() {
        CPPUNIT_ASSERT_EQUAL(1000, taken(LimitRule{}, 1000));
        CPPUNIT_ASSERT(bucket_.hits().empty());
        CPPUNIT_ASSERT(bucket_.expiresAt() == Timestamp{});
        CPPUNIT_ASSERT(!bucket_.last());
    }

    void grantsAsManyAsOneWindowSays() {
        CPPUNIT_ASSERT_EQUAL(3, taken(rule("3/1h"), 10));
        now_ += 1h - 1us;
        CPPUNIT_ASSERT_EQUAL(0, taken(rule("3/1h"), 10));
        now_ += 1us;
        CPPUNIT_ASSERT_EQUAL(3, taken(rule("3/1h"), 10));
    }

    void grantsWhatBothWindowsGrant() {
        const LimitRule both = rule("2/1h,3/1d");
        CPPUNIT_ASSERT_EQUAL(2, taken(both, 10));
        now_ += 1h;
        CPPUNIT_ASSERT_EQUAL(1, taken(both, 10));
        now_ += 22h;
        CPPUNIT_ASSERT_EQUAL(0, taken(both, 10));
        now_ += 1h;
        CPPUNIT_ASSERT_EQUAL(2, taken(both, 10));
    }

    void leavesNoTraceOfWhatItRefuses() {
        taken(rule("1/1h"), 1);
        const std::string hits = bucket_.hits();
        const Timestamp expiresAt = bucket_.expiresAt();
        now_ += 1min;
        CPPUNIT_ASSERT(!bucket_.take(rule("1/1h"), now_));
        CPPUNIT_ASSERT(bucket_.hits() == hits);
        CPPUNIT_ASSERT(bucket_.expiresAt() == expiresAt);
        CPPUNIT_ASSERT(bucket_.refusedAt() == Timestamp{});
    }

    void livesAsLongAsItsLongestWindow() {
        CPPUNIT_ASSERT(bucket_.take(rule("5/1d,9/1h"), now_));
        CPPUNIT_ASSERT(bucket_.expiresAt() == now_ + 24h);
        CPPUNIT_ASSERT(bucket_.last() == now_);
    }

    void asksWithoutCounting() {
        for (int i = 0; i < 5; ++i) CPPUNIT_ASSERT(bucket_.accepts(rule("1/1h"), now_));
        CPPUNIT_ASSERT(bucket_.hits().empty());
        CPPUNIT_ASSERT_EQUAL(1, taken(rule("1/1h"), 2));
        CPPUNIT_ASSERT(!bucket_.accepts(rule("1/1h"), now_));
    }

    void remembersItsLastTimeWithoutALimit() {
        for (int i = 0; i < 3; ++i) {
            now_ += 1s;
            CPPUNIT_ASSERT(bucket_.takeAndRemember(LimitRule{}, now_, 600s));
        }
        CPPUNIT_ASSERT(bucket_.hits() == times({now_}));
        CPPUNIT_ASSERT(bucket_.last() == now_);
        CPPUNIT_ASSERT(bucket_.expiresAt() == now_ + 600s);
    }

    void remembersForTheLongerOfMemoryAndRule() {
        CPPUNIT_ASSERT(bucket_.takeAndRemember(rule("5/1m"), now_, 600s));
        CPPUNIT_ASSERT(bucket_.expiresAt() == now_ + 600s);
        CPPUNIT_ASSERT(bucket_.takeAndRemember(rule("5/1h"), now_, 600s));
        CPPUNIT_ASSERT(bucket_.expiresAt() == now_ + 1h);
        CPPUNIT_ASSERT(bucket_.hits() == times({now_, now_}));
    }

    void remembersNothingThatItRefuses() {
        CPPUNIT_ASSERT(bucket_.takeAndRemember(rule("1/1h"), now_, 600s));
        CPPUNIT_ASSERT(!bucket_.takeAndRemember(rule("1/1h"), now_ + 1s, 7200s));
        CPPUNIT_ASSERT(bucket_.last() == now_);
        CPPUNIT_ASSERT(bucket_.expiresAt() == now_ + 1h);
    }

    void grantsAgainWhatIsGivenBack() {
        const LimitRule two = rule("2/1h");
        CPPUNIT_ASSERT_EQUAL(1, taken(two, 1));
        const Timestamp first = now_;
        now_ += 1s;
        CPPUNIT_ASSERT_EQUAL(1, taken(two, 1));
        bucket_.giveBack(first);
        CPPUNIT_ASSERT(bucket_.hits() == times({now_}));
        CPPUNIT_ASSERT_EQUAL(1, taken(two, 2));
        // What is not there cannot be given back.
        bucket_.giveBack(first);
        CPPUNIT_ASSERT_EQUAL(0, taken(two, 1));
        // One of two of one moment.
        bucket_.giveBack(now_);
        CPPUNIT_ASSERT(bucket_.hits() == times({now_}));
        Bucket empty;
        empty.giveBack(now_);
        CPPUNIT_ASSERT(empty.hits().empty());
    }

    void takesInAllOrInNone() {
        const LimitRule two = rule("2/1h");
        const LimitRule one = rule("1/1h");
        const LimitRule none;
        Bucket other;
        Bucket unlimited;
        const std::vector<Meter> meters{{&bucket_, &two}, {&unlimited, &none}, {&other, &one}};
        CPPUNIT_ASSERT(!takeAll(meters, now_));
        CPPUNIT_ASSERT(bucket_.hits() == times({now_}) && other.hits() == times({now_}) && unlimited.hits().empty());
        CPPUNIT_ASSERT(takeAll(meters, now_) == std::size_t{2});
        CPPUNIT_ASSERT(bucket_.hits() == times({now_}) && other.hits() == times({now_}));
        taken(two, 1);
        CPPUNIT_ASSERT(takeAll(meters, now_) == std::size_t{0});
    }

    void livesAsLongAsWhoeverCountsLongest() {
        CPPUNIT_ASSERT(bucket_.takeAndRemember(rule("5/1m"), now_, 600s));
        CPPUNIT_ASSERT(bucket_.take(rule("5/1m"), now_ + 1s));
        CPPUNIT_ASSERT(bucket_.expiresAt() == now_ + 600s);
    }

    void notesARefusalOnceAMinute() {
        CPPUNIT_ASSERT(bucket_.noteRefusal(now_));
        CPPUNIT_ASSERT(bucket_.refusedAt() == now_);
        CPPUNIT_ASSERT(!bucket_.noteRefusal(now_));
        CPPUNIT_ASSERT(!bucket_.noteRefusal(now_ + 1min - 1us));
        CPPUNIT_ASSERT(bucket_.refusedAt() == now_);
        CPPUNIT_ASSERT(bucket_.noteRefusal(now_ + 1min));
        CPPUNIT_ASSERT(bucket_.refusedAt() == now_ + 1min);
    }

    void goesOnFromWhatWasStored() {
        bucket_ = Bucket(times({now_, now_ - 1s}), now_ + 1h, now_ - 30s);
        CPPUNIT_ASSERT(bucket_.last() == now_);
        CPPUNIT_ASSERT(bucket_.expiresAt() == now_ + 1h);
        CPPUNIT_ASSERT_EQUAL(1, taken(rule("3/1h"), 5));
        CPPUNIT_ASSERT(!bucket_.noteRefusal(now_));
        CPPUNIT_ASSERT(bucket_.noteRefusal(now_ + 30s));
    }

    void obeysARuleThatHasShrunk() {
        taken(rule("5/1h"), 5);
        now_ += 1h;
        CPPUNIT_ASSERT_EQUAL(1, taken(rule("1/1h"), 5));
        CPPUNIT_ASSERT(bucket_.hits() == times({now_}));
    }

    Timestamp now_ = test::FakeClock{}.now();
    Bucket bucket_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(LimitsTest);
CPPUNIT_TEST_SUITE_REGISTRATION(BucketTest);

}  // namespace limits_test
}  // namespace otpgate::domain
