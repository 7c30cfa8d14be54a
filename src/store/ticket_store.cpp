#include "store/ticket_store.h"

#include "otpgate/domain/limits.h"

namespace otpgate::store {

namespace {}  // namespace

bool TicketTable::use(const Uuid& ticket, Timestamp expiresAt) {
    const std::string bucket = domain::limitBucket("ticket", ticket.bytes());
    try {
        // One statement, so the unique key says who was first.
        connection_.execute("INSERT INTO rate_limits (bucket, hits, expires_at_us, refused_at_us) VALUES (?, ?, ?, 0)",
                            {db::Param::blob(bucket), db::Param::blob(""), expiresAt + kClocksApart});
        return true;
    } catch (const db::DbError& error) {
        if (error.kind() != db::ErrorKind::Duplicate) throw;
        return false;
    }
}

}  // namespace otpgate::store
