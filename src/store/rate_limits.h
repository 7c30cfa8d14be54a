// The table rate_limits for engines without procedures. Runs inside the caller's transaction, which must hold the write
// lock of the database (SQLite's BEGIN IMMEDIATE): reading and writing are two statements. rate_limit_take.sql and
// rate_limit_refused.sql say the same for MySQL.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/limits.h"
#include "store/audit_events.h"

#include <string>

namespace otpgate::store {

struct BucketAnswer {
    bool isAccepted = true;
    std::string hits;  // packed, after the answer
};

// Whether the bucket would accept, without counting.
BucketAnswer peekBucket(db::Connection& connection, const std::string& bucket, const domain::LimitRule& rule,
                        Timestamp now);
// Counts, when the bucket accepts.
BucketAnswer takeFromBucket(db::Connection& connection, const std::string& bucket, const domain::LimitRule& rule,
                            Timestamp now);
// Writes the audit event of a refusal, at most one a minute a bucket: a flood of refused requests must not fill the
// disk.
void auditRefusal(db::Connection& connection, const std::string& bucket, const AuditRow& row);

}  // namespace otpgate::store
