#include "store/audit_events.h"

namespace otpgate::store {

namespace {

const auto kInsert = db::RowStatement::insert(
    "audit_events",
    {"id", "event", "user_id", "destination", "ip_address", "user_agent", "request_id", "metadata", "created_at_us"});

}  // namespace

void insertAuditEvent(db::Connection& connection, const AuditRow& row) {
    connection.write(kInsert, {row.id, domain::toString(row.event), row.userId, row.destination, row.client.address,
                               row.client.userAgent, row.client.requestId, row.metadata, row.now});
}

}  // namespace otpgate::store
