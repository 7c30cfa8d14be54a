#include "otpgate/db/migrator.h"

#include "otpgate/base/clock.h"
#include "otpgate/base/encoding.h"

#include <openssl/evp.h>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <thread>

// A migration of SQLite is one transaction, with its row in schema_migrations: it is applied as a whole or not at all.
// MySQL commits at each DDL statement. A migration that fails there half-way has no row, so the next run starts the
// same file from its top: each statement in it must do no harm the second time (CREATE TABLE IF NOT EXISTS, ADD COLUMN
// guarded, ...).

namespace otpgate::db {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr auto kLockTimeout = 60s;
constexpr auto kLockPause = 100ms;
// Rows that older binaries wrote for the texts of procedures.
constexpr std::string_view kProcedures = "procedures/";

struct Migration {
    std::string version;  // "0001_init"
    std::string checksum;
    const SqlFile* file;
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

// This engine's files, in the order of their numbers, which is that of their paths.
std::vector<Migration> migrationsOf(Engine engine, std::span<const SqlFile> files) {
    constexpr std::string_view kSuffix = ".sql";
    const std::string_view folder = engine == Engine::Mysql ? "mysql/" : "sqlite/";
    std::vector<Migration> out;
    for (const SqlFile& file : files) {
        if (!file.path.starts_with(folder) || !file.path.ends_with(kSuffix)) continue;
        std::string version{file.path.substr(folder.size(), file.path.size() - folder.size() - kSuffix.size())};
        out.push_back({std::move(version), sha256Hex(file.text), &file});
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

void requireKnown(const Checksums& applied, const std::vector<Migration>& migrations) {
    for (const auto& [version, checksum] : applied) {
        if (version.starts_with(kProcedures)) continue;
        if (std::ranges::find(migrations, version, &Migration::version) == migrations.end()) {
            throw ConfigurationError("the database holds migration " + version +
                                     ", which this otpgate does not know: a newer one has migrated it");
        }
    }
}

bool isPending(const Migration& migration, const Checksums& applied) {
    const auto found = applied.find(migration.version);
    if (found == applied.end()) return true;
    if (found->second == migration.checksum) return false;
    throw ConfigurationError("migration " + migration.version + " was applied to this database with another text");
}

std::vector<Migration> pendingOf(Connection& connection, std::span<const SqlFile> files) {
    std::vector<Migration> migrations = migrationsOf(connection.engine(), files);
    if (!tableExists(connection)) return migrations;
    const Checksums applied = appliedTo(connection);
    requireKnown(applied, migrations);
    std::erase_if(migrations, [&](const Migration& migration) { return !isPending(migration, applied); });
    return migrations;
}

void remember(Connection& connection, const Migration& migration) {
    connection.execute("INSERT INTO schema_migrations (version, checksum, applied_at_us) VALUES (?, ?, ?)",
                       {migration.version, migration.checksum, SystemClock{}.now()});
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

std::size_t migrateMysql(Connection& connection, std::span<const SqlFile> files,
                         const std::function<void(std::string_view path)>& report) {
    const MysqlMigrationLock lock(connection);
    createTable(connection);
    const std::vector<Migration> pending = pendingOf(connection, files);
    for (const Migration& migration : pending) {
        connection.executeScript(migration.file->text);
        remember(connection, migration);
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
        connection.executeScript(pending.front().file->text);
        remember(connection, pending.front());
        return pending.front().file;
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
