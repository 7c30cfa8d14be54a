#include "start_checks.h"

#include "otpgate/base/errors.h"
#include "otpgate/db/migrator.h"
#include "otpgate/store/stores.h"

namespace otpgate {

void requireMigrated(db::Connection& connection) {
    const auto pending = db::pendingMigrations(connection, db::sqlFiles());
    if (!pending.empty())
        throw ServiceUnavailable("the database is not migrated (" + pending.front() + "): run otpgate migrate");
}

void checkStart(const db::Database& database, db::Connection& connection, domain::SigningKeys& keys, const Clock& clock,
                Random& random) {
    try {
        requireMigrated(connection);
        keys.reload(*store::makeSigningKeyStore(connection), random, clock.now());
    } catch (const ServiceUnavailable& error) {
        throw ServiceUnavailable("database " + database.describe() + ": " + error.what());
    }
}

}  // namespace otpgate
