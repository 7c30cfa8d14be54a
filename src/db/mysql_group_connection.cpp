#include "db/mysql_group_connection.h"

#include "otpgate/base/encoding.h"
#include "otpgate/base/text.h"

#include <algorithm>
#include <iterator>
#include <stdexcept>

namespace otpgate::db {

using namespace std::chrono_literals;

namespace {

// Of one statement: a CASE is looked through from its beginning for each row.
constexpr std::size_t kMostRows = 32;

// A transaction begins with its first statement, which saves the one that says so. A statement, or a block of them,
// ends after four fifths of the answer time-out, so that a lock which somebody holds for long does not look as if the
// server were gone; MariaDB (10.11.19) says that a COMMIT was made where it was, however long that took. A process that
// stops between its two round trips (a debugger, a frozen machine) loses its locks after three times as long. MariaDB
// alone reads these two; MySQL has nothing like them.
std::string sessionSettings(std::chrono::seconds answerTimeout) {
    const auto limit = std::max(answerTimeout, 1s);
    return ", autocommit = 0 /*M!100301 , max_statement_time = " + std::to_string((limit * 800).count()) +
           " / 1000, idle_transaction_timeout = " + std::to_string((limit * 3).count()) + " */";
}

// Between quotes, in whatever mode the server is. Most texts hold nothing else, and are half as long as their digits.
bool meansNothing(char c) {
    constexpr std::string_view kMarks = " @._+:/;,()=-";
    return isLetterOrDigit(c) || kMarks.find(c) != std::string_view::npos;
}

// Appends a value as SQL.
struct Literal {
    std::string& text;

