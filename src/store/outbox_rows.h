// Rows of the table outbox, as transactions of several stores write them beside their own. (The procedure otp_request
// writes its own.)
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/models.h"

namespace otpgate::store {

// Within the caller's transaction. The row is as it will be claimed, with `attempts` 0.
void insertMessage(db::Connection& connection, const domain::OutboxMessage& message);

}  // namespace otpgate::store
