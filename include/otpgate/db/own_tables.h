// Which tables the migrations make, as their own text says it, and which of them a database has: after a restore of
// half a dump some are not there, whatever its list of migrations says.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/db/sql_files.h"

#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::db {

// That it is there says that a database is being filled (table_rows.h), or was left half full.
inline constexpr std::string_view kUnfinishedTable = "unfinished_copy";

// The tables that the engine's files make, and all that the database has.
std::set<std::string> tablesMadeBy(Engine engine, std::span<const SqlFile> files);
std::set<std::string> presentTables(Connection& connection);

// Of the tables that the engine's files make, those that the database lacks. Throws DbError, and ServiceUnavailable
// while the database is being filled.
std::vector<std::string> missingTables(Connection& connection, std::span<const SqlFile> files);
// Throws ServiceUnavailable where tables of these names are there and schema_migrations is not: they are somebody
// else's, or came without it from a dump, which may be coming still. To migrate would be to make the others beside
// them.
void requireTablesOfMigrations(Connection& connection, std::span<const SqlFile> files);

}  // namespace otpgate::db
