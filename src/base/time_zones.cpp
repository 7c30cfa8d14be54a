#include "otpgate/base/time_zones.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <unicode/timezone.h>

namespace otpgate {

namespace {

// East of UTC. Of an unknown zone ICU says that it is UTC.
std::chrono::minutes offsetOf(std::string_view zone, Timestamp time) {
    if (zone.empty()) return {};
    const std::unique_ptr<icu::TimeZone> known(icu::TimeZone::createTimeZone(
        icu::UnicodeString::fromUTF8({zone.data(), static_cast<std::int32_t>(zone.size())})));
    std::int32_t standard = 0;
    std::int32_t summer = 0;
    UErrorCode status = U_ZERO_ERROR;
    const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
    known->getOffset(static_cast<UDate>(milliseconds.count()), false, standard, summer, status);
    if (U_FAILURE(status)) return {};
    return std::chrono::floor<std::chrono::minutes>(std::chrono::milliseconds{standard + summer});
}

std::string nameOfOffset(std::chrono::minutes offset) {
    if (offset == offset.zero()) return "UTC";
    const auto minutes = static_cast<int>(std::abs(offset.count()));
    std::string name = offset > offset.zero() ? "UTC+" : "UTC-";
    name += std::to_string(minutes / 60);
    if (minutes % 60 == 0) return name;
    return name + (minutes % 60 < 10 ? ":0" : ":") + std::to_string(minutes % 60);
}

}  // namespace

std::string toLocalMinutes(Timestamp time, std::string_view zone) {
    const auto offset = offsetOf(zone, time);
    const auto minutes = std::chrono::floor<std::chrono::minutes>(time) + offset;
    const auto day = std::chrono::floor<std::chrono::days>(minutes);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(minutes - day);
    std::array<char, 48> text{};
    std::snprintf(text.data(), text.size(), "%04d-%02u-%02u %02d:%02d ", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()));
    return text.data() + nameOfOffset(offset);
}

}  // namespace otpgate
