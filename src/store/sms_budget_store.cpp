#include "store/sms_budget_store.h"

namespace otpgate::store {

bool SmsBudgetTable::takeNext(const std::string& prefix, std::int64_t day, std::int64_t limit) {
    return connection_.execute("UPDATE sms_budgets SET sent = sent + 1 WHERE prefix = ? AND day = ? AND sent < ?",
                               {prefix, day, limit}) == 1;
}

bool SmsBudgetTable::take(const std::string& prefix, std::int64_t day, std::int64_t limit) {
    if (limit < 1) return false;
    if (takeNext(prefix, day, limit)) return true;
    // The first message of the day, or there is no place left.
    try {
        connection_.execute("INSERT INTO sms_budgets (prefix, day, sent) VALUES (?, ?, 1)", {prefix, day});
        return true;
    } catch (const db::DbError& error) {
        if (error.kind() != db::ErrorKind::Duplicate) throw;
    }
    // Somebody else's was the first.
    return takeNext(prefix, day, limit);
}

void SmsBudgetTable::giveBack(const std::string& prefix, std::int64_t day) {
    connection_.execute("UPDATE sms_budgets SET sent = sent - 1 WHERE prefix = ? AND day = ? AND sent > 0",
                        {prefix, day});
}

}  // namespace otpgate::store
