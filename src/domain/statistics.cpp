#include "otpgate/domain/statistics.h"

namespace otpgate::domain {

namespace {

using std::chrono::days;
using std::chrono::hours;
using namespace std::chrono_literals;

// An event's id says when its request began: it may have waited for others, and the hosts' clocks are apart.
constexpr std::chrono::minutes kLate{5};
constexpr unsigned kPart = 2'000;
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

}  // namespace otpgate::domain
