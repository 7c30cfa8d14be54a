#include "otpgate/delivery/sms_guard.h"

#include "otpgate/base/errors.h"

#include <utility>

namespace otpgate::delivery {

namespace {

using Outcome = SendResult::Outcome;
using Cause = SendResult::Cause;

std::int64_t dayOf(Timestamp now) {
    return std::chrono::floor<std::chrono::days>(now).time_since_epoch().count();
}

}  // namespace

class SmsGuard::Transport final : public SmsTransport {
public:
    Transport(SmsGuard& guard, std::unique_ptr<SmsTransport> transport)
        : guard_(guard),
          transport_(std::move(transport)) {}
    SendResult send(const SmsMessage& message) override { return guard_.send(*transport_, message); }
    void idle() override { transport_->idle(); }
    std::chrono::seconds longestSend() const override { return transport_->longestSend(); }

private:
    SmsGuard& guard_;
    std::unique_ptr<SmsTransport> transport_;
};

SmsGuard::SmsGuard(SmsRules rules, domain::SmsBudgetStore& budgets, const Clock& clock, Logger& log)
    : rules_(std::move(rules)),
      clock_(clock),
      log_(log),
      budgets_(budgets) {}

std::unique_ptr<SmsTransport> SmsGuard::wrap(std::unique_ptr<SmsTransport> transport) {
    if (!transport) return nullptr;
    return std::make_unique<Transport>(*this, std::move(transport));
}

SendResult SmsGuard::send(SmsTransport& transport, const SmsMessage& message) {
    std::optional<Place> place;
    if (auto refused = refusal(message, place)) return std::move(*refused);
    SendResult result = transport.send(message);
    if (place && result.outcome != Outcome::Sent && !result.mayHaveBeenTaken) giveBack(*place);
    noteAdvice(result);
    return result;
}

std::optional<SendResult> SmsGuard::refusal(const SmsMessage& message, std::optional<Place>& place) {
    // Asked when the code was requested, too: this is for what was written before the setting changed.
    if (!rules_.allowedPrefixes.covers(message.recipient)) {
        return SendResult{Outcome::Refused, "number is not covered by sms.allowed_prefixes"};
    }
    const domain::DailyBudget* budget = rules_.dailyBudgets.of(message.recipient);
    if (budget == nullptr) return std::nullopt;
    const std::int64_t day = dayOf(clock_.now());
    try {
        const std::lock_guard turn(database_);
        if (budgets_.take(budget->prefix, day, budget->messages)) {
            place = Place{budget->prefix, day};
            return std::nullopt;
        }
    } catch (const ServiceUnavailable& error) {
        return SendResult{Outcome::TryLater, std::string("SMS budget cannot be counted: ") + error.what(),
                          Cause::Provider};
    }
    noteSpent(*budget, day);
    SendResult refused{Outcome::Refused, "daily SMS budget of " + budget->prefix + " (" +
                                             std::to_string(budget->messages) + ") is spent"};
    refused.isLogged = true;
    return refused;
}

void SmsGuard::giveBack(const Place& place) {
    try {
        const std::lock_guard turn(database_);
        budgets_.giveBack(place.prefix, place.day);
    } catch (const ServiceUnavailable& error) {
        // It stays counted: one message less today, never one too many.
        log_.debug("SMS budget keeps a message that was not sent",
                   {{"prefix", place.prefix}, {"reason", error.what()}});
    }
}

void SmsGuard::noteSpent(const domain::DailyBudget& budget, std::int64_t day) {
    bool isFirst = false;
    {
        const std::lock_guard lock(notes_);
        isFirst = std::exchange(spentOn_[budget.prefix], day) != day;
    }
    log_.log(isFirst ? LogLevel::Warning : LogLevel::Debug,
             "daily SMS budget is spent: messages are refused until midnight UTC",
             {{"prefix", budget.prefix}, {"messages", budget.messages}, {"setting", "sms.daily_budgets"}});
}

void SmsGuard::noteAdvice(const SendResult& result) {
    {
        const std::lock_guard lock(notes_);
        if (result.outcome == Outcome::Sent) advice_.clear();
        if (result.advice.empty() || advice_ == result.advice) return;
        advice_ = result.advice;
    }
    log_.warning("SMS provider refuses what the settings say", {{"reason", result.reason}, {"change", result.advice}});
}

}  // namespace otpgate::delivery
