#include "otpgate/domain/statistics.h"

#include <algorithm>
#include <utility>

namespace otpgate::domain {

namespace {

using std::chrono::days;
using std::chrono::hours;
using namespace std::chrono_literals;

// An event's id says when its request began: it may have waited for others, and the hosts' clocks are apart.
constexpr std::chrono::minutes kLate{5};
constexpr unsigned kPart = 2'000;
// What a question counts by itself: six minutes of a hundred thousand events an hour, three times over.
constexpr unsigned kPartOfAQuestion = 10'000;
constexpr int kPartsOfAQuestion = 3;
constexpr days kDaysUnlessSaid{30};
constexpr hours kHoursUnlessSaid{48};
constexpr std::chrono::seconds kDelays[] = {1s, 2s, 5s, 10s, 30s, 60s, 300s};

hours lengthOf(CountedBy unit) {
    return unit == CountedBy::Day ? hours{24} : hours{1};
}

Timestamp beginOf(CountedBy unit, Timestamp time) {
    if (unit == CountedBy::Day) return std::chrono::floor<days>(time);
    return std::chrono::floor<hours>(time);
}

// When the event with this id began.
Timestamp timeOf(const Uuid& id) {
    std::uint64_t milliseconds = 0;
    for (const char byte : id.bytes().substr(0, 6)) milliseconds = milliseconds << 8 | static_cast<std::uint8_t>(byte);
    return Timestamp{std::chrono::milliseconds{static_cast<std::int64_t>(milliseconds)}};
}

void add(std::vector<CountedPeriod>& periods, Timestamp begin, const EventCounts& events) {
    if (periods.empty() || periods.back().begin != begin) periods.push_back({begin, {}});
    for (const auto& [event, times] : events) periods.back().events[event] += times;
}

}  // namespace

std::string delayClassOf(std::chrono::milliseconds delay) {
    for (const std::chrono::seconds most : kDelays) {
        if (delay <= most) return "OTP_SENT_" + std::to_string(most.count()) + "S";
    }
    return "OTP_SENT_LATE";
}

std::string_view toString(CountedBy unit) {
    switch (unit) {
    case CountedBy::Hour: return "hour";
    case CountedBy::Day: return "day";
    }
    return {};
}

std::optional<CountedBy> parseCountedBy(std::string_view text) {
    for (const CountedBy unit : {CountedBy::Hour, CountedBy::Day}) {
        if (text == toString(unit)) return unit;
    }
    return std::nullopt;
}

std::optional<CountedHour> hourToCount(const std::optional<CountedHour>& last,
                                       const std::optional<Timestamp>& oldestEvent, Timestamp now) {
    if (!last && !oldestEvent) return std::nullopt;
    const CountedHour hour = last ? *last + hours{1} : std::chrono::floor<hours>(*oldestEvent);
    if (hour + hours{1} + kLate > now) return std::nullopt;
    return hour;
}

std::optional<TimeSpan> statisticsSpan(CountedBy unit, const std::optional<Timestamp>& since,
                                       const std::optional<Timestamp>& before, Timestamp now) {
    const Timestamp end = before.value_or(now);
    const hours usual = unit == CountedBy::Day ? hours{kDaysUnlessSaid} : kHoursUnlessSaid;
    const TimeSpan span{beginOf(unit, since.value_or(end - usual)), end};
    if (span.begin >= span.end || span.end - span.begin > kMostPeriods * lengthOf(unit)) return std::nullopt;
    return span;
}

bool UnfinishedHours::countPart(StatisticsStore& store, Count& count, Timestamp end, unsigned most) {
    const Timestamp hourEnd = count.hour + hours{1};
    const Uuid stop = Uuid::lowestV7(std::min(hourEnd, end));
    if (count.next < stop) {
        const CountedPart part = store.count(count.next, stop, most);
        for (const auto& [event, times] : part.events) count.hours[count.hour][event] += times;
        count.next = part.next.value_or(stop);
        if (part.next) return true;
    }
    if (end < hourEnd) return false;
    count.hour += hours{1};
    return true;
}

UnfinishedHours::Count UnfinishedHours::begun(StatisticsStore& store, Timestamp now) const {
    const auto last = store.lastCounted();
    const CountedHour before = std::chrono::floor<hours>(now) - hours{1};
    const std::lock_guard lock(mutex_);
    Count count = count_;
    count.first = last ? std::max(*last + hours{1}, before) : before;
    std::erase_if(count.hours, [&](const auto& each) { return each.first < count.first; });
    if (count.hour < count.first) {
        count.hour = count.first;
        count.next = Uuid::lowestV7(count.first);
    }
    return count;
}

bool UnfinishedHours::countOn(StatisticsStore& store, Timestamp now) {
    Count count = begun(store, now);
    const bool isMore = countPart(store, count, now - kLate, kPart);
    const std::lock_guard lock(mutex_);
    count_ = std::move(count);
    return isMore;
}

UnfinishedHours::Counted UnfinishedHours::list(StatisticsStore& store, Timestamp now) const {
    Count count = begun(store, now);
    bool isMore = true;
    for (int part = 0; isMore && part < kPartsOfAQuestion; ++part)
        isMore = countPart(store, count, now, kPartOfAQuestion);
    Counted counted{{}, count.first, isMore ? timeOf(count.next) : now};
    for (auto& [hour, events] : count.hours) counted.hours.push_back({hour, std::move(events)});
    return counted;
}

bool Statistics::countOn() {
    if (!begun_) {
        const auto last = store_.lastCounted();
        const auto hour = hourToCount(last, last ? std::nullopt : store_.oldestEvent(), clock_.now());
        if (!hour) return false;
        begun_ = Begun{*hour, Uuid::lowestV7(*hour), {}};
    }
    const CountedPart part = store_.count(begun_->next, Uuid::lowestV7(begun_->hour + hours{1}), kPart);
    for (const auto& [event, times] : part.events) begun_->events[event] += times;
    if (part.next) {
        begun_->next = *part.next;
        return true;
    }
    store_.keep(begun_->hour, begun_->events);
    begun_.reset();
    return true;
}

std::optional<Timestamp> Statistics::countedUntil() {
    const auto last = store_.lastCounted();
    if (!last) return std::nullopt;
    return *last + hours{1};
}

Statistics::Listed Statistics::list(CountedBy unit, const TimeSpan& span) {
    const auto unfinished = unfinished_.list(store_, clock_.now());
    Listed listed;
    do {
        listed.countedUntil = countedUntil();
        listed.periods = store_.list(unit, span);
        // An hour that was counted for good meanwhile is perhaps in its day, and perhaps not.
    } while (countedUntil() != listed.countedUntil);
    for (const CountedPeriod& hour : unfinished.hours) {
        if (listed.countedUntil && hour.begin < *listed.countedUntil) continue;
        if (hour.begin >= span.begin && hour.begin < span.end)
            add(listed.periods, beginOf(unit, hour.begin), hour.events);
    }
    const bool isGap = listed.countedUntil && *listed.countedUntil < unfinished.since;
    listed.until = std::min(span.end, isGap ? *listed.countedUntil : unfinished.until);
    return listed;
}

}  // namespace otpgate::domain
