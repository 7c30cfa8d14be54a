#include "store/retention_store.h"

namespace otpgate::store {

namespace {

// A host whose clock is behind still takes the context that the row counts the checks of.
constexpr std::chrono::hours kClocksApart{1};
// How long the counted messages of a day can be looked up.
constexpr std::int64_t kBudgetDays = 31;

}  // namespace

std::uint64_t RetentionTables::purge(const Bounds& bounds, unsigned batch) {
    // Ids are UUIDv7: what is older than a moment is a range at the beginning of the primary key.
    const Uuid oldestOtp = Uuid::lowestV7(bounds.otpRequestsBefore);
    const Uuid oldestAudit = Uuid::lowestV7(bounds.auditBefore);
    const Uuid oldestSession = Uuid::lowestV7(bounds.sessionsBefore);
    const Uuid oldestDevice = Uuid::lowestV7(bounds.devicesBefore);
    const Uuid oldestDeadLetter = Uuid::lowestV7(bounds.deadLettersBefore);
    std::uint64_t deleted = connection_.execute(
        "DELETE FROM otp_requests WHERE id IN (SELECT id FROM (SELECT id FROM otp_requests WHERE id < ? ORDER BY id "
        "LIMIT ?) q)",
        {oldestOtp, batch});
    deleted += connection_.execute(
        "DELETE FROM audit_events WHERE id IN (SELECT id FROM (SELECT id FROM audit_events WHERE id < ? ORDER BY id "
        "LIMIT ?) q)",
        {oldestAudit, batch});
    // A session lives as long as it is refreshed, so its age alone does not say that it is over.
    deleted += connection_.execute(
        "DELETE FROM sessions WHERE id IN (SELECT id FROM (SELECT id FROM sessions WHERE id < ?"
        " AND (expires_at_us < ? OR revoked_at_us < ?) ORDER BY id LIMIT ?) q)",
        {oldestSession, bounds.sessionsBefore, bounds.sessionsBefore, batch});
    // A device that nobody has signed in from for long is a stranger again.
    deleted += connection_.execute(
        "DELETE FROM devices WHERE id IN (SELECT id FROM (SELECT id FROM devices WHERE id < ? AND last_seen_at_us < ?"
        " ORDER BY id LIMIT ?) q)",
        {oldestDevice, bounds.devicesBefore, batch});
    // Given up after it was made, so what is young enough is not even looked at.
    deleted += connection_.execute(
        "DELETE FROM outbox WHERE id IN (SELECT id FROM (SELECT id FROM outbox WHERE id < ? AND dead_at_us < ?"
        " ORDER BY id LIMIT ?) q)",
        {oldestDeadLetter, bounds.deadLettersBefore, batch});
    return deleted + purgeVerifications(bounds.now, batch) + purgeRateLimits(bounds.now, batch) +
           purgeSmsBudgets(bounds.now);
}

// A row for each budget and day, so there is never much of it.
std::uint64_t RetentionTables::purgeSmsBudgets(Timestamp now) {
    const std::int64_t day = std::chrono::floor<std::chrono::days>(now).time_since_epoch().count();
    return connection_.execute("DELETE FROM sms_budgets WHERE day < ?", {day - kBudgetDays});
}

std::uint64_t RetentionTables::purgeVerifications(Timestamp now, unsigned batch) {
    return connection_.execute(
        "DELETE FROM verification_attempts WHERE id IN (SELECT id FROM (SELECT id FROM verification_attempts"
        " WHERE expires_at_us < ? ORDER BY expires_at_us LIMIT ?) q)",
        {now - kClocksApart, batch});
}

std::uint64_t RetentionTables::purgeRateLimits(Timestamp now, unsigned batch) {
    // On to the first batch with something to delete, or to the end of the table.
    while (true) {
        const auto rows =
            connection_.query("SELECT bucket, expires_at_us FROM rate_limits WHERE bucket > ? ORDER BY bucket LIMIT ?",
                              {db::Param::blob(lastBucket_), batch});
        std::uint64_t deleted = 0;
        for (const db::Row& row : rows) {
            lastBucket_ = row.text(0);
            if (row.timestamp(1) > now) continue;
            deleted += connection_.execute("DELETE FROM rate_limits WHERE bucket = ? AND expires_at_us <= ?",
                                           {db::Param::blob(lastBucket_), now});
        }
        const bool isEnd = rows.size() < batch;
        if (isEnd) lastBucket_.assign(16, '\0');
        if (isEnd || deleted > 0) return deleted;
    }
}

}  // namespace otpgate::store
