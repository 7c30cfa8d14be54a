// The counts by hour and by day, as the housekeeper makes them of the trail.
#include "contract/store_test.h"
#include "otpgate/store/stores.h"

namespace otpgate::test {
namespace statistics_store_test {

using namespace std::chrono_literals;
using domain::CountedBy;
using domain::EventCounts;
using std::chrono::days;

template <class Engine>
class StatisticsStoreTest : public StoreTest<StatisticsStoreTest<Engine>, Engine> {
    using Base = StoreTest<StatisticsStoreTest<Engine>, Engine>;
    using Base::connection_;
    using Base::count;
    using Base::now;
    using Base::random_;

    CPPUNIT_TEST_SUITE(StatisticsStoreTest);
    CPPUNIT_TEST(findsNothingInAnEmptyDatabase);
    CPPUNIT_TEST(countsFromAnIdToAnother);
    CPPUNIT_TEST(countsHowLongCodesWaited);
    CPPUNIT_TEST(keepsAnHourAndItsDay);
    CPPUNIT_TEST(takesThePlaceOfWhatWasKept);
    CPPUNIT_TEST(listsThePeriodsOfASpan);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override {
        Base::setUp();
        store_ = store::makeStatisticsStore(*connection_);
        day_ = std::chrono::floor<days>(now());
    }

private:
    Uuid add(Timestamp time, const std::string& event) {
        const Uuid id = Uuid::makeV7(time, random_);
        connection_->execute("INSERT INTO audit_events (id, event, created_at_us) VALUES (?, ?, ?)", {id, event, time});
        return id;
    }
    EventCounts only(CountedBy unit, Timestamp begin, Timestamp end) {
        const auto periods = store_->list(unit, {begin, end});
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, periods.size());
        CPPUNIT_ASSERT(periods[0].begin == begin);
        return periods[0].events;
    }

    void findsNothingInAnEmptyDatabase() {
        CPPUNIT_ASSERT(!store_->lastCounted() && !store_->oldestEvent());
        CPPUNIT_ASSERT(store_->list(CountedBy::Day, {day_ - days{9}, day_}).empty());
        CPPUNIT_ASSERT(store_->count(Uuid{}, Uuid::lowestV7(now()), 10).events.empty());
    }

    void countsFromAnIdToAnother() {
        add(day_ - 1us, "OTP_SENT");
        add(day_, "OTP_SENT");
        add(day_ + 10min, "LOGIN_FAILED");
        const Uuid third = add(day_ + 20min, "OTP_SENT");
        add(day_ + 1h, "OTP_SENT");
        CPPUNIT_ASSERT(store_->oldestEvent() == day_ - 1us);
        const Uuid begin = Uuid::lowestV7(day_);
        const Uuid end = Uuid::lowestV7(day_ + 1h);
        const auto all = store_->count(begin, end, 3);
        CPPUNIT_ASSERT(!all.next && (EventCounts{{"OTP_SENT", 2}, {"LOGIN_FAILED", 1}}) == all.events);
        const auto part = store_->count(begin, end, 2);
        CPPUNIT_ASSERT(part.next == third && (EventCounts{{"OTP_SENT", 1}, {"LOGIN_FAILED", 1}}) == part.events);
        CPPUNIT_ASSERT((EventCounts{{"OTP_SENT", 1}}) == store_->count(third, end, 2).events);
    }

    void countsHowLongCodesWaited() {
        for (const auto& [event, metadata] : std::vector<std::pair<std::string, std::string>>{
                 {"OTP_SENT", R"({"delay_ms":"900"})"},
                 {"OTP_SENT", R"({"kind":"link","delay_ms":"1001"})"},
                 {"OTP_SENT", R"({"delay_ms":"2000"})"},
                 {"OTP_SENT", R"({"delay_ms":"soon"})"},
                 {"NOTICE_SENT", R"({"kind":"new_sign_in","delay_ms":"1"})"},
                 {"OTP_SENT", "{}"}}) {
            const Uuid id = add(day_, event);
            connection_->execute("UPDATE audit_events SET metadata = ? WHERE id = ?", {std::string_view{metadata}, id});
        }
        const auto counted = store_->count(Uuid::lowestV7(day_), Uuid::lowestV7(day_ + 1h), 10);
        CPPUNIT_ASSERT((EventCounts{{"OTP_SENT", 5}, {"NOTICE_SENT", 1}, {"OTP_SENT_1S", 1}, {"OTP_SENT_2S", 2}}) ==
                       counted.events);
    }

    void keepsAnHourAndItsDay() {
        store_->keep(day_ + 2h, {{"OTP_SENT", 3}, {"LOGIN_FAILED", 1}});
        store_->keep(day_ + 3h, {{"OTP_SENT", 4}});
        store_->keep(day_ + 4h, {});
        CPPUNIT_ASSERT(store_->lastCounted() == day_ + 4h);
        CPPUNIT_ASSERT((EventCounts{{"OTP_SENT", 4}}) == only(CountedBy::Hour, day_ + 3h, day_ + 4h));
        CPPUNIT_ASSERT(store_->list(CountedBy::Hour, {day_ + 4h, day_ + 5h}).empty());
        CPPUNIT_ASSERT((EventCounts{{"OTP_SENT", 7}, {"LOGIN_FAILED", 1}}) ==
                       only(CountedBy::Day, day_, day_ + days{1}));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("daily_counts WHERE event = '' AND times = 8"));
    }

    void takesThePlaceOfWhatWasKept() {
        for (const std::int64_t times : {9, 3}) {
            store_->keep(day_ + 23h, {{"OTP_SENT", times}});
            store_->keep(day_ + 24h, {{"OTP_SENT", times}});
        }
        CPPUNIT_ASSERT((EventCounts{{"OTP_SENT", 3}}) == only(CountedBy::Day, day_, day_ + days{1}));
        CPPUNIT_ASSERT((EventCounts{{"OTP_SENT", 3}}) == only(CountedBy::Day, day_ + days{1}, day_ + days{2}));
    }

    void listsThePeriodsOfASpan() {
        for (int hour = 0; hour < 4; ++hour) store_->keep(day_ + std::chrono::hours{hour}, {{"OTP_SENT", hour + 1}});
        const auto periods = store_->list(CountedBy::Hour, {day_ + 1h, day_ + 3h});
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, periods.size());
        CPPUNIT_ASSERT(periods[0].begin == day_ + 1h && periods[1].begin == day_ + 2h);
        CPPUNIT_ASSERT(periods[1].events.at("OTP_SENT") == 3);
        CPPUNIT_ASSERT(store_->list(CountedBy::Day, {day_ + days{1}, day_ + days{2}}).empty());
    }

    std::unique_ptr<domain::StatisticsStore> store_;
    std::chrono::sys_days day_;
};

REGISTER_ON_BOTH_ENGINES(StatisticsStoreTest);

}  // namespace statistics_store_test
}  // namespace otpgate::test