    void operator()(std::monostate) const { text += "NULL"; }
    void operator()(std::int64_t value) const { text += std::to_string(value); }
    void operator()(std::string_view characters) const {
        if (std::ranges::all_of(characters, meansNothing)) {
            text.append("'").append(characters).append("'");
        } else {
            text += "_utf8mb4 ";
            appendHex(characters);
        }
    }
    void operator()(Param::Blob blob) const { appendHex(blob.bytes); }
    void appendHex(std::string_view bytes) const {
        text += "X'";
        text += toHex(bytes);
        text += '\'';
    }
};

void appendLiteral(std::string& text, const Param& param) {
    std::visit(Literal{text}, param.value());
}

// `sql` with a value in the place of each `?`.
template <typename AppendValue>
void appendFilled(std::string& text, std::string_view sql, const AppendValue& appendValue) {
    std::size_t place = 0;
    for (const char c : sql) {
        if (c == '?')
            appendValue(place++);
        else
            text += c;
    }
}

// Whether a row that is inserted later may as well be inserted before `earlier`, together with others.
bool mayOvertake(const RowStatement& later, const RowStatement& earlier) {
    return later.kind() == RowStatement::Kind::Insert && earlier.kind() != RowStatement::Kind::Plain &&
           earlier.table() != later.table() && earlier.source() != later.table();
}

}  // namespace

std::string mysqlLiteral(const Param& param) {
    std::string text;
    appendLiteral(text, param);
    return text;
}

std::string mysqlText(const LookUp& lookUp, Connection::Params values) {
    std::string text = lookUp.select() + " (";
    for (std::size_t value = 0; value < values.size(); value += lookUp.valuesPerKey()) {
        if (value > 0) text += " OR ";
        appendFilled(text, lookUp.condition(), [&](std::size_t place) { appendLiteral(text, values[value + place]); });
    }
    text += ')';
    switch (lookUp.locking()) {
    case Locking::None: break;
    case Locking::Wait: text += " FOR UPDATE"; break;
    case Locking::Fail: text += " FOR UPDATE NOWAIT"; break;
    }
    return text;
}

bool MysqlRows::add(Connection::Params row) {
    const RowStatement::Kind kind = statement_.kind();
    if (count_ > 0 && (kind == RowStatement::Kind::Plain || count_ == kMostRows)) return false;
    if (kind == RowStatement::Kind::Insert) {
        tuples_ += count_ == 0 ? "(" : ", (";
        for (const Param& value : row) {
            if (&value != &row.front()) tuples_ += ", ";
            appendLiteral(tuples_, value);
        }
        tuples_ += ')';
    } else {
        std::vector<std::string> literals;
        for (const Param& value : row) literals.push_back(mysqlLiteral(value));
        // Of two of one key a CASE would take the first.
        for (std::size_t other = 0; other < count_; ++other) {
            if (keyOf(other) == literals.back()) return false;
        }
        std::ranges::move(literals, std::back_inserter(values_));
    }
    ++count_;
    return true;
}

std::string MysqlRows::text() const {
    const std::string& table = statement_.table();
    switch (statement_.kind()) {
    case RowStatement::Kind::Insert:
        return "INSERT INTO " + table + " (" + joined(statement_.columns(), ", ") + ") VALUES " + tuples_;
    case RowStatement::Kind::Update: return "UPDATE " + table + " SET " + assignments() + where();
    case RowStatement::Kind::InsertFrom: {
        std::string values;
        for (std::size_t column = 0; column < statement_.columns().size(); ++column) values += value(column) + ", ";
        return "INSERT INTO " + table + " (" + joined(statement_.columns(), ", ") + ", " + statement_.copied() +
               ") SELECT " + values + statement_.copied() + " FROM " + statement_.source() + where() + " FOR UPDATE";
    }
    case RowStatement::Kind::Delete: return "DELETE FROM " + table + where();
    case RowStatement::Kind::Plain: break;
    }
    std::string text;
    appendFilled(text, statement_.sql(), [&](std::size_t place) { text += values_[place]; });
    return text;
}

// For many rows a CASE over their keys.
std::string MysqlRows::value(std::size_t column) const {
    if (count_ == 1) return at(0, column);
    std::string text = "CASE " + statement_.key();
    for (std::size_t row = 0; row < count_; ++row) {
        text.append(" WHEN ").append(keyOf(row)).append(" THEN ").append(at(row, column));
    }
    return text + " END";
}

std::string MysqlRows::assignments() const {
    std::string text;
    for (std::size_t column = 0; column < statement_.columns().size(); ++column) {
        text.append(column == 0 ? "" : ", ").append(statement_.columns()[column]).append(" = ").append(value(column));
    }
    return text;
}

std::string MysqlRows::where() const {
    std::string text = " WHERE " + statement_.key() + " IN (";
    for (std::size_t row = 0; row < count_; ++row) text.append(row == 0 ? "" : ", ").append(keyOf(row));
    return text + ")";
}

MysqlGroupConnection::MysqlGroupConnection(MysqlDatabase& database)
    : MysqlConnection(database, Statements::Several, sessionSettings(database.settings().answerTimeout)) {}

std::uint64_t MysqlGroupConnection::execute(std::string_view sql, Params params) {
    if (!inTransaction()) return transact([&] { return execute(sql, params); });
    flush();
    return MysqlConnection::execute(sql, params);
}

std::vector<Row> MysqlGroupConnection::query(std::string_view sql, Params params) {
    if (!inTransaction()) return transact([&] { return query(sql, params); });
    flush();
    return MysqlConnection::query(sql, params);
}

void MysqlGroupConnection::executeRaw(std::string_view statement) {
    if (!inTransaction()) return transact([&] { executeRaw(statement); });
    flush();
    MysqlConnection::executeRaw(statement);
}

std::vector<std::vector<Row>> MysqlGroupConnection::lookUp(std::span<const KeyedLookUp> lookUps) {
    if (!inTransaction()) return transact([&] { return lookUp(lookUps); });
    for (const KeyedLookUp& asked : lookUps) requireWholeKeys(asked);
    std::vector<std::vector<Row>> found(lookUps.size());
    if (std::ranges::all_of(lookUps, [](const KeyedLookUp& asked) { return asked.values.empty(); })) return found;

    std::vector<std::string> packet = takePending();
    const std::size_t before = packet.size();
    for (const KeyedLookUp& asked : lookUps) {
        if (!asked.values.empty()) packet.push_back(mysqlText(asked.lookUp, asked.values));
    }
    auto results = runPacket(packet);
    auto next = results.begin() + static_cast<std::ptrdiff_t>(before);
    for (std::size_t i = 0; i < lookUps.size(); ++i) {
        if (!lookUps[i].values.empty()) found[i] = std::move(*next++);
    }
    return found;
}

void MysqlGroupConnection::write(const RowStatement& statement, Params params) {
    if (!inTransaction()) throw std::logic_error("a row to write outside a transaction");
    requireParameterCount(statement.sql(), statement.width(), params.size());
    for (auto rows = pending_.rbegin(); rows != pending_.rend(); ++rows) {
        if (&rows->statement() == &statement && rows->add(params)) return;
        if (!mayOvertake(statement, rows->statement())) break;
    }
    pending_.emplace_back(statement).add(params);
}

std::vector<std::string> MysqlGroupConnection::takePending() {
    std::vector<std::string> packet;
    isUntouched_ = false;
    for (const MysqlRows& rows : pending_) packet.push_back(rows.text());
    pending_.clear();
    return packet;
}

void MysqlGroupConnection::flush() {
    const std::vector<std::string> packet = takePending();
    if (!packet.empty()) runPacket(packet, Answers::One);
}

// On a cluster it does not fall apart at once: its calls would collide one by one with those of the other nodes, each
// as often as the group does once.
RetryPolicy MysqlGroupConnection::retryPolicy() const {
    RetryPolicy policy = MysqlConnection::retryPolicy();
    if (database().isCluster()) {
        policy.atMost = 1500ms;
    } else {
        policy.onLocked = false;
        policy.tries = 3;
    }
    return policy;
}

void MysqlGroupConnection::begin() {
    requireSession();
    pending_.clear();
    isUntouched_ = true;
}

void MysqlGroupConnection::commit() {
    if (isUntouched_ && pending_.empty()) return;
    std::vector<std::string> packet = takePending();
    packet.emplace_back("COMMIT");
    runPacket(packet, Answers::One);
}

void MysqlGroupConnection::rollback() noexcept {
    pending_.clear();
    if (!isUntouched_) MysqlConnection::rollback();
}

}  // namespace otpgate::db
