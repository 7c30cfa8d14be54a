// How full the outbox is: for GET /metrics.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/db/connection.h"

#include <cstdint>
#include <optional>

namespace otpgate::store {

struct OutboxLevels {
    std::int64_t waiting = 0;         // to be sent, or being sent
    std::int64_t dead = 0;            // given up and kept
    std::optional<Timestamp> oldest;  // since when the longest of those has been waiting
};

// Reads indexes alone, but for the dead ones that are older than everything that waits. Throws ServiceUnavailable.
OutboxLevels readOutboxLevels(db::Connection& connection);

}  // namespace otpgate::store
