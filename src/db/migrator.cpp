#include "otpgate/db/migrator.h"

#include "db/sql_script.h"
#include "db/table_change.h"
#include "otpgate/base/clock.h"
#include "otpgate/base/encoding.h"

#include <openssl/evp.h>

#include <algorithm>
#include <map>
#include <optional>
#include <stdexcept>
#include <thread>

// A migration of SQLite is one transaction, with its row in schema_migrations: it is applied as a whole or not at all.
//
// MySQL commits at each DDL statement. So there each statement is a step with a row of its own ("0002_whole_api#3"),
// and when all are done, one row for the file takes their place. The next run goes on behind the last row. The step
// that was under way may be done without a row:
// - Of a data statement it cannot be, because the row is in the same transaction. So its text need not be repeatable.
// - A DDL statement is done as a whole or not at all (InnoDB of MySQL 8 and MariaDB 10.6), and is run again. Either the
//   second time changes nothing (CREATE TABLE IF NOT EXISTS), or the server refuses it, because something that it makes
//   is there or something that it drops is gone. That alone proves nothing: somebody may have made one column of two by
//   hand. So the table is looked at, and only where it has all that the statement says is the step done.
// Binaries that had no 0005 wrote rows for whole files only. What they left half-done is run from the top of its file
// in the same way; none of their files has a data statement.

namespace otpgate::db {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr auto kLockTimeout = 60s;
constexpr auto kLockPause = 100ms;
constexpr char kStepSign = '#';
// Rows that binaries without 0005 wrote, which drops them, for the texts of procedures.
constexpr std::string_view kProcedures = "procedures/";

struct Step {
    std::string version;   // "0002_whole_api#3", counted from 1
    std::string checksum;  // of the statement, so that one that fails can be put right in the file
    std::string statement;
};
struct Migration {
    std::string version;  // "0001_init"
    std::string checksum;
    const SqlFile* file;
    std::vector<Step> steps;  // on MySQL
};
using Checksums = std::map<std::string, std::string>;  // by version

std::string sha256Hex(std::string_view text) {
    std::string digest(EVP_MAX_MD_SIZE, '\0');
    unsigned size = 0;
    if (EVP_Digest(text.data(), text.size(), reinterpret_cast<unsigned char*>(digest.data()), &size, EVP_sha256(),
                   nullptr) != 1) {
        throw std::runtime_error("SHA-256 is not available");
    }
    digest.resize(size);
    return toHex(digest);
}

std::vector<Step> stepsOf(const std::string& version, std::string_view script) {
    std::vector<Step> steps;
    for (std::string& statement : splitSqlScript(script)) {
        std::string step = version + kStepSign + std::to_string(steps.size() + 1);
        std::string checksum = sha256Hex(statement);
        steps.push_back({std::move(step), std::move(checksum), std::move(statement)});
    }
    return steps;
}

// This engine's files, in the order of their numbers, which is that of their paths.
std::vector<Migration> migrationsOf(Engine engine, std::span<const SqlFile> files) {
    constexpr std::string_view kSuffix = ".sql";
    const bool mysql = engine == Engine::Mysql;
    const std::string_view folder = mysql ? "mysql/" : "sqlite/";
    std::vector<Migration> out;
    for (const SqlFile& file : files) {
        if (!file.path.starts_with(folder) || !file.path.ends_with(kSuffix)) continue;
        const std::string version{file.path.substr(folder.size(), file.path.size() - folder.size() - kSuffix.size())};
        out.push_back(
            {version, sha256Hex(file.text), &file, mysql ? stepsOf(version, file.text) : std::vector<Step>{}});
    }
    return out;
}

bool tableExists(Connection& connection) {
    const char* const sql = connection.engine() == Engine::Mysql
                                ? "SELECT 1 FROM information_schema.tables"
                                  " WHERE table_schema = DATABASE() AND table_name = 'schema_migrations'"
                                : "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_migrations'";
    return connection.queryOne(sql).has_value();
}

void createTable(Connection& connection) {
    connection.executeScript(connection.engine() == Engine::Mysql
                                 ? "CREATE TABLE IF NOT EXISTS schema_migrations ("
                                   " version VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,"
                                   " checksum CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,"
                                   " applied_at_us BIGINT NOT NULL) ENGINE = InnoDB"
                                 : "CREATE TABLE IF NOT EXISTS schema_migrations ("
                                   " version TEXT NOT NULL PRIMARY KEY, checksum TEXT NOT NULL,"
                                   " applied_at_us BIGINT NOT NULL)");
}

Checksums appliedTo(Connection& connection) {
    Checksums out;
    for (const Row& row : connection.query("SELECT version, checksum FROM schema_migrations")) {
        out.emplace(row.text(0), row.text(1));
    }
    return out;
}

// The checksum of a file or of one of its steps.
std::optional<std::string> checksumOf(const Migration& migration, const std::string& version) {
    if (version == migration.version) return migration.checksum;
    const auto step = std::ranges::find(migration.steps, version, &Step::version);
    return step == migration.steps.end() ? std::nullopt : std::optional{step->checksum};
}

void requireKnown(const Checksums& applied, const std::vector<Migration>& migrations) {
    for (const auto& [version, checksum] : applied) {
        if (version.starts_with(kProcedures)) continue;
        const auto migration =
            std::ranges::find(migrations, version.substr(0, version.find(kStepSign)), &Migration::version);
        if (migration == migrations.end()) {
            throw ConfigurationError("the database holds migration " + version +
                                     ", which this otpgate does not know: a newer one has migrated it");
        }
        if (checksumOf(*migration, version) != checksum)
            throw ConfigurationError("migration " + version + " was applied to this database with another text");
    }
}

// What is left to do: of a file that was begun, the steps that are not recorded.
std::vector<Migration> pendingOf(Connection& connection, std::span<const SqlFile> files) {
    std::vector<Migration> migrations = migrationsOf(connection.engine(), files);
    if (!tableExists(connection)) return migrations;
    const Checksums applied = appliedTo(connection);
    requireKnown(applied, migrations);
    const auto isApplied = [&](const auto& part) { return applied.contains(part.version); };
    std::erase_if(migrations, isApplied);
    for (Migration& migration : migrations) std::erase_if(migration.steps, isApplied);
    return migrations;
}

void remember(Connection& connection, const std::string& version, const std::string& checksum) {
    connection.execute("INSERT INTO schema_migrations (version, checksum, applied_at_us) VALUES (?, ?, ?)",
                       {version, checksum, SystemClock{}.now()});
}

// Asks again and again instead of waiting in the server, where the answer time-out would end the connection.
void waitFor(const std::function<bool()>& done) {
    for (const auto giveUp = SteadyClock::now() + kLockTimeout; !done(); std::this_thread::sleep_for(kLockPause)) {
        if (SteadyClock::now() > giveUp)
            throw DbError(ErrorKind::Busy, 0, "another migration does not come to its end");
    }
}

class MysqlMigrationLock {
public:
    explicit MysqlMigrationLock(Connection& connection) : connection_(connection) {
        waitFor([&] { return ask("SELECT GET_LOCK(LEFT(CONCAT('otpgate_migrate:', DATABASE()), 64), 0)"); });
    }
    MysqlMigrationLock(const MysqlMigrationLock&) = delete;
    MysqlMigrationLock& operator=(const MysqlMigrationLock&) = delete;
    ~MysqlMigrationLock() {
        try {
            ask("SELECT RELEASE_LOCK(LEFT(CONCAT('otpgate_migrate:', DATABASE()), 64))");
        } catch (const DbError&) {
            // The connection is lost, and the lock went with it.
        }
    }

private:
    bool ask(std::string_view sql) { return connection_.queryOne(sql).value().optionalInteger(0) == 1; }

