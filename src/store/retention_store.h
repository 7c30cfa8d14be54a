// Deletes what nobody needs any more, by primary key and in small batches.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/stores.h"

#include <string>

namespace otpgate::store {

class RetentionTables final : public domain::RetentionStore {
public:
    explicit RetentionTables(db::Connection& connection) : connection_(connection) {}
    std::uint64_t purge(const Bounds& bounds, unsigned batch) override;

private:
    std::uint64_t purgeVerifications(Timestamp now, unsigned batch);
    std::uint64_t purgeRateLimits(Timestamp now, unsigned batch);
    std::uint64_t purgeSmsBudgets(Timestamp now);

    db::Connection& connection_;
    std::string lastBucket_ =
        std::string(16, '\0');  // where the walk through rate_limits stands: the table has no index by time
};

}  // namespace otpgate::store
