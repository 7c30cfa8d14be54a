#include "store/retention_store.h"

#include <array>
#include <vector>

namespace otpgate::store {

namespace {

// How long the counted messages of a day can be looked up.
constexpr std::int64_t kBudgetDays = 31;
constexpr std::size_t kKeyBytes = 16;

// Ids are UUIDv7: what is older than a moment is a range at the beginning of the primary key.
std::string before(Timestamp time) {
    return std::string{Uuid::lowestV7(time).bytes()};
}

}  // namespace

RetentionTables::RetentionTables(db::Connection& connection)
    : connection_(connection),
      codes_(walkThrough("otp_requests", "id", "")),
      // A session lives as long as it is refreshed, so its age alone does not say that it is over.
      sessions_(walkThrough("sessions", "id", " AND (expires_at_us < ? OR revoked_at_us < ?)")),
      // A device that nobody has signed in from for long is a stranger again.
      devices_(walkThrough("devices", "id", " AND last_seen_at_us < ?")),
      events_(walkThrough("audit_events", "id", "")),
      deadLetters_(walkThrough("outbox", "id", " AND dead_at_us < ?")),
      verifications_(walkThrough("verification_attempts", "id", " AND expires_at_us < ?")),
      deliveries_(walkThrough("webhook_deliveries", "event_id", " AND dead_at_us < ?")),
      grants_(walkThrough("oidc_grants", "id", " AND (expires_at_us < ? OR ended_at_us < ?)")),
      limits_(walkThrough("rate_limits", "bucket", " AND expires_at_us <= ?")) {}

RetentionTables::Walk RetentionTables::walkThrough(const std::string& table, const std::string& key,
                                                   const std::string& spent) {
    const std::string range = " FROM " + table + " WHERE " + key + " >= ? AND " + key + " < ?";
    return {.nextSql = "SELECT " + key + range + " ORDER BY " + key + " LIMIT 1 OFFSET ?",
            .deleteSql = "DELETE" + range + spent,
            .next = std::string(kKeyBytes, '\0')};
}

domain::RetentionStore::Progress RetentionTables::purge(const Bounds& bounds, unsigned batch) {
    const std::array<Walk*, 9> walks{&codes_,         &sessions_,   &devices_, &events_, &deadLetters_,
                                     &verifications_, &deliveries_, &grants_,  &limits_};
    std::uint64_t deleted = purgeSmsBudgets(bounds.now);
    deleted += go(codes_, before(bounds.otpRequestsBefore), {}, batch);
    deleted += go(sessions_, before(bounds.sessionsBefore), {bounds.sessionsBefore, bounds.sessionsBefore}, batch);
    deleted += go(devices_, before(bounds.devicesBefore), {bounds.devicesBefore}, batch);
    deleted += go(events_, before(bounds.auditBefore), {}, batch);
    deleted += go(deadLetters_, before(bounds.deadLettersBefore), {bounds.deadLettersBefore}, batch);
    deleted += go(verifications_, before(bounds.now), {bounds.now - kClocksApart}, batch);
    deleted += go(deliveries_, before(bounds.now), {bounds.deadLettersBefore}, batch);
    deleted += go(grants_, before(bounds.sessionsBefore), {bounds.sessionsBefore, bounds.sessionsBefore}, batch);
    deleted += go(limits_, std::string(kKeyBytes + 1, '\xff'), {bounds.now}, batch);

    bool isOver = true;
    for (const Walk* walk : walks) isOver = isOver && walk->isOver;
    if (isOver) {
        for (Walk* walk : walks) {
            walk->next.assign(kKeyBytes, '\0');
            walk->isOver = false;
        }
    }
    return {deleted, isOver};
}

std::uint64_t RetentionTables::go(Walk& walk, const std::string& end, std::initializer_list<db::Param> bounds,
                                  unsigned batch) {
    if (walk.isOver) return 0;
    // The first row behind the batch, where the next one begins.
    const auto next =
        connection_.queryOne(walk.nextSql, {db::Param::blob(walk.next), db::Param::blob(end), std::int64_t{batch}});
    const std::string until = next ? next->text(0) : end;
    std::vector<db::Param> params{db::Param::blob(walk.next), db::Param::blob(until)};
    params.insert(params.end(), bounds.begin(), bounds.end());
    const std::uint64_t deleted = connection_.execute(walk.deleteSql, db::Connection::Params{params});
    walk.next = until;
    walk.isOver = !next;
    return deleted;
}

// A row for each budget and day, so there is never much of it.
std::uint64_t RetentionTables::purgeSmsBudgets(Timestamp now) {
    const std::int64_t day = std::chrono::floor<std::chrono::days>(now).time_since_epoch().count();
    return connection_.execute("DELETE FROM sms_budgets WHERE day < ?", {day - kBudgetDays});
}

}  // namespace otpgate::store
