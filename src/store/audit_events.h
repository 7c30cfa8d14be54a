// Writing to the table audit_events, inside the transaction of what the event tells.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/models.h"

#include <optional>
#include <string>

namespace otpgate::store {

struct AuditRow {
    const Uuid& id;
    domain::AuditEvent event;
    std::optional<Uuid> userId;
    std::optional<std::string> destination;
    const domain::Client& client;
    Timestamp now;
    std::optional<std::string> metadata = std::nullopt;  // a JSON object
    std::optional<Uuid> sessionId = std::nullopt;        // that a sign-in has opened; it is not written here
};

// Tells webhooks, too.
void insertAuditEvent(db::Connection& connection, const AuditRow& row);
// Alone, of what the trail tells in another row.
void tellWebhooks(db::Connection& connection, const AuditRow& row);

}  // namespace otpgate::store
