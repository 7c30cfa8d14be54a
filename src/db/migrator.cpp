#include "otpgate/db/migrator.h"

#include "db/sql_script.h"
#include "otpgate/base/clock.h"
#include "otpgate/base/encoding.h"
#include "otpgate/base/text.h"
#include "otpgate/db/own_tables.h"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <stdexcept>
#include <thread>

// A migration of SQLite is one transaction, with its row in schema_migrations: it is applied as a whole or not at all.
//
// MySQL commits at each DDL statement. So there each statement is a step with a row of its own ("0002_whole_api#3"),
// and when all are done, one row for the file takes their place. The next run goes on behind the last row. A data
// statement is in one transaction with its row. A DDL statement is done as a whole or not at all (InnoDB of MySQL 8 and
// MariaDB 10.6), so before it runs, a row says how the schema stands ("0002_whole_api#3?1f0c..."). Where the next run
// finds such a row, the statement is done if the schema stands otherwise, and run if not. That can be told, because the
// server keeps the lock of a killed migrator until it has ended the statement.
// - What changes nothing that is looked at (DROP ... IF EXISTS of nothing) is run again, so it must be repeatable.
// - A statement that the server refuses loses its row, so that people may clear the way by hand.
// - If people change a table between a kill and the next run, a statement on it that the kill came before is taken for
//   done. What is missing is named by what uses it, a later statement or the service. Running it would be no safer: it
//   may be done. So no more is looked at than the tables and routines that the statement names.

namespace otpgate::db {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr auto kLockTimeout = 60s;
constexpr auto kLockPause = 100ms;
// Longer than any of our data statements takes, and than a cluster stands still when a node has died.
constexpr auto kMigratorGoneAfter = 20s;
constexpr char kStepSign = '#';
constexpr char kBegunSign = '?';
// "0012_devices_serves_0011": servers that know 0011 go on working when this file was applied, because it only adds. It
// stands in the name, for that is all that an older server sees of a newer file.
constexpr std::string_view kServesSign = "_serves_";
constexpr std::size_t kNumberDigits = 4;
// The last file of binaries that wrote no rows for steps. The first pending one of these may be half-done without a
// sign, and again when that run is killed: there a statement is done where the server says that what it makes is there,
// or what it drops is not. None of them has a data statement.
constexpr std::string_view kLastWithoutSteps = "0004_taken_by";
// ER_TABLE_EXISTS_ERROR, ER_DUP_FIELDNAME, ER_DUP_KEYNAME, ER_CANT_DROP_FIELD_OR_KEY
constexpr std::array kSaysDoneBefore{1050, 1060, 1061, 1091};
// Rows that binaries without 0005 wrote, which drops them, for the texts of procedures.
constexpr std::string_view kProcedures = "procedures/";

struct Step {
    std::string version;  // "0002_whole_api#3", counted from 1
    std::string checksum;
    std::string statement;
};
struct Migration {
    std::string version;  // "0001_first_login"
    std::string checksum;
    std::string_view path;
    std::vector<Step> steps;
};
using Checksums = std::map<std::string, std::string>;  // by version

std::string sha256Hex(std::string_view text) {
    std::string digest(SHA256_DIGEST_LENGTH, '\0');
    if (SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
               reinterpret_cast<unsigned char*>(digest.data())) == nullptr)
        throw std::runtime_error("SHA-256 is not available");
    return toHex(digest);
}

// This engine's files, in the order of their numbers, which is that of their paths.
std::vector<Migration> migrationsOf(Engine engine, std::span<const SqlFile> files) {
    constexpr std::string_view kSuffix = ".sql";
    const std::string_view folder = engine == Engine::Mysql ? "mysql/" : "sqlite/";
    std::vector<Migration> out;
    for (const auto& [path, text] : files) {
        if (!path.starts_with(folder) || !path.ends_with(kSuffix)) continue;
        const std::string version{path.substr(folder.size(), path.size() - folder.size() - kSuffix.size())};
        std::vector<Step> steps;
        for (const std::string& statement : splitSqlScript(text)) {
            steps.push_back({version + kStepSign + std::to_string(steps.size() + 1), sha256Hex(statement), statement});
        }
        out.push_back({version, sha256Hex(text), path, std::move(steps)});
    }
    return out;
}

