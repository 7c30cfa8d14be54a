// What may be sent by SMS: to which numbers, and how many messages a day. Stands before every SMS transport of a
// process. Any thread.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/log.h"
#include "otpgate/delivery/sms_transport.h"
#include "otpgate/domain/sms_budget_store.h"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace otpgate::delivery {

class SmsGuard {
public:
    // The guard is the only one who uses `budgets`, one thread at a time.
    SmsGuard(SmsRules rules, domain::SmsBudgetStore& budgets, const Clock& clock, Logger& log);

    // The same transport, which now refuses what the rules do not allow; null stays null. The guard outlives it.
    //
    // A place in the budget is taken before a message goes to the provider, and given back when the provider did not
    // take the message. Where no answer came it stays counted: the message may be on its way, and be paid for.
    std::unique_ptr<SmsTransport> wrap(std::unique_ptr<SmsTransport> transport);

private:
    class Transport;
    struct Place {
        std::string prefix;
        std::int64_t day = 0;
    };

    SendResult send(SmsTransport& transport, const SmsMessage& message);
    // Why the message may not be sent; else `place` is what it takes of its budget, if it has one.
    std::optional<SendResult> refusal(const SmsMessage& message, std::optional<Place>& place);
    void giveBack(const Place& place);
    // Each says it in the log at the first time only.
    void noteSpent(const domain::DailyBudget& budget, std::int64_t day);
    void noteAdvice(const SendResult& result);

    const SmsRules rules_;
    const Clock& clock_;
    Logger& log_;
    std::mutex database_;  // over budgets_
    domain::SmsBudgetStore& budgets_;
    std::mutex notes_;                             // over the next two
    std::map<std::string, std::int64_t> spentOn_;  // prefix -> the last day that was said to be spent
    std::string advice_;                           // what was said to be wrong; empty after a message got through
};

}  // namespace otpgate::delivery
