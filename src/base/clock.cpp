#include "otpgate/base/clock.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace otpgate {

namespace {

// Takes what is understood from the front of the text; a step that fails makes all later ones fail.
class TimeReader {
public:
    explicit TimeReader(std::string_view text) : rest_(text) {}

    bool isAtEnd() const { return isGood_ && rest_.empty(); }
    bool sees(std::string_view characters) const {
        return !rest_.empty() && characters.find(rest_.front()) != std::string_view::npos;
    }
    void skip(std::string_view characters) {
        if (!sees(characters)) isGood_ = false;
        if (isGood_) rest_.remove_prefix(1);
    }
    int number(std::size_t digits, int lowest, int highest) {
        int value = 0;
        for (std::size_t i = 0; i < digits; ++i) {
            const char c = rest_.empty() ? '\0' : rest_.front();
            skip("0123456789");
            value = value * 10 + (c - '0');
        }
        if (value < lowest || value > highest) isGood_ = false;
        return value;
    }

    std::chrono::sys_days date() {
        const int year = number(4, 0, 9999);
        skip("-");
        const int month = number(2, 1, 12);
        skip("-");
        const int day = number(2, 1, 31);
        const std::chrono::year_month_day date(std::chrono::year{year},
                                               std::chrono::month{static_cast<unsigned>(month)},
                                               std::chrono::day{static_cast<unsigned>(day)});
        if (!date.ok()) isGood_ = false;
        return isGood_ ? std::chrono::sys_days{date} : std::chrono::sys_days{};
    }
    std::chrono::seconds timeOfDay() {
        const std::chrono::hours hours{number(2, 0, 23)};
        skip(":");
        const std::chrono::minutes minutes{number(2, 0, 59)};
        skip(":");
        return hours + minutes + std::chrono::seconds{number(2, 0, 60)};  // 60: a leap second
    }
    // ".25" is {250000 us, 10000 us}: the value, and the worth of its last digit.
    std::pair<std::chrono::microseconds, std::chrono::microseconds> fraction() {
        std::chrono::microseconds value{0};
        std::chrono::microseconds unit{std::chrono::seconds{1}};
        if (!sees(".")) return {value, unit};
        skip(".");
        std::int64_t digitWorth = unit.count();
        do {
            const int digit = number(1, 0, 9);
            digitWorth /= 10;
            value += std::chrono::microseconds{digit * digitWorth};
        } while (sees("0123456789"));
        return {value, std::chrono::microseconds{std::max<std::int64_t>(digitWorth, 1)}};
    }
    std::chrono::minutes offset() {
        if (sees("Zz")) {
            skip("Zz");
            return {};
        }
        const int sign = sees("-") ? -1 : 1;
        skip("+-");
        const std::chrono::hours hours{number(2, 0, 23)};
        skip(":");
        return sign * (hours + std::chrono::minutes{number(2, 0, 59)});
    }

private:
    std::string_view rest_;
    bool isGood_ = true;
};

}  // namespace

Timestamp SystemClock::now() const {
    return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
}

std::string formatRfc3339(Timestamp time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
    std::array<char, 64> text{};
    const int length = std::snprintf(
        text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
        static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()));
    return {text.data(), static_cast<std::size_t>(length)};
}

std::optional<TimeSpan> parseRfc3339(std::string_view text) {
    TimeReader reader(text);
    const auto day = reader.date();
    reader.skip("Tt ");
    const auto time = reader.timeOfDay();
    const auto [fraction, unit] = reader.fraction();
    const auto offset = reader.offset();
    if (!reader.isAtEnd()) return std::nullopt;
    const Timestamp begin = day + time + fraction - offset;
    return TimeSpan{begin, begin + unit};
}

std::optional<TimeSpan> parseDateOrTime(std::string_view text) {
    TimeReader reader(text);
    const auto day = reader.date();
    if (!reader.isAtEnd()) return parseRfc3339(text);
    return TimeSpan{day, day + std::chrono::days{1}};
}

}  // namespace otpgate