bool tableExists(Connection& connection) {
    return connection
        .queryOne(connection.engine() == Engine::Mysql
                      ? "SELECT 1 FROM information_schema.tables"
                        " WHERE table_schema = DATABASE() AND table_name = 'schema_migrations'"
                      : "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_migrations'")
        .has_value();
}

void createTable(Connection& connection) {
    connection.executeRaw(connection.engine() == Engine::Mysql
                              ? "CREATE TABLE IF NOT EXISTS schema_migrations ("
                                " version VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,"
                                " checksum CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,"
                                " applied_at_us BIGINT NOT NULL) ENGINE = InnoDB"
                              : "CREATE TABLE IF NOT EXISTS schema_migrations (version TEXT NOT NULL PRIMARY KEY,"
                                " checksum TEXT NOT NULL, applied_at_us BIGINT NOT NULL)");
}

// Whether a server whose newest file is `newest` may work with a database that has the unknown file `version`.
bool serves(std::string_view version, std::string_view newest) {
    const auto sign = version.rfind(kServesSign);
    if (sign == std::string_view::npos) return false;
    const auto oldest = parseNumber<unsigned>(version.substr(sign + kServesSign.size()));
    const auto known = parseNumber<unsigned>(newest.substr(0, kNumberDigits));
    return oldest && known && *oldest <= *known;
}

void requireKnown(const Checksums& applied, const std::vector<Migration>& migrations) {
    Checksums known;
    for (const Migration& migration : migrations) {
        known[migration.version] = migration.checksum;
        for (const Step& step : migration.steps) known[step.version] = step.checksum;
    }
    for (const auto& [version, checksum] : applied) {
        if (version.starts_with(kProcedures)) continue;
        const std::string file = version.substr(0, version.find(kStepSign));
        if (!known.contains(file)) {
            if (serves(file, migrations.empty() ? "" : migrations.back().version)) continue;
            throw ConfigurationError("the database holds migration " + version +
                                     ", which this otpgate does not know: a newer one has migrated it");
        }
        if (known[version.substr(0, version.find(kBegunSign))] != checksum)
            throw ConfigurationError("migration " + version + " was applied to this database with another text");
    }
}

