// The way of rows into a database. A table with one row says that it is under way, so that a half-filled database
// serves nobody; and the row is counted up with each batch, so that of two who try at once, one goes on: the other has
// waited for longer than a batch takes, and sees it count.
#include "otpgate/base/encoding.h"
#include "otpgate/base/errors.h"
#include "otpgate/db/migrator.h"
#include "otpgate/db/own_tables.h"
#include "otpgate/db/table_rows.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <thread>

namespace otpgate::db {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

namespace {

// Longer than a batch, or the dropping of a table, takes.
constexpr auto kFillerGoneAfter = 15s;
constexpr auto kPause = 200ms;
// Of one statement: with the widest table, under a third of the parameters that either engine allows.
constexpr std::size_t kRowsAStatement = 200;
constexpr std::array<const char*, 2> kLists{"schema_migrations", "schema_migrators"};

class Claim {
public:
    Claim(Connection& connection, std::string holder) : connection_(connection), holder_(std::move(holder)) {
        connection_.executeRaw(
            "CREATE TABLE IF NOT EXISTS unfinished_copy (id BIGINT NOT NULL PRIMARY KEY,"
            " holder VARCHAR(64) NOT NULL, steps BIGINT NOT NULL)");
        try {
            connection_.execute("INSERT INTO unfinished_copy (id, holder, steps) VALUES (1, ?, 1)", {holder_});
        } catch (const DbError& error) {
            if (error.kind() != ErrorKind::Duplicate) throw;
            takeOver();
        }
    }

    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;
    // Half full, it says that nobody is at it any more.
    ~Claim() {
        if (isReleased_) return;
        try {
            connection_.execute("UPDATE unfinished_copy SET holder = '' WHERE holder = ?", {holder_});
        } catch (const DbError&) {
            // Whoever comes next waits for as long as for one that was killed.
        }
    }

    // In the transaction of each batch.
    void noteStep() {
        if (connection_.execute("UPDATE unfinished_copy SET steps = steps + 1 WHERE holder = ?", {holder_}) == 0) {
            isAtWork();
        }
    }
    void release() {
        connection_.executeRaw("DROP TABLE unfinished_copy");
        isReleased_ = true;
    }

private:
    struct State {
        std::string holder;
        std::int64_t steps = 0;
        bool operator==(const State&) const = default;
    };
    State look() {
        const auto row = connection_.queryOne("SELECT holder, steps FROM unfinished_copy WHERE id = 1");
        if (!row) throw ServiceUnavailable("another otpgate has just filled this database");
        return {row->text(0), row->integer(1)};
    }
    void takeOver() {
        const State seen = look();
        for (const auto end = SteadyClock::now() + kFillerGoneAfter;
             !seen.holder.empty() && SteadyClock::now() < end;) {
            std::this_thread::sleep_for(kPause);
            if (look() != seen) isAtWork();
        }
        if (connection_.execute(
                "UPDATE unfinished_copy SET holder = ?, steps = steps + 1 WHERE id = 1 AND holder = ? AND steps = ?",
                {holder_, seen.holder, seen.steps}) == 0) {
            isAtWork();
        }
    }
    [[noreturn]] static void isAtWork() { throw ServiceUnavailable("another otpgate fills this database"); }

    Connection& connection_;
    std::string holder_;
    bool isReleased_ = false;
};

void requireEmpty(Connection& connection, const std::set<std::string>& made, const std::set<std::string>& present) {
    for (const std::string& name : made) {
        if (!present.contains(name) || !connection.queryOne("SELECT 1 FROM " + name + " LIMIT 1")) continue;
        throw ConfigurationError("the database holds rows already, in " + name +
                                 ": name an empty one, or say --replace to lose them");
    }
}

std::string insertInto(const Table& table, std::size_t rows) {
    std::string names;
    std::string marks;
    for (const TableColumn& column : table.columns) {
        names.append(names.empty() ? "" : ", ").append(column.name);
        marks.append(marks.empty() ? "(?" : ", ?");
    }
    marks += ")";
    std::string sql = "INSERT INTO " + table.name + " (" + names + ") VALUES " + marks;
    for (std::size_t i = 1; i < rows; ++i) sql.append(", ").append(marks);
    return sql;
}

class Filling {
public:
    Filling(Connection& connection, std::vector<Table> tables, Claim& claim, const FillProgress& progress)
        : connection_(connection),
          tables_(std::move(tables)),
          claim_(claim),
          progress_(progress) {}