    Connection& connection_;
};

bool saysDoneBefore(int number) {
    switch (number) {
    case 1050:  // ER_TABLE_EXISTS_ERROR
    case 1060:  // ER_DUP_FIELDNAME
    case 1061:  // ER_DUP_KEYNAME
    case 1091:  // ER_CANT_DROP_FIELD_OR_KEY
        return true;
    }
    return false;
}

void runOrFindDone(Connection& connection, const std::string& statement) {
    try {
        connection.executeScript(statement);
    } catch (const DbError& error) {
        if (!saysDoneBefore(error.engineCode())) throw;
        if (isInPlace(connection, statement)) return;
        throw DbError(error.kind(), error.engineCode(),
                      std::string{error.what()} + ", and the rest of the statement is not in place");
    }
}

// In a transaction, which a DDL statement commits at once, and which holds a data statement together with its row.
void take(Connection& connection, const Step& step) {
    try {
        connection.transact([&] {
            runOrFindDone(connection, step.statement);
            remember(connection, step.version, step.checksum);
        });
    } catch (const DbError& error) {
        throw DbError(error.kind(), error.engineCode(), step.version + ": " + error.what());
    }
}

void rememberWhole(Connection& connection, const Migration& migration) {
    connection.transact([&] {
        connection.execute("DELETE FROM schema_migrations WHERE SUBSTRING_INDEX(version, '#', 1) = ?",
                           {migration.version});
        remember(connection, migration.version, migration.checksum);
    });
}

std::size_t migrateMysql(Connection& connection, std::span<const SqlFile> files,
                         const std::function<void(std::string_view path)>& report) {
    const MysqlMigrationLock lock(connection);
    createTable(connection);
    const std::vector<Migration> pending = pendingOf(connection, files);
    for (const Migration& migration : pending) {
        for (const Step& step : migration.steps) take(connection, step);
        rememberWhole(connection, migration);
        report(migration.file->path);
    }
    return pending.size();
}

std::size_t migrateSqlite(Connection& connection, std::span<const SqlFile> files,
                          const std::function<void(std::string_view path)>& report) {
    std::size_t applied = 0;
    // Applies the first of what is missing and says whether there was one; another process may do so between two steps.
    const auto step = [&]() -> const SqlFile* {
        createTable(connection);
        const std::vector<Migration> pending = pendingOf(connection, files);
        if (pending.empty()) return nullptr;
        const Migration& first = pending.front();
        connection.executeScript(first.file->text);
        remember(connection, first.version, first.checksum);
        return first.file;
    };
    waitFor([&] {
        try {
            while (const SqlFile* file = connection.transact(step)) {
                ++applied;
                report(file->path);
            }
            return true;
        } catch (const DbError& error) {
            if (error.kind() != ErrorKind::Busy) throw;
            return false;
        }
    });
    return applied;
}

}  // namespace

std::size_t migrate(Connection& connection, std::span<const SqlFile> files,
                    const std::function<void(std::string_view path)>& report) {
    return connection.engine() == Engine::Mysql ? migrateMysql(connection, files, report)
                                                : migrateSqlite(connection, files, report);
}

std::vector<std::string> pendingMigrations(Connection& connection, std::span<const SqlFile> files) {
    std::vector<std::string> paths;
    for (const Migration& migration : pendingOf(connection, files)) paths.emplace_back(migration.file->path);
    return paths;
}

}  // namespace otpgate::db
