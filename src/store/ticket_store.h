// Used tickets, in the table rate_limits: a ticket is a bucket with room for one, and old buckets are cleared away
// already.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/ticket_store.h"

namespace otpgate::store {

class TicketTable final : public domain::TicketStore {
public:
    explicit TicketTable(db::Connection& connection) : connection_(connection) {}
    bool use(const Uuid& ticket, Timestamp expiresAt) override;

private:
    db::Connection& connection_;
};

}  // namespace otpgate::store
