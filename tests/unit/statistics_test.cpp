// Which hour is counted, how, and what a question about them may ask.
#include "otpgate/domain/statistics.h"

#include "support_cpp/counting_random.h"
#include "support_cpp/fake_clock.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

namespace otpgate::domain {
namespace statistics_test {

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
    std::vector<CountedPeriod> list(CountedBy unit, const TimeSpan& span) override {
        std::map<Timestamp, EventCounts> periods;
        for (const auto& [hour, counted] : kept) {
            if (hour < span.begin || hour >= span.end) continue;
            auto& period = periods[unit == CountedBy::Day ? Timestamp{floor<days>(hour)} : Timestamp{hour}];
            for (const auto& [event, times] : counted) period[event] += times;
        }
        std::vector<CountedPeriod> listed;
        for (const auto& [begin, period] : periods) listed.push_back({begin, period});
        if (afterListing) std::exchange(afterListing, nullptr)();
        return listed;
    }

    std::map<Uuid, std::pair<std::string, Timestamp>> events;
    std::map<CountedHour, EventCounts> kept;
    int parts = 0;
    std::function<void()> afterListing;  // what happens meanwhile, once
};

class StatisticsTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(StatisticsTest);
    CPPUNIT_TEST(countsNothingOfAnEmptyTrail);
    CPPUNIT_TEST(waitsForTheLastEventsOfAnHour);
    CPPUNIT_TEST(countsEachHourOnce);
    CPPUNIT_TEST(countsALongHourInParts);
    CPPUNIT_TEST(keepsNothingOfAnHourThatWasInterrupted);
    CPPUNIT_TEST(showsTheHourThatRuns);
    CPPUNIT_TEST(addsTheHourThatRunsToItsDay);
    CPPUNIT_TEST(countsWhatIsSettledOnce);
    CPPUNIT_TEST(countsNoHourTwice);
    CPPUNIT_TEST(seesWhatIsWrittenLate);
    CPPUNIT_TEST(comesToAnEndHoweverMuchHappened);
    CPPUNIT_TEST(saysUntilWhenItHasCounted);
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
        Statistics next(store_, unfinished_, clock_);
        while (next.countOn()) {
        }
        CPPUNIT_ASSERT((EventCounts{{"OTP_SENT", 5'000}}) == store_.kept.at(hour));
        // And the first one, which was not ended after all, agrees.
        countAll();
        CPPUNIT_ASSERT((EventCounts{{"OTP_SENT", 5'000}}) == store_.kept.at(hour));
    }

    void setTo(Timestamp time) { clock_.advance(time - clock_.now()); }
    std::vector<CountedPeriod> lastHours(int hoursBack = 4) {
        const Timestamp now = clock_.now();
        return statistics_.list(CountedBy::Hour, {floor<hours>(now) - hours{hoursBack}, now}).periods;
    }
    void settle() {
        while (statistics_.countUnfinishedOn()) {
        }
    }

    // However much of it the housekeeper has counted already.
    void showsTheHourThatRuns() {
        const auto hour = floor<hours>(clock_.now()) + 1h;
        setTo(hour + 40min);
        add(hour - 1min);
        countAll();
        for (const auto minute : {0min, 10min, 39min}) add(hour + minute);
        add(hour + 20min, "LOGIN_FAILED");
        for (int i = 0; i < 2; ++i) {
            const auto periods = lastHours();
            CPPUNIT_ASSERT_EQUAL(std::size_t{2}, periods.size());
            CPPUNIT_ASSERT(periods[0].begin == hour - 1h && periods[1].begin == hour);
            CPPUNIT_ASSERT((EventCounts{{"OTP_SENT", 3}, {"LOGIN_FAILED", 1}}) == periods[1].events);
            settle();
        }
        CPPUNIT_ASSERT(store_.kept.size() == 1 && statistics_.countedUntil() == hour);
    }

    void addsTheHourThatRunsToItsDay() {
        const auto day = floor<days>(clock_.now()) + days{1};
        setTo(day + 1h + 30min);
        add(day - 1min);
        add(day + 10min);
        countAll();
        add(day + 1h + 20min);
        settle();
        const auto listed = statistics_.list(CountedBy::Day, {day - days{1}, clock_.now()}).periods;
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, listed.size());
        CPPUNIT_ASSERT((EventCounts{{"OTP_SENT", 1}}) == listed[0].events);
        CPPUNIT_ASSERT(listed[1].begin == day && (EventCounts{{"OTP_SENT", 2}}) == listed[1].events);
    }

    void countsWhatIsSettledOnce() {
        const auto hour = floor<hours>(clock_.now()) + 1h;
        setTo(hour + 50min);
        for (int i = 0; i < 5'000; ++i) add(hour + std::chrono::milliseconds{i});
        settle();
        CPPUNIT_ASSERT((EventCounts{{"OTP_SENT", 5'000}}) == lastHours().back().events);
        store_.parts = 0;
        CPPUNIT_ASSERT(!statistics_.countUnfinishedOn());
        CPPUNIT_ASSERT_EQUAL(0, store_.parts);
        // A question looks at the last minutes alone.
        CPPUNIT_ASSERT((EventCounts{{"OTP_SENT", 5'000}}) == lastHours().back().events);
        CPPUNIT_ASSERT_EQUAL(1, store_.parts);
    }

    // Whenever it is kept for good: before the question, in its midst, or after it.
    void countsNoHourTwice() {
        const auto day = floor<days>(clock_.now()) + days{1};
        setTo(day + 30min);
        add(day + 10min);
        settle();
        setTo(day + 1h + 10min);
        settle();
        store_.afterListing = [this] { countAll(); };
        for (int i = 0; i < 2; ++i) {
            const auto listed = statistics_.list(CountedBy::Day, {day, clock_.now()}).periods;
            CPPUNIT_ASSERT((EventCounts{{"OTP_SENT", 1}}) == listed.at(0).events);
            CPPUNIT_ASSERT((EventCounts{{"OTP_SENT", 1}}) == lastHours(1).at(0).events);
            settle();
        }
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store_.kept.size());
    }

    // An event's id is of the moment when its request began.
    void seesWhatIsWrittenLate() {
        const auto hour = floor<hours>(clock_.now()) + 1h;
        setTo(hour + 30min);
        add(hour + 10min);
        settle();
        lastHours();
        add(hour + 26min);  // by a request of four minutes ago
        CPPUNIT_ASSERT((EventCounts{{"OTP_SENT", 2}}) == lastHours().back().events);
    }

    void comesToAnEndHoweverMuchHappened() {
        const auto hour = floor<hours>(clock_.now()) + 1h;
        setTo(hour + 30min);
        for (int i = 0; i < 40'000; ++i) add(hour + std::chrono::milliseconds{i});
        store_.parts = 0;
        const auto listed = statistics_.list(CountedBy::Hour, {hour, clock_.now()});
        CPPUNIT_ASSERT(store_.parts <= 3);
        CPPUNIT_ASSERT(listed.until > hour && listed.until < hour + 40s);
        CPPUNIT_ASSERT(listed.until == hour + std::chrono::milliseconds{listed.periods.at(0).events.at("OTP_SENT")});
    }

    void saysUntilWhenItHasCounted() {
        const auto hour = floor<hours>(clock_.now()) + 1h;
        setTo(hour + 30min);
        add(hour - 9h);
        const auto until = [&](Timestamp end) { return statistics_.list(CountedBy::Hour, {hour - 10h, end}).until; };
        CPPUNIT_ASSERT(until(clock_.now()) == clock_.now());
        CPPUNIT_ASSERT(until(hour - 2h) == hour - 2h);
        // A large trail is counted from its beginning, and the hours between are not there yet.
        CPPUNIT_ASSERT(statistics_.countOn());
        CPPUNIT_ASSERT(until(clock_.now()) == hour - 8h);
        countAll();
        CPPUNIT_ASSERT(until(clock_.now()) == clock_.now());
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
    UnfinishedHours unfinished_;
    Statistics statistics_{store_, unfinished_, clock_};
};

CPPUNIT_TEST_SUITE_REGISTRATION(StatisticsTest);

}  // namespace statistics_test
}  // namespace otpgate::domain
