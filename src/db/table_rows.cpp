#include "otpgate/db/table_rows.h"

#include "otpgate/base/encoding.h"
#include "otpgate/base/errors.h"
#include "otpgate/base/text.h"
#include "otpgate/db/migrator.h"
#include "otpgate/db/own_tables.h"

#include <openssl/evp.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <stdexcept>
#include <thread>
#include <utility>

namespace otpgate::db {

namespace {

constexpr std::size_t kRowsAtATime = 5000;
constexpr std::string_view kSuffix = ".sql";

// 7 of "mysql/0007_key_holders.sql" and of "0007_key_holders"; 0 of what has no number.
unsigned numberOf(std::string_view path) {
    path.remove_prefix(path.find('/') == std::string_view::npos ? 0 : path.find('/') + 1);
    return parseNumber<unsigned>(path.substr(0, path.find('_'))).value_or(0);
}

CellKind kindOf(std::string type) {
    type = toLower(type);
    if (type.find("int") != std::string::npos) return CellKind::Integer;
    if (type.find("blob") != std::string::npos || type.find("binary") != std::string::npos) return CellKind::Blob;
    return CellKind::Text;
}

// A table, and by which of its columns its rows are in order.
struct KeyedTable {
    Table table;
    std::vector<std::size_t> key;
};

KeyedTable describe(Connection& connection, const std::string& name) {
    // Name, type, and the place in the primary key, counted from 1.
    const auto rows = connection.query(
        connection.engine() == Engine::Mysql
            ? "SELECT c.column_name, c.data_type, s.seq_in_index FROM information_schema.columns c"
              " LEFT JOIN information_schema.statistics s ON s.table_schema = c.table_schema"
              " AND s.table_name = c.table_name AND s.column_name = c.column_name AND s.index_name = 'PRIMARY'"
              " WHERE c.table_schema = DATABASE() AND c.table_name = ?"
            : "SELECT name, type, NULLIF(pk, 0) FROM pragma_table_info(?)",
        {name});
    std::vector<std::pair<TableColumn, std::int64_t>> columns;
    columns.reserve(rows.size());
    for (const Row& row : rows) {
        columns.push_back({{row.text(0), kindOf(row.text(1))}, row.optionalInteger(2).value_or(0)});
    }
    std::ranges::sort(columns, {}, [](const auto& column) { return column.first.name; });
    KeyedTable keyed{.table = {.name = name, .columns = {}}, .key = {}};
    std::vector<std::pair<std::int64_t, std::size_t>> key;
    for (const auto& [column, place] : columns) {
        if (place > 0) key.emplace_back(place, keyed.table.columns.size());
        keyed.table.columns.push_back(column);
    }
    std::ranges::sort(key);
    for (const auto& [place, index] : key) keyed.key.push_back(index);
    if (keyed.key.empty()) throw std::logic_error("the table " + name + " has no primary key to be read by");
    return keyed;
}

std::vector<KeyedTable> describeAll(Connection& connection, std::span<const SqlFile> files) {
    std::vector<KeyedTable> tables;
    for (const std::string& name : tablesMadeBy(connection.engine(), files)) {
        tables.push_back(describe(connection, name));
    }
    return tables;
}

std::string namesOf(const std::vector<TableColumn>& columns) {
    std::vector<std::string> names;
    names.reserve(columns.size());
    for (const TableColumn& column : columns) names.push_back(column.name);
    return joined(names, ", ");
}

// What comes behind a key of several columns: `a > ? OR (a = ? AND (b > ?))`, which an index can answer.
std::string behind(const KeyedTable& keyed, std::size_t from = 0) {
    const std::string& name = keyed.table.columns[keyed.key[from]].name;
    if (from + 1 == keyed.key.size()) return name + " > ?";
    return name + " >= ? AND (" + name + " > ? OR (" + behind(keyed, from + 1) + "))";
}

void bindBehind(std::vector<Param>& params, const KeyedTable& keyed, const Row& last) {
    for (std::size_t i = 0; i < keyed.key.size(); ++i) {
        const std::size_t column = keyed.key[i];
        const Param value = boundCell(last, column, keyed.table.columns[column].kind);
        params.push_back(value);
        if (i + 1 < keyed.key.size()) params.push_back(value);
    }
}

void readTable(Connection& connection, const KeyedTable& keyed, const TakeRows& take) {
    std::string order;
    for (const std::size_t column : keyed.key) {
        order.append(order.empty() ? "" : ", ").append(keyed.table.columns[column].name);
    }
    const std::string select = "SELECT " + namesOf(keyed.table.columns) + " FROM " + keyed.table.name;
    const std::string rest = " ORDER BY " + order + " LIMIT " + std::to_string(kRowsAtATime);
    const std::string selectBehind = select + " WHERE " + behind(keyed) + rest;
    std::vector<Row> rows = connection.query(select + rest);
    take(keyed.table, rows);
    while (rows.size() == kRowsAtATime) {
        const Row last = std::move(rows.back());
        std::vector<Param> params;
        bindBehind(params, keyed, last);
        rows = connection.query(selectBehind, Connection::Params{params});
        if (!rows.empty()) take(keyed.table, rows);
    }
}

// SQLite's transact() would keep writers away, and MySQL's would see what is committed meanwhile.
void atOneMoment(Connection& connection, const std::function<void()>& work) {
    if (connection.engine() == Engine::Sqlite) {
        connection.executeRaw("BEGIN");
        try {
            work();
        } catch (const std::exception&) {
            connection.executeRaw("ROLLBACK");
            throw;
        }
        connection.executeRaw("COMMIT");
        return;
    }
    connection.executeRaw("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ");
    // What was handed on cannot be taken back: so there is no second try, neither after an error of the connection nor
    // after one of whoever takes the rows.
    bool isBegun = false;
    std::exception_ptr failure;
    connection.transact([&] {
        if (std::exchange(isBegun, true)) return;
        failure = std::make_exception_ptr(ServiceUnavailable("the connection was lost while it was read from"));
        const auto level =
            connection.queryOne("SHOW VARIABLES WHERE Variable_name IN ('tx_isolation', 'transaction_isolation')");
        if (!level || level->text(1) != "REPEATABLE-READ") return;
        try {
            work();
            failure = nullptr;
        } catch (const std::exception&) {
            failure = std::current_exception();
        }
    });
    connection.executeRaw("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
    if (failure) std::rethrow_exception(failure);
}

unsigned versionOf(Connection& connection, std::span<const SqlFile> files) {
    unsigned version = 0;
    if (presentTables(connection).contains("schema_migrations")) {
        for (const Row& row : connection.query("SELECT version FROM schema_migrations"))
            version = std::max(version, numberOf(row.text(0)));
    }
    if (version == 0) throw ServiceUnavailable("the database holds no tables of otpgate");
    // Throws where a newer otpgate has migrated it.
    pendingMigrations(connection, files);
    const auto known = filesUpTo(files, version);
    const auto pending = pendingMigrations(connection, known);
    if (!pending.empty()) throw ServiceUnavailable("the database is between two versions: run otpgate migrate");
    const auto missing = missingTables(connection, known);
    if (!missing.empty()) throw ServiceUnavailable("the table " + missing.front() + " is missing in the database");
    return version;
}

class DatabaseRows final : public RowSource {
public:
    DatabaseRows(Connection& connection, std::span<const SqlFile> files)
        : connection_(connection),
          version_(versionOf(connection, files)),
          tables_(describeAll(connection, filesUpTo(files, version_))) {}

    unsigned schemaVersion() const override { return version_; }
    std::uint64_t rowCount() const override {
        std::int64_t count = 0;
        for (const KeyedTable& keyed : tables_) {
            count += connection_.queryOne("SELECT COUNT(*) FROM " + keyed.table.name).value().integer(0);
        }
        return static_cast<std::uint64_t>(count);
    }
    void read(const TakeRows& take) override {
        atOneMoment(connection_, [&] {
            for (const KeyedTable& keyed : tables_) readTable(connection_, keyed, take);
        });
    }
    bool isFilledBy(const std::string& holder) override {
        // A node of a cluster sees a moment later what was written at another.
        const int looks = connection_.engine() == Engine::Mysql ? 5 : 1;
        for (int look = 0; look < looks; ++look) {
            if (look > 0) std::this_thread::sleep_for(std::chrono::milliseconds{200});
            if (presentTables(connection_).contains(std::string{kUnfinishedTable}) &&
                connection_.queryOne("SELECT 1 FROM unfinished_copy WHERE holder = ?", {holder}))
                return true;
        }
        return false;
    }

private:
    Connection& connection_;
    unsigned version_;
    std::vector<KeyedTable> tables_;
};

}  // namespace

std::unique_ptr<RowSource> readDatabase(Connection& connection, std::span<const SqlFile> files) {
    return std::make_unique<DatabaseRows>(connection, files);
}

std::vector<Table> describeTables(Connection& connection, std::span<const SqlFile> files) {
    std::vector<Table> tables;
    for (KeyedTable& keyed : describeAll(connection, files)) tables.push_back(std::move(keyed.table));
    return tables;
}

void readTables(Connection& connection, std::span<const SqlFile> files, const TakeRows& take) {
    for (const KeyedTable& keyed : describeAll(connection, files)) readTable(connection, keyed, take);
}

std::vector<SqlFile> filesUpTo(std::span<const SqlFile> files, unsigned version) {
    std::vector<SqlFile> out;
    for (const SqlFile& file : files) {
        if (file.path.ends_with(kSuffix) && numberOf(file.path) <= version) out.push_back(file);
    }
    return out;
}

unsigned lastVersion(std::span<const SqlFile> files) {
    unsigned last = 0;
    for (const SqlFile& file : files) last = std::max(last, numberOf(file.path));
    return last;
}

Param boundCell(const Row& row, std::size_t column, CellKind kind) {
    if (row.isNull(column)) return std::nullopt;
    switch (kind) {
    case CellKind::Integer: return row.integer(column);
    case CellKind::Text: return row.text(column);
    case CellKind::Blob: return Param::blob(row.text(column));
    }
    throw std::logic_error("no kind of cell");
}

void appendCell(std::string& out, const Row& row, std::size_t column, CellKind kind) {
    if (row.isNull(column)) {
        out += 'n';
    } else if (kind == CellKind::Integer) {
        out += 'i';
        out += toBigEndian(static_cast<std::uint64_t>(row.integer(column)));
    } else {
        const std::string& bytes = row.text(column);
        out += 's';
        out += toBigEndian(bytes.size(), 4);
        out += bytes;
    }
}

struct RowDigest::State {
    struct Free {
        void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
    };
    std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};
    std::string table;
    std::string buffer;

    void flush() {
        if (EVP_DigestUpdate(context.get(), buffer.data(), buffer.size()) != 1) fail();
        buffer.clear();
    }
    [[noreturn]] static void fail() { throw std::runtime_error("SHA-256 is not available"); }
};

RowDigest::RowDigest() : state_(std::make_unique<State>()) {
    if (!state_->context || EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr) != 1) State::fail();
}
RowDigest::~RowDigest() = default;

void RowDigest::add(const Table& table, std::span<const Row> rows) {
    if (table.name != state_->table) {
        state_->table = table.name;
        state_->buffer += "t" + table.name + "(" + namesOf(table.columns) + ")";
    }
    for (const Row& row : rows) {
        for (std::size_t i = 0; i < table.columns.size(); ++i)
            appendCell(state_->buffer, row, i, table.columns[i].kind);
    }
    state_->flush();
}

std::string RowDigest::hex() {
    std::string digest(EVP_MAX_MD_SIZE, '\0');
    unsigned length = 0;
    if (EVP_DigestFinal_ex(state_->context.get(), reinterpret_cast<unsigned char*>(digest.data()), &length) != 1) {
        State::fail();
    }
    return toHex(std::string_view{digest}.substr(0, length));
}

}  // namespace otpgate::db
