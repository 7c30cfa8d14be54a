// Brings the schema up to date from the SQL files inside the binary: `sql/<engine>/NNNN_*.sql`, once each, in order.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/db/sql_files.h"

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace otpgate::db {

// Applies what is missing under a lock that a second migrator waits for (GET_LOCK, or SQLite's write lock); `report` is
// told each file as it is applied. In a Galera cluster the lock is a row that all nodes know, and who holds it without
// a step for 20 s is taken for dead. Returns how many were. What was killed or failed is taken up where it stopped:
// SQLite applies a file as a whole, MySQL by statements, each of which is done once if people leave its tables alone
// meanwhile. Throws DbError, which names the statement on MySQL, and ConfigurationError when the database was migrated
// by a newer otpgate (it holds a migration that this binary does not know, and whose name does not end in
// _serves_NNNN, a number that it knows: such a file only adds, and older servers go on), or a released file has another
// text than the one applied; ServiceUnavailable where tables of these names are there that no migration made
// (own_tables.h). Each statement has the connection's answer time-out: open it with one that an ALTER TABLE can keep.
std::size_t migrate(Connection& connection, std::span<const SqlFile> files,
                    const std::function<void(std::string_view path)>& report);

// The files that `migrate` would apply or finish; all of them where there is no schema_migrations table yet.
std::vector<std::string> pendingMigrations(Connection& connection, std::span<const SqlFile> files);

}  // namespace otpgate::db
