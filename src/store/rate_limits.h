// The table rate_limits in plain statements. Runs inside the caller's transaction, which must hold the write lock of
// the database (SQLite's BEGIN IMMEDIATE) or the bucket (holdBucket): reading and writing are two statements.
// otp_request.sql says the same for MySQL's hot paths.
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

// Makes the bucket's row ours until the caller's transaction ends, on MySQL too: what is then read of it is what is
// there. Makes the row where there is none.
void holdBucket(db::Connection& connection, const std::string& bucket, Timestamp now);
// Whether the bucket would accept, without counting.
BucketAnswer peekBucket(db::Connection& connection, const std::string& bucket, const domain::LimitRule& rule,
                        Timestamp now);
// Counts, when the bucket accepts.
BucketAnswer takeFromBucket(db::Connection& connection, const std::string& bucket, const domain::LimitRule& rule,
                            Timestamp now);
// Forgets what was counted at this time.
void giveBackToBucket(db::Connection& connection, const std::string& bucket, Timestamp counted);
// Writes the audit event of a refusal, at most one a minute a bucket: a flood of refused requests must not fill the
// disk.
void auditRefusal(db::Connection& connection, const std::string& bucket, const AuditRow& row);

}  // namespace otpgate::store
