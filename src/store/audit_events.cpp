#include "store/audit_events.h"

#include "store/webhook_events.h"

namespace otpgate::store {

namespace {

const auto kInsertEvent = db::RowStatement::insert(
    "audit_events",
    {"id", "event", "user_id", "destination", "ip_address", "user_agent", "request_id", "metadata", "created_at_us"});

// Who acts on another's account stands first in what the event tells. Of an id no character needs to be escaped.
std::optional<std::string> withActor(const std::optional<std::string>& metadata, const std::optional<Uuid>& actor) {
    if (!actor) return metadata;
    const std::string by = R"({"by":")" + actor->toString() + '"';
    if (!metadata || *metadata == "{}") return by + '}';
    return by + ',' + metadata->substr(1);
}

}  // namespace

void insertAuditEvent(db::Connection& connection, const AuditRow& row) {
    connection.write(kInsertEvent,
                     {row.id, domain::toString(row.event), row.userId, row.destination, row.client.address,
                      row.client.userAgent, row.client.requestId, withActor(row.metadata, row.client.actor), row.now});
    tellWebhooks(connection, row);
}

void tellWebhooks(db::Connection& connection, const AuditRow& row) {
    // Of an address without an account there is nothing that others could do with it.
    const auto tellable = row.userId ? domain::tellableEvent(row.event) : std::nullopt;
    if (!tellable) return;
    noteEvent(connection,
              {row.id, tellable->event, row.userId, row.sessionId, std::string{tellable->details}, row.now});
}

}  // namespace otpgate::store
