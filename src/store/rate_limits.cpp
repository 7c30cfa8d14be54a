#include "store/rate_limits.h"

namespace otpgate::store {

namespace {

constexpr std::chrono::minutes kAuditEvery{1};

std::optional<db::Row> findHits(db::Connection& connection, const std::string& bucket) {
    return connection.queryOne("SELECT hits FROM rate_limits WHERE bucket = ?", {db::Param::blob(bucket)});
}

}  // namespace

void holdBucket(db::Connection& connection, const std::string& bucket, Timestamp now) {
    // The smallest change: what is not changed is not counted, and may not be locked.
    const auto touch = [&] {
        return connection.execute("UPDATE rate_limits SET expires_at_us = expires_at_us + 1 WHERE bucket = ?",
                                  {db::Param::blob(bucket)}) > 0;
    };
    if (touch()) return;
    try {
        connection.execute("INSERT INTO rate_limits (bucket, expires_at_us, hits) VALUES (?, ?, ?)",
                           {db::Param::blob(bucket), now, db::Param::blob("")});
    } catch (const db::DbError& error) {
        if (error.kind() != db::ErrorKind::Duplicate) throw;
        touch();
    }
}

BucketAnswer peekBucket(db::Connection& connection, const std::string& bucket, const domain::LimitRule& rule,
                        Timestamp now) {
    if (rule.isUnlimited()) return {};
    const auto row = findHits(connection, bucket);
    if (!row) return {};
    const domain::LimitHits hits{row->text(0)};
    return {hits.accepts(rule, now), hits.packed()};
}

BucketAnswer takeFromBucket(db::Connection& connection, const std::string& bucket, const domain::LimitRule& rule,
                            Timestamp now) {
    if (rule.isUnlimited()) return {};
    const auto row = findHits(connection, bucket);
    const domain::LimitHits hits{row ? row->text(0) : std::string{}};
    if (!hits.accepts(rule, now)) return {false, hits.packed()};
    std::string packed = hits.with(rule, now);
    if (row) {
        connection.execute("UPDATE rate_limits SET expires_at_us = ?, hits = ? WHERE bucket = ?",
                           {now + rule.longest(), db::Param::blob(packed), db::Param::blob(bucket)});
    } else {
        connection.execute("INSERT INTO rate_limits (bucket, expires_at_us, hits) VALUES (?, ?, ?)",
                           {db::Param::blob(bucket), now + rule.longest(), db::Param::blob(packed)});
    }
    return {true, std::move(packed)};
}

void giveBackToBucket(db::Connection& connection, const std::string& bucket, Timestamp counted) {
    const auto row = findHits(connection, bucket);
    if (!row) return;
    const std::string rest = domain::LimitHits{row->text(0)}.without(counted);
    connection.execute("UPDATE rate_limits SET hits = ? WHERE bucket = ?",
                       {db::Param::blob(rest), db::Param::blob(bucket)});
}

void auditRefusal(db::Connection& connection, const std::string& bucket, const AuditRow& row) {
    const auto changed =
        connection.execute("UPDATE rate_limits SET refused_at_us = ? WHERE bucket = ? AND refused_at_us <= ?",
                           {row.now, db::Param::blob(bucket), row.now - kAuditEvery});
    if (changed > 0) insertAuditEvent(connection, row);
}

}  // namespace otpgate::store
