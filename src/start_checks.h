// What must be so before a process answers or sends anything.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/random.h"
#include "otpgate/db/connection.h"
#include "otpgate/domain/signing_keys.h"

namespace otpgate {

// Throws ServiceUnavailable, with the name of what is missing and what to do.
void requireMigrated(db::Connection& connection);

// That the database answers, is migrated, and holds signing keys that our master key opens (the first ones are made).
// Throws ServiceUnavailable that names the database.
void checkStart(const db::Database& database, db::Connection& connection, domain::SigningKeys& keys, const Clock& clock,
                Random& random);

}  // namespace otpgate
