// The one seam for time: everything that asks for "now" gets a Clock as an argument. Safe to use from any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace otpgate {

// Microseconds since 1970 in UTC: what the database columns named *_at_us hold.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;

class Clock {
public:
    virtual ~Clock() = default;
    virtual Timestamp now() const = 0;
};

class SystemClock final : public Clock {
public:
    Timestamp now() const override;
};

// How far the clock of another host of ours may be behind. What was used is remembered for so long beyond its end: that
// host would still take it.
inline constexpr std::chrono::hours kClocksApart{1};

constexpr std::int64_t toMicroseconds(Timestamp time) {
    return time.time_since_epoch().count();
}
constexpr Timestamp fromMicroseconds(std::int64_t value) {
    return Timestamp{std::chrono::microseconds{value}};
}

// RFC 3339 in UTC with Z and whole seconds: "2026-11-20T05:12:00Z".
std::string formatRfc3339(Timestamp time);

// What a written time stands for: from `begin` until just before `end`.
struct TimeSpan {
    Timestamp begin;
    Timestamp end;
};

// A date-time of RFC 3339, section 5.6, with any offset: the second, or the fraction of one, that it names.
std::optional<TimeSpan> parseRfc3339(std::string_view text);
// The same, or YYYY-MM-DD: that day in UTC.
std::optional<TimeSpan> parseDateOrTime(std::string_view text);

}  // namespace otpgate
