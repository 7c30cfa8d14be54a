#include "otpgate/store/outbox_levels.h"

namespace otpgate::store {

namespace {

// The year 2200: later than any lease or rest, and earlier than "beyond all time", where dead messages are.
constexpr Timestamp kAnyTime{std::chrono::sys_days{std::chrono::year{2200} / 1 / 1}};

}  // namespace

OutboxLevels readOutboxLevels(db::Connection& connection) {
    OutboxLevels levels;
    levels.waiting =
        connection.query("SELECT COUNT(*) FROM outbox WHERE available_at_us < ?", {kAnyTime}).at(0).integer(0);
    levels.dead =
        connection.query("SELECT COUNT(*) FROM outbox WHERE available_at_us >= ?", {kAnyTime}).at(0).integer(0);
    // Ids are in the order of their making.
    const auto oldest =
        connection.queryOne("SELECT created_at_us FROM outbox WHERE dead_at_us IS NULL ORDER BY id LIMIT 1");
    if (oldest) levels.oldest = oldest->timestamp(0);
    return levels;
}

}  // namespace otpgate::store
