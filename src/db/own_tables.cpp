#include "otpgate/db/own_tables.h"

#include "db/sql_script.h"
#include "otpgate/base/errors.h"

#include <algorithm>
#include <set>

namespace otpgate::db {

namespace {

constexpr std::string_view kList = "schema_migrations";

// The name that follows these words, if they begin the statement.
std::string nameAfter(std::string_view words, std::string_view statement) {
    if (!statement.starts_with(words)) return {};
    statement.remove_prefix(words.size());
    for (const std::string_view condition : {"IF NOT EXISTS ", "IF EXISTS "}) {
        if (statement.starts_with(condition)) statement.remove_prefix(condition.size());
    }
    return std::string{statement.substr(0, statement.find_first_of(" (\n"))};
}

}  // namespace

std::set<std::string> tablesMadeBy(Engine engine, std::span<const SqlFile> files) {
    std::set<std::string> tables;
    for (const SqlFile& file : files) {
        if (!file.path.starts_with(engine == Engine::Mysql ? "mysql/" : "sqlite/")) continue;
        for (const std::string& statement : splitSqlScript(file.text)) {
            tables.insert(nameAfter("CREATE TABLE ", statement));
            tables.erase(nameAfter("DROP TABLE ", statement));
        }
    }
    tables.erase("");
    return tables;
}

std::set<std::string> presentTables(Connection& connection) {
    std::set<std::string> tables;
    for (const Row& row :
         connection.query(connection.engine() == Engine::Mysql
                              ? "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
                              : "SELECT name FROM sqlite_master WHERE type = 'table'"))
        tables.insert(row.text(0));
    return tables;
}

std::vector<std::string> missingTables(Connection& connection, std::span<const SqlFile> files) {
    const std::set<std::string> present = presentTables(connection);
    if (present.contains(std::string{kUnfinishedTable})) {
        throw ServiceUnavailable(
            "the database is being filled by otpgate restore or copy-data, or was left half full by one that was ended:"
            " run it again");
    }
    const std::set<std::string> made = tablesMadeBy(connection.engine(), files);
    std::vector<std::string> missing;
    std::ranges::set_difference(made, present, std::back_inserter(missing));
    return missing;
}

void requireTablesOfMigrations(Connection& connection, std::span<const SqlFile> files) {
    const std::set<std::string> made = tablesMadeBy(connection.engine(), files);
    const std::set<std::string> before = presentTables(connection);
    const auto known = std::ranges::find_if(before, [&](const std::string& name) { return made.contains(name); });
    // Asked anew: another migrator, which begins with its list, may have made both since.
    if (known == before.end() || presentTables(connection).contains(std::string{kList})) return;
    throw ServiceUnavailable(
        "the database holds a table " + *known + " and no " + std::string{kList} +
        ": it is another program's, or a part of a dump was restored; give otpgate an empty database,"
        " or restore the whole dump into one");
}

}  // namespace otpgate::db
