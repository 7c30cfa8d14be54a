#include "otpgate/store/outbox_levels.h"

#include "otpgate/domain/outbox_store.h"

namespace otpgate::store {

OutboxLevels readOutboxLevels(db::Connection& connection) {
    // By the channels, because they are the first column of the index that has the times.
    const auto count = [&connection](const std::string& condition) {
        const auto row = connection.queryOne(
            "SELECT COUNT(*) FROM outbox WHERE channel IN ('email', 'sms') AND available_at_us " + condition,
            {domain::kNever});
        return row.value().integer(0);
    };
    OutboxLevels levels{.waiting = count("< ?"), .dead = count("= ?"), .oldest = std::nullopt};
    // Ids are in the order of their making.
    const auto oldest =
        connection.queryOne("SELECT created_at_us FROM outbox WHERE dead_at_us IS NULL ORDER BY id LIMIT 1");
    if (oldest) levels.oldest = oldest->timestamp(0);
    return levels;
}

}  // namespace otpgate::store
