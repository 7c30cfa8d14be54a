#include "otpgate/domain/calling_prefixes.h"

#include "otpgate/base/text.h"

#include <algorithm>

namespace otpgate::domain {

namespace {

constexpr std::string_view kOthers = "*";
constexpr std::size_t kMostDigits = 15;  // of E.164

bool isPrefix(std::string_view text) {
    if (text.size() < 2 || text.size() > kMostDigits + 1 || text[0] != '+' || text[1] == '0') return false;
    return std::ranges::all_of(text.substr(1), isDigit);
}

std::optional<DailyBudget> parseBudget(std::string_view word) {
    const auto colon = word.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    DailyBudget budget{std::string(word.substr(0, colon)), 0};
    if (budget.prefix != kOthers && !isPrefix(budget.prefix)) return std::nullopt;
    const auto messages = parseNumber<std::int64_t>(word.substr(colon + 1));
    if (!messages || *messages < 0 || *messages > DailyBudgets::kMost) return std::nullopt;
    budget.messages = *messages;
    return budget;
}

}  // namespace

std::optional<AllowedPrefixes> AllowedPrefixes::parse(std::vector<std::string> words) {
    if (!std::all_of(words.begin(), words.end(), isPrefix)) return std::nullopt;
    AllowedPrefixes allowed;
    allowed.prefixes_ = std::move(words);
    return allowed;
}

bool AllowedPrefixes::covers(std::string_view number) const {
    return prefixes_.empty() || std::any_of(prefixes_.begin(), prefixes_.end(),
                                            [&](const std::string& prefix) { return number.starts_with(prefix); });
}

std::optional<DailyBudgets> DailyBudgets::parse(const std::vector<std::string>& words) {
    DailyBudgets budgets;
    for (const std::string& word : words) {
        auto budget = parseBudget(word);
        if (!budget) return std::nullopt;
        const bool isThere = std::any_of(budgets.budgets_.begin(), budgets.budgets_.end(),
                                         [&](const DailyBudget& other) { return other.prefix == budget->prefix; });
        if (isThere) return std::nullopt;
        budgets.budgets_.push_back(std::move(*budget));
    }
    // A prefix has two characters at least, so * comes last.
    std::stable_sort(budgets.budgets_.begin(), budgets.budgets_.end(),
                     [](const DailyBudget& a, const DailyBudget& b) { return a.prefix.size() > b.prefix.size(); });
    return budgets;
}

void DailyBudgets::limitOthers(std::int64_t messages) {
    if (budgets_.empty() || budgets_.back().prefix != kOthers) budgets_.push_back({std::string{kOthers}, messages});
}

std::string DailyBudgets::toText() const {
    std::string text;
    for (const DailyBudget& budget : budgets_) {
        text += (text.empty() ? "" : ", ") + budget.prefix + ":" + std::to_string(budget.messages);
    }
    return text;
}

const DailyBudget* DailyBudgets::of(std::string_view number) const {
    const auto found = std::find_if(budgets_.begin(), budgets_.end(), [&](const DailyBudget& budget) {
        return budget.prefix == kOthers || number.starts_with(budget.prefix);
    });
    return found == budgets_.end() ? nullptr : &*found;
}

}  // namespace otpgate::domain