    void take(const Table& table, std::span<const Row> rows) {
        digest_.add(table, rows);
        if (table.name != table_) {
            // Names become a part of statements, so only ours do.
            if (std::ranges::find(tables_, table) == tables_.end()) {
                throw ConfigurationError("the table " + table.name + " is not as this version of otpgate has it");
            }
            table_ = table.name;
            wholeStatement_ = insertInto(table, kRowsAStatement);
        }
        if (rows.empty()) return;
        connection_.transact([&] {
            claim_.noteStep();
            for (auto rest = rows; !rest.empty(); rest = rest.subspan(std::min(rest.size(), kRowsAStatement))) {
                insert(table, rest.first(std::min(rest.size(), kRowsAStatement)));
            }
        });
        count_ += rows.size();
        progress_(count_);
    }
    std::uint64_t count() const { return count_; }
    std::string digest() { return digest_.hex(); }

private:
    void insert(const Table& table, std::span<const Row> rows) {
        std::vector<Param> params;
        params.reserve(rows.size() * table.columns.size());
        for (const Row& row : rows) {
            for (std::size_t i = 0; i < table.columns.size(); ++i) {
                params.push_back(boundCell(row, i, table.columns[i].kind));
            }
        }
        connection_.execute(rows.size() == kRowsAStatement ? wholeStatement_ : insertInto(table, rows.size()),
                            Connection::Params{params});
    }

    Connection& connection_;
    std::vector<Table> tables_;
    Claim& claim_;
    const FillProgress& progress_;
    RowDigest digest_;
    std::string table_;
    std::string wholeStatement_;
    std::uint64_t count_ = 0;
};

// Before anything is dropped.
void requireAnother(RowSource& source, const std::string& holder, Claim& claim) {
    if (!source.isFilledBy(holder)) return;
    claim.release();
    throw ConfigurationError("this is the database that is read from, by another name: nothing was changed");
}

std::string newHolder(Connection& connection) {
    return connection.engine() == Engine::Mysql ? connection.queryOne("SELECT UUID()").value().text(0)
                                                : toHex(connection.queryOne("SELECT randomblob(16)").value().text(0));
}

}  // namespace

std::uint64_t fillDatabase(Connection& connection, std::span<const SqlFile> files, RowSource& source, Existing existing,
                           const FillProgress& progress) {
    if (source.schemaVersion() > lastVersion(files)) {
        throw ConfigurationError("what is to be written was made by a newer otpgate: install that one");
    }
    const std::set<std::string> made = tablesMadeBy(connection.engine(), files);
    const std::set<std::string> present = presentTables(connection);
    const bool isHalfFull = present.contains(std::string{kUnfinishedTable});
    if (!isHalfFull) {
        requireTablesOfMigrations(connection, files);
        if (existing == Existing::Refuse) requireEmpty(connection, made, present);
    }
    const std::string holder = newHolder(connection);
    Claim claim(connection, holder);
    requireAnother(source, holder, claim);
    // All of it anew, so that rows of an older version meet the tables of that version, and migrate with them.
    for (const std::string& name : made) {
        claim.noteStep();
        connection.executeRaw("DROP TABLE IF EXISTS " + name);
    }
    for (const char* list : kLists) connection.executeRaw(std::string{"DROP TABLE IF EXISTS "} + list);
    const auto silent = [&](std::string_view) { claim.noteStep(); };
    const auto known = filesUpTo(files, source.schemaVersion());
    migrate(connection, known, silent);
    Filling filling(connection, describeTables(connection, known), claim, progress);
    source.read([&](const Table& table, std::span<const Row> rows) { filling.take(table, rows); });
    RowDigest written;
    readTables(connection, known, [&](const Table& table, std::span<const Row> rows) {
        written.add(table, rows);
        claim.noteStep();
    });
    if (written.hex() != filling.digest()) {
        throw ServiceUnavailable(
            "what was read back is not what was written: see whether somebody else uses the database");
    }
    migrate(connection, files, silent);
    claim.release();
    return filling.count();
}

}  // namespace otpgate::db
