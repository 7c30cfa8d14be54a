#include "db/database_url.h"
#include "db/mysql_connection.h"
#include "db/sqlite_connection.h"
#include "otpgate/db/connection.h"

namespace otpgate::db {

std::unique_ptr<Database> openDatabase(const DatabaseSettings& settings) {
    const auto url = parseDatabaseUrl(settings.url);
    if (const auto* sqlite = std::get_if<SqliteUrl>(&url)) return std::make_unique<SqliteDatabase>(*sqlite, settings);
    return std::make_unique<MysqlDatabase>(std::get<MysqlUrl>(url), settings);
}

}  // namespace otpgate::db