// What is left to do: of a file that was begun, the steps that are not recorded.
std::vector<Migration> pendingOf(Connection& connection, std::span<const SqlFile> files) {
    std::vector<Migration> migrations = migrationsOf(connection.engine(), files);
    if (!tableExists(connection)) return migrations;
    Checksums applied;
    for (const Row& row : connection.query("SELECT version, checksum FROM schema_migrations"))
        applied.emplace(row.text(0), row.text(1));
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

// Where GET_LOCK is known to one node alone.
bool isCluster(Connection& connection) {
    const auto row = connection.queryOne("SHOW VARIABLES LIKE 'wsrep_on'");
    return row && row->text(1) == "ON";
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

// A row that all nodes of a Galera cluster know. It says who migrates and counts his steps, so that whoever waits sees
// that he is at it; after a time without a step it is taken over. A schema change does not count as such a time: in a
// cluster (wsrep_OSU_method = TOI) it holds up everybody's statements until it is done, those of the waiting too. Who
// was slow and finds the lock taken gives up. Should both be at the same step for a moment, nothing is done twice: a
// data statement is in one transaction with its row, whose key only one of them can insert; and a statement that
// changes the schema comes after what the other one has recorded, or is refused.
class ClusterMigrationLock {
public:
    explicit ClusterMigrationLock(Connection& connection) : connection_(connection) {
        connection_.executeRaw(
            "CREATE TABLE IF NOT EXISTS schema_migrators (id BIGINT NOT NULL PRIMARY KEY,"
            " holder VARCHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,"
            " steps BIGINT NOT NULL) ENGINE = InnoDB");
        self_ = connection_.queryOne("SELECT UUID()").value().text(0);
        waitFor([&] { return tryToTake(); });
    }
    ClusterMigrationLock(const ClusterMigrationLock&) = delete;
    ClusterMigrationLock& operator=(const ClusterMigrationLock&) = delete;
    ~ClusterMigrationLock() {
        try {
            connection_.execute("UPDATE schema_migrators SET holder = '' WHERE holder = ?", {self_});
        } catch (const DbError&) {
            // Whoever comes next waits for as long as for one that was killed.
        }
    }

    // Before each step.
    void noteStep() {
        if (connection_.execute("UPDATE schema_migrators SET steps = steps + 1 WHERE holder = ?", {self_}) > 0) return;
        throw DbError(ErrorKind::Busy, 0, "another migration has taken over, because this one was too slow");
    }

private:
    struct Holder {
        std::string name;
        std::int64_t steps = 0;
        bool operator==(const Holder&) const = default;
    };

    bool tryToTake() try {
        const auto row = connection_.queryOne("SELECT holder, steps FROM schema_migrators WHERE id = 1");
        if (!row)
            return connection_.execute("INSERT INTO schema_migrators (id, holder, steps) VALUES (1, ?, 1)", {self_}) >
                   0;
        const Holder now{row->text(0), row->integer(1)};
        if (now != seen_) {
            seen_ = now;
            seenSince_ = SteadyClock::now();
        }
        if (!now.name.empty() && SteadyClock::now() - seenSince_ < kMigratorGoneAfter) return false;
        return connection_.execute(
                   "UPDATE schema_migrators SET holder = ?, steps = steps + 1 WHERE id = 1 AND holder = ? AND steps = "
                   "?",
                   {self_, now.name, now.steps}) > 0;
    } catch (const DbError& error) {
        // Another one was faster, or a schema change lets nobody through.
        if (error.kind() != ErrorKind::Duplicate && error.kind() != ErrorKind::Locked) throw;
        seenSince_ = SteadyClock::now();
        return false;
    }

    Connection& connection_;
    std::string self_;
    Holder seen_;
    SteadyClock::time_point seenSince_ = SteadyClock::now();
};

// How the tables and routines that the statement names stand there: the same at each call.
std::string fingerprintOf(Connection& connection, const std::string& statement) {
    std::string text;
    for (const Row& row : connection.query(
             "SELECT CAST(CONCAT_WS('|', 'column', table_name, ordinal_position, column_name, column_type, is_nullable,"
             " collation_name, extra, column_default) AS BINARY) FROM information_schema.columns"
             " WHERE table_schema = DATABASE() AND table_name <> 'schema_migrations' AND LOCATE(table_name, ?) > 0"
             " UNION ALL SELECT CAST(CONCAT_WS('|', 'key', table_name, index_name, seq_in_index, non_unique,"
             " index_type, column_name, sub_part) AS BINARY) FROM information_schema.statistics"
             " WHERE table_schema = DATABASE() AND table_name <> 'schema_migrations' AND LOCATE(table_name, ?) > 0"
             " UNION ALL SELECT CAST(CONCAT_WS('|', routine_type, routine_name, routine_definition) AS BINARY)"
             " FROM information_schema.routines WHERE routine_schema = DATABASE() AND LOCATE(routine_name, ?) > 0"
             " ORDER BY 1",
             {statement, statement, statement})) {
        text += row.text(0) + "\n";
    }
    return sha256Hex(text).substr(0, 32);  // a version has room for 100 characters
}

bool isDdl(std::string_view statement) {
    constexpr std::array kVerbs{"CREATE ", "ALTER ", "DROP ", "RENAME "};
    return std::ranges::any_of(kVerbs, [&](const char* verb) { return statement.starts_with(verb); });
}

// An error of the numbers `doneBefore` counts as done.
void changeSchema(Connection& connection, const Step& step, std::span<const int> doneBefore) {
    const std::string now = step.version + kBegunSign + fingerprintOf(connection, step.statement);
    const auto row = connection.queryOne(
        "SELECT version FROM schema_migrations WHERE SUBSTRING_INDEX(version, '?', 1) = ?", {step.version});
    const std::string begun = row ? row->text(0) : now;
    if (!row) remember(connection, begun, step.checksum);
    try {
        if (begun == now) connection.executeRaw(step.statement);
    } catch (const DbError& error) {
        if (error.kind() == ErrorKind::Gone) throw;  // it may be done, or the server be still at it
        if (std::ranges::find(doneBefore, error.engineCode()) == doneBefore.end()) {
            connection.execute("DELETE FROM schema_migrations WHERE version = ?", {begun});
            throw;
        }
    }
    connection.execute("UPDATE schema_migrations SET version = ?, applied_at_us = ? WHERE version = ?",
                       {step.version, SystemClock{}.now(), begun});
}

void take(Connection& connection, const Step& step, std::span<const int> doneBefore) {
    try {
        if (isDdl(step.statement)) return changeSchema(connection, step, doneBefore);
        connection.transact([&] {
            // The other migrator of a cluster that took over.
            if (connection.queryOne("SELECT 1 FROM schema_migrations WHERE version = ?", {step.version})) return;
            connection.executeRaw(step.statement);
            remember(connection, step.version, step.checksum);
        });
    } catch (const DbError& error) {
        throw DbError(error.kind(), error.engineCode(), step.version + ": " + error.what());
    }
}

std::size_t migrateMysql(Connection& connection, std::span<const SqlFile> files,
                         const std::function<void(std::string_view path)>& report) {
    const bool inCluster = isCluster(connection);
    if (inCluster && pendingOf(connection, files).empty()) return 0;
    const MysqlMigrationLock lock(connection);
    std::optional<ClusterMigrationLock> clusterLock;
    if (inCluster) clusterLock.emplace(connection);
    createTable(connection);
    const std::vector<Migration> pending = pendingOf(connection, files);
    for (const Migration& migration : pending) {
        const bool mayBeHalfDone = &migration == &pending.front() && migration.version <= kLastWithoutSteps;
        const std::span<const int> doneBefore = mayBeHalfDone ? kSaysDoneBefore : std::span<const int>{};
        for (const Step& step : migration.steps) {
            if (clusterLock) clusterLock->noteStep();
            take(connection, step, doneBefore);
        }
        connection.transact([&] {
            connection.execute("DELETE FROM schema_migrations WHERE SUBSTRING_INDEX(version, '#', 1) = ?",
                               {migration.version});
            remember(connection, migration.version, migration.checksum);
        });
        report(migration.path);
    }
    return pending.size();
}

std::size_t migrateSqlite(Connection& connection, std::span<const SqlFile> files,
                          const std::function<void(std::string_view path)>& report) {
    std::size_t applied = 0;
    // Applies the first of what is missing and says whether there was one; another process may do so between two steps.
    const auto step = [&]() -> std::optional<std::string_view> {
        createTable(connection);
        const std::vector<Migration> pending = pendingOf(connection, files);
        if (pending.empty()) return std::nullopt;
        const Migration& first = pending.front();
        for (const Step& part : first.steps) connection.executeRaw(part.statement);
        remember(connection, first.version, first.checksum);
        return first.path;
    };
    waitFor([&] {
        try {
            while (const auto path = connection.transact(step)) {
                ++applied;
                report(*path);
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
    requireTablesOfMigrations(connection, files);
    return connection.engine() == Engine::Mysql ? migrateMysql(connection, files, report)
                                                : migrateSqlite(connection, files, report);
}

std::vector<std::string> pendingMigrations(Connection& connection, std::span<const SqlFile> files) {
    std::vector<std::string> paths;
    for (const Migration& migration : pendingOf(connection, files)) paths.emplace_back(migration.path);
    return paths;
}

}  // namespace otpgate::db
