#include "db/mysql_group_connection.h"

#include "otpgate/base/encoding.h"

#include <algorithm>
#include <iterator>
#include <stdexcept>

namespace otpgate::db {

using namespace std::chrono_literals;

namespace {

// Of one statement: a CASE is looked through from its beginning for each row.
constexpr std::size_t kMostRows = 32;

// A statement ends after four fifths of the answer time-out, so that a lock which somebody holds for long does not look
// as if the server were gone. A process that stops between its two round trips (a debugger, a frozen machine) loses its
// locks after three times as long. MariaDB alone reads these; MySQL has nothing like them.
std::string sessionSettings(std::chrono::seconds answerTimeout) {
    const auto limit = std::max(answerTimeout, 1s);
    return " /*M!100301 , max_statement_time = " + std::to_string((limit * 800).count()) +
           " / 1000, idle_transaction_timeout = " + std::to_string((limit * 3).count()) + " */";
}

struct Literal {
    std::string operator()(std::monostate) const { return "NULL"; }
    std::string operator()(std::int64_t value) const { return std::to_string(value); }
    std::string operator()(std::string_view text) const { return "_utf8mb4 X'" + toHex(text) + "'"; }
    std::string operator()(Param::Blob blob) const { return "X'" + toHex(blob.bytes) + "'"; }
};

// Rows of one statement: the values of one after another, the key last where there is one.
class Rows {
public:
    Rows(const RowStatement& statement, std::span<const std::string> values)
        : statement_(statement),
          values_(values),
          count_(values.size() / statement.width()) {}

    // Of the n-th column. For many rows a CASE over their keys.
    std::string value(std::size_t column) const {
        if (count_ == 1) return at(0, column);
        std::string text = "CASE " + statement_.key();
        for (std::size_t row = 0; row < count_; ++row) text += " WHEN " + keyOf(row) + " THEN " + at(row, column);
        return text + " END";
    }
    std::string values() const {
        std::string text;
        for (std::size_t column = 0; column < statement_.columns().size(); ++column) text += value(column) + ", ";
        return text;
    }
    std::string assignments() const {
        std::string text;
        for (std::size_t column = 0; column < statement_.columns().size(); ++column) {
            text += (column == 0 ? "" : ", ") + statement_.columns()[column] + " = " + value(column);
        }
        return text;
    }
    std::string tuples() const {
        std::string text;
        for (std::size_t row = 0; row < count_; ++row) {
            text += row == 0 ? "(" : "), (";
            for (std::size_t column = 0; column < statement_.width(); ++column) {
                text += (column == 0 ? "" : ", ") + at(row, column);
            }
        }
        return text + ")";
    }
    std::string where() const {
        std::string text = " WHERE " + statement_.key() + " IN (";
        for (std::size_t row = 0; row < count_; ++row) text += (row == 0 ? "" : ", ") + keyOf(row);
        return text + ")";
    }

private:
    const std::string& at(std::size_t row, std::size_t column) const {
        return values_[row * statement_.width() + column];
    }
    const std::string& keyOf(std::size_t row) const { return at(row, statement_.width() - 1); }

    const RowStatement& statement_;
    std::span<const std::string> values_;
    std::size_t count_;
};

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
    if (statement.kind() == RowStatement::Kind::Plain) {
        std::string text;
        appendFilled(text, statement.sql(), [&](std::size_t place) { return values[place]; });
        return text;
    }
    const Rows rows(statement, values);
    const std::string& table = statement.table();
    const std::string columns = joined(statement.columns(), ", ");
    switch (statement.kind()) {
    case RowStatement::Kind::Insert: return "INSERT INTO " + table + " (" + columns + ") VALUES " + rows.tuples();
    case RowStatement::Kind::Update: return "UPDATE " + table + " SET " + rows.assignments() + rows.where();
    case RowStatement::Kind::InsertFrom:
        return "INSERT INTO " + table + " (" + columns + ", " + statement.copied() + ") SELECT " + rows.values() +
               statement.copied() + " FROM " + statement.source() + rows.where() + " FOR UPDATE";
    case RowStatement::Kind::Delete: return "DELETE FROM " + table + rows.where();
    case RowStatement::Kind::Plain: break;
    }
    return {};
}

bool MysqlGroupConnection::PendingRows::takes(const RowStatement& other, std::span<const std::string> row) const {
    if (&other != statement || values.size() >= kMostRows * other.width()) return false;
    switch (other.kind()) {
    case RowStatement::Kind::Insert:
    case RowStatement::Kind::Delete: return true;
    case RowStatement::Kind::Plain: return false;
    case RowStatement::Kind::Update:
    case RowStatement::Kind::InsertFrom: break;
    }
    // Of two of one key a CASE would take the first.
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
