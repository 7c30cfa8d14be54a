#include "start_notes.h"

namespace otpgate {

std::vector<std::string> startNotes(const Settings& settings) {
    std::vector<std::string> notes;
    notes.emplace_back(settings.apiKeyHolders == domain::ApiKeyHolders::Admins
                           ? "api_keys.allowed = admins: administrators alone have messages sent by API keys"
                           : "api_keys.allowed = everybody: whoever signs in has messages sent by API keys");
    if (settings.sms.transport != delivery::SmsTransportKind::None) {
        notes.push_back("sms.daily_budgets = " + settings.sms.rules.dailyBudgets.toText() +
                        ": so many SMS a day, and none beyond");
    }
    return notes;
}

}  // namespace otpgate
