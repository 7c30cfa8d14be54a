// Which hour is counted, how, and what a question about them may ask.
#include "otpgate/domain/statistics.h"

#include "support_cpp/counting_random.h"
#include "support_cpp/fake_clock.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>

namespace otpgate::domain {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using std::chrono::days;
using std::chrono::floor;
using std::chrono::hours;

// Events as the trail would have them, and what was kept.
class FakeStatisticsStore final : public StatisticsStore {
public:
    std::optional<CountedHour> lastCounted() override {
        if (kept.empty()) return std::nullopt;
        return kept.rbegin()->first;
    }
    std::optional<Timestamp> oldestEvent() override {
        if (events.empty()) return std::nullopt;
        return events.begin()->second.second;
    }
    CountedPart count(const Uuid& from, const Uuid& end, unsigned most) override {
        ++parts;
        CountedPart part;
        unsigned counted = 0;
        for (auto each = events.lower_bound(from); each != events.end() && each->first < end; ++each) {
            if (counted++ == most) {
                part.next = each->first;
                break;
            }
            ++part.events[each->second.first];
        }
        return part;
    }
    void keep(CountedHour hour, const EventCounts& counted) override { kept[hour] = counted; }
    std::vector<CountedPeriod> list(CountedBy, const TimeSpan&) override { return {}; }

    std::map<Uuid, std::pair<std::string, Timestamp>> events;
    std::map<CountedHour, EventCounts> kept;
    int parts = 0;
};

class StatisticsTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(StatisticsTest);
    CPPUNIT_TEST(countsNothingOfAnEmptyTrail);
    CPPUNIT_TEST(waitsForTheLastEventsOfAnHour);
    CPPUNIT_TEST(countsEachHourOnce);
    CPPUNIT_TEST(countsALongHourInParts);
    CPPUNIT_TEST(keepsNothingOfAnHourThatWasInterrupted);
    CPPUNIT_TEST(asksForWholePeriods);
    CPPUNIT_TEST(refusesTooManyPeriods);
    CPPUNIT_TEST(knowsItsUnits);
    CPPUNIT_TEST(classesDelays);
    CPPUNIT_TEST_SUITE_END();

    void add(Timestamp time, const std::string& event = "OTP_SENT") {
        store_.events[Uuid::makeV7(time, random_)] = {event, time};
    }
    int countAll() {
        int calls = 0;
        while (statistics_.countOn()) ++calls;
        return calls;
    }

    void countsNothingOfAnEmptyTrail() {
        CPPUNIT_ASSERT_EQUAL(0, countAll());
        CPPUNIT_ASSERT(!statistics_.countedUntil());
    }

    void waitsForTheLastEventsOfAnHour() {
        const auto hour = floor<hours>(clock_.now());
        CPPUNIT_ASSERT(!hourToCount(std::nullopt, std::nullopt, clock_.now()));
        CPPUNIT_ASSERT(!hourToCount(std::nullopt, hour + 10min, hour + 1h + 5min - 1us));
        CPPUNIT_ASSERT(hourToCount(std::nullopt, hour + 10min, hour + 1h + 5min) == hour);
        CPPUNIT_ASSERT(!hourToCount(hour, std::nullopt, hour + 2h));
        CPPUNIT_ASSERT(hourToCount(hour, std::nullopt, hour + 2h + 5min) == hour + 1h);
    }

    void countsEachHourOnce() {
        const auto now = floor<hours>(clock_.now());
        clock_.advance(now + 10min - clock_.now());
        add(now - 3h, "OTP_SENT");
        add(now - 3h + 59min, "OTP_SENT");
        add(now - 3h + 59min, "LOGIN_SUCCEEDED");
        add(now - 1h, "LOGIN_FAILED");
        add(now, "LOGIN_FAILED");  // of an hour that is not over
        CPPUNIT_ASSERT_EQUAL(3, countAll());
        CPPUNIT_ASSERT((EventCounts{{"OTP_SENT", 2}, {"LOGIN_SUCCEEDED", 1}}) == store_.kept.at(now - 3h));
        CPPUNIT_ASSERT(store_.kept.at(now - 2h).empty());
        CPPUNIT_ASSERT((EventCounts{{"LOGIN_FAILED", 1}}) == store_.kept.at(now - 1h));
        CPPUNIT_ASSERT_EQUAL(std::size_t{3}, store_.kept.size());
        CPPUNIT_ASSERT(statistics_.countedUntil() == now);
        CPPUNIT_ASSERT_EQUAL(0, countAll());
    }

