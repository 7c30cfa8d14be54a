#include "db/mysql_group_connection.h"

#include "otpgate/base/encoding.h"

#include <algorithm>
#include <iterator>
#include <stdexcept>

namespace otpgate::db {

using namespace std::chrono_literals;

namespace {

// A statement ends after four fifths of the answer time-out, so that a lock which somebody holds for long does not look
// as if the server were gone. A process that stops between its two round trips (a debugger, a frozen machine) loses its
// locks after as long. MariaDB alone reads these; MySQL has nothing like them.
std::string sessionSettings(std::chrono::seconds answerTimeout) {
    const auto limit = std::max(answerTimeout, 1s);
    return " /*M!100301 , max_statement_time = " + std::to_string((limit * 800).count()) +
           " / 1000, idle_transaction_timeout = " + std::to_string(limit.count()) + " */";
}

struct Literal {
    std::string operator()(std::monostate) const { return "NULL"; }
    std::string operator()(std::int64_t value) const { return std::to_string(value); }
    std::string operator()(std::string_view text) const { return "_utf8mb4 X'" + toHex(text) + "'"; }
    std::string operator()(Param::Blob blob) const { return "X'" + toHex(blob.bytes) + "'"; }
};

std::string insertText(const RowStatement& statement, std::span<const std::string> values) {
    std::string text = "INSERT INTO " + statement.table() + " (";
    for (const std::string& column : statement.columns()) {
        if (&column != &statement.columns().front()) text += ", ";
        text += column;
    }
    text += ") VALUES ";
    for (std::size_t i = 0; i < values.size(); ++i) {
        const bool isFirst = i % statement.width() == 0;
        text += isFirst ? (i == 0 ? "(" : "), (") : ", ";
        text += values[i];
    }
    return text + ")";
}

// Many rows in one statement: each column is a CASE over the keys.
std::string updateText(const RowStatement& statement, std::span<const std::string> values) {
    const std::size_t width = statement.width();
    const auto keyOf = [&](std::size_t row) -> const std::string& { return values[row * width + width - 1]; };
    const std::size_t rows = values.size() / width;
    std::string text = "UPDATE " + statement.table() + " SET ";
    for (std::size_t column = 0; column < statement.columns().size(); ++column) {
        if (column > 0) text += ", ";
        text += statement.columns()[column] + " = ";
        if (rows == 1) {
            text += values[column];
            continue;
        }
        text += "CASE " + statement.key();
        for (std::size_t row = 0; row < rows; ++row) {
            text += " WHEN " + keyOf(row) + " THEN " + values[row * width + column];
        }
        text += " END";
    }
    text += " WHERE " + statement.key() + " IN (";
    for (std::size_t row = 0; row < rows; ++row) text += (row == 0 ? "" : ", ") + keyOf(row);
    return text + ")";
}

// `sql` with a value in the place of each `?`.
template <typename ValueOf>
void appendFilled(std::string& text, std::string_view sql, const ValueOf& valueOf) {
    std::size_t place = 0;
    for (const char c : sql) {
        if (c == '?')
            text += valueOf(place++);
        else
            text += c;
    }
}

void append(std::string& packet, std::size_t& statements, std::string_view statement) {
    if (statements++ > 0) packet += ';';
    packet += statement;
}

}  // namespace

std::string mysqlLiteral(const Param& param) {
    return std::visit(Literal{}, param.value());
}

std::string mysqlText(const LookUp& lookUp, Connection::Params values) {
    std::string text = lookUp.select() + " (";
    for (std::size_t value = 0; value < values.size(); value += lookUp.valuesPerKey()) {
        if (value > 0) text += " OR ";
        appendFilled(text, lookUp.condition(), [&](std::size_t place) { return mysqlLiteral(values[value + place]); });
    }
    text += ')';
    switch (lookUp.locking()) {
    case Locking::None: break;
    case Locking::Wait: text += " FOR UPDATE"; break;
    case Locking::Fail: text += " FOR UPDATE NOWAIT"; break;
    }
    return text;
}

std::string mysqlText(const RowStatement& statement, std::span<const std::string> values) {
    switch (statement.kind()) {
    case RowStatement::Kind::Insert: return insertText(statement, values);
    case RowStatement::Kind::Update: return updateText(statement, values);
    case RowStatement::Kind::Plain: break;
    }
    std::string text;
    appendFilled(text, statement.sql(), [&](std::size_t place) { return values[place]; });
    return text;
}

bool MysqlGroupConnection::PendingRows::takes(const RowStatement& other, std::span<const std::string> row) const {
    if (&other != statement) return false;
    switch (other.kind()) {
    case RowStatement::Kind::Insert: return true;
    case RowStatement::Kind::Plain: return false;
    case RowStatement::Kind::Update: break;
    }
    // Of two updates of one row a CASE would take the first.
    for (std::size_t key = other.width() - 1; key < values.size(); key += other.width()) {
        if (values[key] == row.back()) return false;
    }
    return true;
}

MysqlGroupConnection::MysqlGroupConnection(MysqlDatabase& database)
    : MysqlConnection(database, Statements::Several, sessionSettings(database.settings().answerTimeout)) {}

std::uint64_t MysqlGroupConnection::execute(std::string_view sql, Params params) {
    flush();
    return MysqlConnection::execute(sql, params);
}

std::vector<Row> MysqlGroupConnection::query(std::string_view sql, Params params) {
    flush();
    return MysqlConnection::query(sql, params);
}

void MysqlGroupConnection::executeRaw(std::string_view statement) {
    flush();
    MysqlConnection::executeRaw(statement);
}

std::vector<std::vector<Row>> MysqlGroupConnection::lookUp(std::span<const KeyedLookUp> lookUps) {
    for (const KeyedLookUp& asked : lookUps) requireWholeKeys(asked);
    std::vector<std::vector<Row>> found(lookUps.size());
    if (std::ranges::all_of(lookUps, [](const KeyedLookUp& asked) { return asked.values.empty(); })) return found;

    std::size_t statements = 0;
    std::string packet = takePending(statements);
    const std::size_t before = statements;
    for (const KeyedLookUp& asked : lookUps) {
        if (!asked.values.empty()) append(packet, statements, mysqlText(asked.lookUp, asked.values));
    }
    auto results = runPacket(packet, statements);
    auto next = results.begin() + static_cast<std::ptrdiff_t>(before);
    for (std::size_t i = 0; i < lookUps.size(); ++i) {
        if (!lookUps[i].values.empty()) found[i] = std::move(*next++);
    }
    return found;
}

void MysqlGroupConnection::write(const RowStatement& statement, Params params) {
    if (!inTransaction()) throw std::logic_error("a row to write outside a transaction");
    requireParameterCount(statement.sql(), statement.width(), params.size());
    std::vector<std::string> row;
    row.reserve(params.size());
    for (const Param& param : params) row.push_back(mysqlLiteral(param));
    if (pending_.empty() || !pending_.back().takes(statement, row)) pending_.push_back({&statement, {}});
    std::ranges::move(row, std::back_inserter(pending_.back().values));
}

std::string MysqlGroupConnection::takePending(std::size_t& statements) {
    std::string packet;
    if (std::exchange(isBeginPending_, false)) append(packet, statements, "START TRANSACTION");
    for (const PendingRows& rows : pending_) append(packet, statements, mysqlText(*rows.statement, rows.values));
    pending_.clear();
    return packet;
}

void MysqlGroupConnection::flush() {
    std::size_t statements = 0;
    const std::string packet = takePending(statements);
    if (statements > 0) runPacket(packet, statements);
}

void MysqlGroupConnection::begin() {
    requireSession();
    pending_.clear();
    isBeginPending_ = true;
}

void MysqlGroupConnection::commit() {
    if (isBeginPending_ && pending_.empty()) {
        isBeginPending_ = false;
        return;  // nothing was asked of the server
    }
    std::size_t statements = 0;
    std::string packet = takePending(statements);
    append(packet, statements, "COMMIT");
    runPacket(packet, statements);
}

void MysqlGroupConnection::rollback() noexcept {
    pending_.clear();
    if (!std::exchange(isBeginPending_, false)) MysqlConnection::rollback();
}

}  // namespace otpgate::db
