// What the SMS guard needs of the table sms_budgets: how many messages went to which numbers on which day. Each
// function is one atomic step, exact over all processes; throws ServiceUnavailable when the database does not answer.
#pragma once

#include <cstdint>
#include <string>

namespace otpgate::domain {

class SmsBudgetStore {
public:
    virtual ~SmsBudgetStore() = default;
    // Counts one more message. False, and nothing counted, where `limit` are counted. `day`: since 1970, in UTC.
    virtual bool take(const std::string& prefix, std::int64_t day, std::int64_t limit) = 0;
    // Counts one message less: it was not sent.
    virtual void giveBack(const std::string& prefix, std::int64_t day) = 0;
};

}  // namespace otpgate::domain
