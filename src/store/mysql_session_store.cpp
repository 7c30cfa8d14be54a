// The rotation of a refresh token as one CALL; see sql/mysql/procedures/token_refresh.sql.
#include "store/session_store.h"

#include <stdexcept>

namespace otpgate::store {

domain::SessionRefreshResult MysqlSessionStore::refresh(const domain::SessionRefresh& refresh) {
    using Outcome = domain::SessionRefreshResult::Outcome;
    const auto rows =
        connection_.call("CALL token_refresh(?, ?, ?, ?, ?, ?, ?, ?, ?)",
                         {refresh.sessionId, refresh.counter, refresh.now, refresh.expiresAt, refresh.graceSince,
                          refresh.auditId, refresh.client.address, refresh.client.userAgent, refresh.client.requestId});
    const db::Row& row = rows.at(0);
    const std::string& word = row.text(0);
    if (word == "rotated") return {Outcome::Rotated, row.uuid(1), row.timestamp(2), row.text(3)};
    if (word == "repeated") return {Outcome::Repeated, row.uuid(1), row.timestamp(2), row.text(3)};
    if (word == "reused") return {Outcome::Reused, {}, {}, {}};
    if (word == "ended") return {Outcome::Ended, {}, {}, {}};
    throw std::runtime_error("unknown outcome of token_refresh: " + word);
}

}  // namespace otpgate::store
