// The table sms_budgets.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/stores.h"

namespace otpgate::store {

class SmsBudgetTable final : public domain::SmsBudgetStore {
public:
    explicit SmsBudgetTable(db::Connection& connection) : connection_(connection) {}
    bool take(const std::string& prefix, std::int64_t day, std::int64_t limit) override;
    void giveBack(const std::string& prefix, std::int64_t day) override;

private:
    bool takeNext(const std::string& prefix, std::int64_t day, std::int64_t limit);

    db::Connection& connection_;
};

}  // namespace otpgate::store
