#include "store/statistics_store.h"

#include "store/outbox_rows.h"

namespace otpgate::store {

namespace {

using std::chrono::days;
using std::chrono::hours;
using namespace std::string_view_literals;

// Of the row that says that an hour was counted.
constexpr auto kAll = ""sv;

std::int64_t hoursOf(Timestamp time) {
    return std::chrono::floor<hours>(time).time_since_epoch().count();
}

std::int64_t daysOf(Timestamp time) {
    return std::chrono::floor<days>(time).time_since_epoch().count();
}

}  // namespace

std::optional<domain::CountedHour> StatisticsTables::lastCounted() {
    // The end of the primary key: each hour that was counted has rows.
    const auto row = connection_.queryOne("SELECT MAX(hour) FROM hourly_counts");
    if (!row || row->isNull(0)) return std::nullopt;
    return domain::CountedHour{hours{row->integer(0)}};
}

std::optional<Timestamp> StatisticsTables::oldestEvent() {
    const auto row = connection_.queryOne("SELECT created_at_us FROM audit_events ORDER BY id LIMIT 1");
    if (!row) return std::nullopt;
    return row->timestamp(0);
}

domain::CountedPart StatisticsTables::count(const Uuid& from, const Uuid& end, unsigned most) {
    domain::CountedPart part;
    // The first one behind the part, where the next begins.
    const auto next =
        connection_.queryOne("SELECT id FROM audit_events WHERE id >= ? AND id < ? ORDER BY id LIMIT 1 OFFSET ?",
                             {from, end, std::int64_t{most}});
    if (next) part.next = next->uuid(0);
    for (const db::Row& row : connection_.query("SELECT event, COUNT(*) FROM audit_events /*! FORCE INDEX (PRIMARY) */"
                                                " WHERE id >= ? AND id < ? GROUP BY event",
                                                {from, part.next.value_or(end)})) {
        part.events[row.text(0)] = row.integer(1);
    }
    for (const db::Row& row :
         connection_.query("SELECT metadata FROM audit_events /*! FORCE INDEX (PRIMARY) */"
                           " WHERE id >= ? AND id < ? AND event = 'OTP_SENT' AND metadata IS NOT NULL",
                           {from, part.next.value_or(end)})) {
        if (const auto delay = delayIn(row.text(0))) ++part.events[domain::delayClassOf(*delay)];
    }
    return part;
}

void StatisticsTables::keep(domain::CountedHour hour, const domain::EventCounts& events) {
    const std::int64_t hourNumber = hoursOf(hour);
    const std::int64_t day = daysOf(hour);
    const std::int64_t dayBegin = hoursOf(std::chrono::floor<days>(hour));
    std::int64_t all = 0;
    for (const auto& [event, times] : events) all += times;
    connection_.transact([&] {
        connection_.execute("DELETE FROM hourly_counts WHERE hour = ?", {hourNumber});
        for (const auto& [event, times] : events) {
            connection_.execute("INSERT INTO hourly_counts (hour, event, times) VALUES (?, ?, ?)",
                                {hourNumber, std::string_view{event}, times});
        }
        connection_.execute("INSERT INTO hourly_counts (hour, event, times) VALUES (?, ?, ?)", {hourNumber, kAll, all});
        connection_.execute("DELETE FROM daily_counts WHERE day = ?", {day});
        for (const db::Row& row : connection_.query(
                 "SELECT event, SUM(times) FROM hourly_counts WHERE hour >= ? AND hour < ? GROUP BY event",
                 {dayBegin, dayBegin + 24})) {
            connection_.execute("INSERT INTO daily_counts (day, event, times) VALUES (?, ?, ?)",
                                {day, row.text(0), row.integer(1)});
        }
    });
}

std::vector<domain::CountedPeriod> StatisticsTables::list(domain::CountedBy unit, const TimeSpan& span) {
    const bool isByDay = unit == domain::CountedBy::Day;
    const std::string sql =
        isByDay ? "SELECT day, event, times FROM daily_counts WHERE day >= ? AND day <= ? AND event <> ? ORDER BY day, "
                  "event"
                : "SELECT hour, event, times FROM hourly_counts WHERE hour >= ? AND hour <= ? AND event <> ?"
                  " ORDER BY hour, event";
    const Timestamp last = span.end - std::chrono::microseconds{1};
    const auto numberOf = [&](Timestamp time) { return isByDay ? daysOf(time) : hoursOf(time); };
    std::vector<domain::CountedPeriod> periods;
    for (const db::Row& row : connection_.query(sql, {numberOf(span.begin), numberOf(last), kAll})) {
        const hours sinceEpoch{row.integer(0) * (isByDay ? 24 : 1)};
        const Timestamp begin{sinceEpoch};
        if (periods.empty() || periods.back().begin != begin) periods.push_back({begin, {}});
        periods.back().events[row.text(1)] = row.integer(2);
    }
    return periods;
}

}  // namespace otpgate::store
