// What waits for webhooks, and how long one of them has failed: for GET /metrics.
#pragma once

#include "otpgate/db/connection.h"

#include <cstdint>
#include <optional>

namespace otpgate::store {

struct WebhookLevels {
    std::int64_t waiting = 0;                 // notices to be posted, and events of which none were made yet
    std::int64_t dead = 0;                    // given up and kept
    std::int64_t failing = 0;                 // receivers that took nothing at the last try, but for the disabled
    std::optional<Timestamp> failingSince{};  // of those, since when the one that has failed the longest does
};

// Reads an index and two tables that are small where all is well. Throws ServiceUnavailable.
WebhookLevels readWebhookLevels(db::Connection& connection);

}  // namespace otpgate::store
