// The rotation of a refresh token by a grouped CALL; see sql/mysql/procedures/token_refresh.sql.
#include "store/packed_call.h"
#include "store/session_store.h"

#include <stdexcept>

namespace otpgate::store {

// In the order and widths of token_refresh.sql.
domain::SessionRefreshResult MysqlSessionStore::refresh(const domain::SessionRefresh& refresh) {
    using Outcome = domain::SessionRefreshResult::Outcome;
    PackedCall call(428);
    call.id(refresh.sessionId)
        .integer(refresh.counter)
        .time(refresh.now)
        .time(refresh.expiresAt)
        .time(refresh.graceSince)
        .id(refresh.auditId)
        .text(refresh.client.address, 45)
        .text(refresh.client.userAgent, 255)
        .text(refresh.client.requestId, 64);
    const std::string_view keys[] = {refresh.sessionId.bytes()};
    const db::Row row = connection_.callGrouped("CALL token_refresh(?)", {call.view(), keys});
    const std::string& word = row.text(1);
    if (word == "rotated") return {Outcome::Rotated, row.uuid(2), row.timestamp(3), row.text(4)};
    if (word == "repeated") return {Outcome::Repeated, row.uuid(2), row.timestamp(3), row.text(4)};
    if (word == "reused") return {Outcome::Reused, {}, {}, {}};
    if (word == "ended") return {Outcome::Ended, {}, {}, {}};
    throw std::runtime_error("unknown outcome of token_refresh: " + word);
}

}  // namespace otpgate::store
