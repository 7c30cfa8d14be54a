// What telephone numbers begin with: which of them messages go to, and how many messages a day. Immutable, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

// The numbers that messages go to; without a prefix: all.
class AllowedPrefixes {
public:
    AllowedPrefixes() = default;
    // Calling prefixes such as +49, +1 or +1242: + and up to 15 digits, the first not 0. Nullopt for anything else.
    static std::optional<AllowedPrefixes> parse(std::vector<std::string> words);

    bool covers(std::string_view number) const;
    const std::vector<std::string>& prefixes() const { return prefixes_; }

private:
    std::vector<std::string> prefixes_;
};

struct DailyBudget {
    std::string prefix;  // or *: every number that has no budget of its own
    std::int64_t messages = 0;
};

// How many messages a day (UTC) may go to which numbers. The longest prefix of a number is its budget.
class DailyBudgets {
public:
    static constexpr std::int64_t kMost = 1'000'000'000;
    static constexpr std::int64_t kOthersByDefault = 100;

    DailyBudgets() = default;
    // "+49:1000", "*:100". Nullopt for anything else and for a prefix that is there twice.
    static std::optional<DailyBudgets> parse(const std::vector<std::string>& words);

    // The same limit for all numbers together that have none, unless there is one for them (*).
    void limitOthers(std::int64_t messages);

    // Null: the number has none, and so no limit.
    const DailyBudget* of(std::string_view number) const;
    std::string toText() const;  // "+49:1000, *:100"

private:
    std::vector<DailyBudget> budgets_;  // the longest prefix first, * last
};

}  // namespace otpgate::domain