    void countsALongHourInParts() {
        const auto hour = floor<hours>(clock_.now()) - 2h;
        for (int i = 0; i < 5'000; ++i) add(hour + std::chrono::milliseconds{i});
        CPPUNIT_ASSERT(statistics_.countOn());
        CPPUNIT_ASSERT(store_.kept.empty());
        countAll();
        CPPUNIT_ASSERT((EventCounts{{"OTP_SENT", 5'000}}) == store_.kept.at(hour));
        CPPUNIT_ASSERT(store_.parts >= 3);
    }

    // Whoever goes on begins the hour anew, so nothing counts twice.
    void keepsNothingOfAnHourThatWasInterrupted() {
        const auto hour = floor<hours>(clock_.now()) - 2h;
        for (int i = 0; i < 5'000; ++i) add(hour + std::chrono::milliseconds{i});
        CPPUNIT_ASSERT(statistics_.countOn());
        Statistics next(store_, clock_);
        while (next.countOn()) {
        }
        CPPUNIT_ASSERT((EventCounts{{"OTP_SENT", 5'000}}) == store_.kept.at(hour));
        // And the first one, which was not ended after all, agrees.
        countAll();
        CPPUNIT_ASSERT((EventCounts{{"OTP_SENT", 5'000}}) == store_.kept.at(hour));
    }

    void asksForWholePeriods() {
        const Timestamp now = floor<days>(clock_.now()) + 9h + 20min;
        const auto byDay = statisticsSpan(CountedBy::Day, std::nullopt, std::nullopt, now).value();
        CPPUNIT_ASSERT(byDay.begin == floor<days>(now) - days{30} && byDay.end == now);
        const auto byHour = statisticsSpan(CountedBy::Hour, std::nullopt, std::nullopt, now).value();
        CPPUNIT_ASSERT(byHour.begin == floor<hours>(now) - 48h);
        const auto said = statisticsSpan(CountedBy::Day, now - 50h, now - 1h, now).value();
        CPPUNIT_ASSERT(said.begin == floor<days>(now - 50h) && said.end == now - 1h);
    }

    void refusesTooManyPeriods() {
        const Timestamp now = floor<days>(clock_.now());
        CPPUNIT_ASSERT(statisticsSpan(CountedBy::Day, now - days{1'000}, now, now));
        CPPUNIT_ASSERT(!statisticsSpan(CountedBy::Day, now - days{1'001}, now, now));
        CPPUNIT_ASSERT(!statisticsSpan(CountedBy::Hour, now - days{50}, now, now));
        CPPUNIT_ASSERT(!statisticsSpan(CountedBy::Hour, now, now, now));
        CPPUNIT_ASSERT(!statisticsSpan(CountedBy::Hour, now + 2h, now, now));
    }

    void knowsItsUnits() {
        for (const CountedBy unit : {CountedBy::Hour, CountedBy::Day})
            CPPUNIT_ASSERT(parseCountedBy(toString(unit)) == unit);
        for (const char* word : {"", "days", "Hour", "minute"}) CPPUNIT_ASSERT(!parseCountedBy(word));
    }
    void classesDelays() {
        CPPUNIT_ASSERT_EQUAL("OTP_SENT_1S"s, domain::delayClassOf(0ms));
        CPPUNIT_ASSERT_EQUAL("OTP_SENT_1S"s, domain::delayClassOf(1s));
        CPPUNIT_ASSERT_EQUAL("OTP_SENT_2S"s, domain::delayClassOf(1001ms));
        CPPUNIT_ASSERT_EQUAL("OTP_SENT_300S"s, domain::delayClassOf(5min));
        CPPUNIT_ASSERT_EQUAL("OTP_SENT_LATE"s, domain::delayClassOf(5min + 1ms));
    }

    test::FakeClock clock_;
    test::CountingRandom random_;
    FakeStatisticsStore store_;
    Statistics statistics_{store_, clock_};
};

CPPUNIT_TEST_SUITE_REGISTRATION(StatisticsTest);

}  // namespace
}  // namespace otpgate::domain
