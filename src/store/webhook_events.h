// Writing to the table webhook_events, inside the transaction of what is told. Where nobody listens, nothing is
// written.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/webhook_events.h"

namespace otpgate::store {

void noteEvent(db::Connection& connection, const domain::ToldEvent& told);

// Of sessions that end, before they do: of this one, or of all of the user's but one.
void tellEndOfSession(db::Connection& connection, const Uuid& userId, const Uuid& sessionId, Timestamp now);
void tellEndOfSessions(db::Connection& connection, const Uuid& userId, const Uuid& keptSession, Timestamp now);

}  // namespace otpgate::store
