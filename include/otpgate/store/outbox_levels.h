// How full the outbox is: for GET /metrics.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/outbox_admin_store.h"

namespace otpgate::store {

using OutboxLevels = domain::OutboxLevels;

// Reads indexes alone, but for the dead ones that are older than everything that waits. Throws ServiceUnavailable.
OutboxLevels readOutboxLevels(db::Connection& connection);

}  // namespace otpgate::store
