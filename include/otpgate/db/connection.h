// A database connection behind which either engine stands. Each thread owns one; none is shared. It connects at first
// use, keeps its prepared statements, and after a lost connection throws DbError{Gone} once and then is as new.
#pragma once

#include "otpgate/base/uuid.h"
#include "otpgate/db/error.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace otpgate::db {

enum class Engine { Mysql, Sqlite };

// A value to bind. Text and blobs are views: they must live until the call returns.
class Param {
public:
    struct Blob {
        std::string_view bytes;
    };
    using Value = std::variant<std::monostate, std::int64_t, std::string_view, Blob>;

    Param(std::nullopt_t) {}
    Param(std::int64_t value) : value_(value) {}
    Param(int value) : value_(std::int64_t{value}) {}
    Param(unsigned value) : value_(std::int64_t{value}) {}
    Param(std::string_view text) : value_(text) {}
    Param(const std::string& text) : value_(std::string_view{text}) {}
    Param(const char* text) : value_(std::string_view{text}) {}
    Param(const Uuid& id) : value_(Blob{id.bytes()}) {}  // the Uuid must outlive the call
    Param(Timestamp time) : value_(toMicroseconds(time)) {}
    template <typename T>
    Param(const std::optional<T>& value) {
        if (value) value_ = Param(*value).value_;
    }
    static Param blob(std::string_view bytes) {
        Param param{std::nullopt};
        param.value_ = Blob{bytes};
        return param;
    }

    const Value& value() const { return value_; }

private:
    Value value_;
};

// One row of a result, by column position from 0. A getter throws std::logic_error where the column holds another kind.
class Row {
public:
    using Cell = std::variant<std::monostate, std::int64_t, std::string>;
    explicit Row(std::vector<Cell> cells) : cells_(std::move(cells)) {}

    bool isNull(std::size_t column) const;
    std::int64_t integer(std::size_t column) const;
    const std::string& text(std::size_t column) const;  // text and blobs alike; bytes as stored
    Uuid uuid(std::size_t column) const { return Uuid::fromBytes(text(column)); }
    Timestamp timestamp(std::size_t column) const { return fromMicroseconds(integer(column)); }
    std::optional<std::int64_t> optionalInteger(std::size_t column) const;
    std::optional<std::string> optionalText(std::size_t column) const;
    std::optional<Uuid> optionalUuid(std::size_t column) const;
    std::optional<Timestamp> optionalTimestamp(std::size_t column) const;

private:
    std::vector<Cell> cells_;
};

// One call of a procedure that takes many at once. Views: they must live until the call returns.
struct GroupedCall {
    std::string_view packed;                 // its arguments, as the procedure unpacks them
    std::span<const std::string_view> keys;  // no two calls that go together have one in common
};

class Connection {
public:
    using Params = std::span<const Param>;

    virtual ~Connection() = default;
    virtual Engine engine() const = 0;

    // Rows inserted, deleted or changed. On MySQL an UPDATE that sets what is there already counts 0, so guards change
    // a column; an upsert counts 1 for an insert and 2 for an update. Retries deadlocks as `call` does.
    virtual std::uint64_t execute(std::string_view sql, Params params) = 0;
    // Integer columns, COUNT and SUM come as integers, everything else as the bytes that are stored.
    virtual std::vector<Row> query(std::string_view sql, Params params) = 0;
    // `sql` is `CALL name(?, ...)`; the rows are those of its (only) result set. A deadlock is retried a bounded number
    // of times: a procedure rolls back what it began before it fails. MySQL only.
    virtual std::vector<Row> call(std::string_view sql, Params params) = 0;
    // `sql` is `CALL name(?)`. Goes together with such calls on other connections of the same Database that come while
    // one is under way, in one transaction: all of them, or each alone. Not inside transact(). MySQL only.
    virtual Row callGrouped(std::string_view sql, const GroupedCall& call) = 0;
    // Several statements separated by `;` at the end of a line, without parameters: migrations.
    virtual void executeScript(std::string_view script) = 0;
    // One statement to the end of the text, semicolons and all: the body of a procedure.
    virtual void executeRaw(std::string_view statement) = 0;

    std::uint64_t execute(std::string_view sql, std::initializer_list<Param> params) {
        return execute(sql, Params{params.begin(), params.size()});
    }
    std::vector<Row> query(std::string_view sql, std::initializer_list<Param> params = {}) {
        return query(sql, Params{params.begin(), params.size()});
    }
    std::optional<Row> queryOne(std::string_view sql, std::initializer_list<Param> params = {});
    std::vector<Row> call(std::string_view sql, std::initializer_list<Param> params) {
        return call(sql, Params{params.begin(), params.size()});
    }

    // Runs `work` in a transaction (BEGIN IMMEDIATE on SQLite) and returns what it returns. Deadlock is rolled back and
    // run again, up to five times within two seconds and with short random waits, so `work` must be repeatable. Any
    // other exception rolls back and goes on up. After an error that has ended the transaction (Deadlock, Gone) each
    // further statement of `work` throws it again. Not to be nested: std::logic_error.
    template <typename Work>
    auto transact(Work&& work) -> decltype(work()) {
        using Result = decltype(work());
        if constexpr (std::is_void_v<Result>) {
            runTransaction([&] { work(); });
        } else {
            std::optional<Result> result;
            runTransaction([&] { result.emplace(work()); });
            return std::move(*result);
        }
    }

protected:
    virtual void runTransaction(const std::function<void()>& work) = 0;
};

struct DatabaseSettings {
    std::string url;  // sqlite:PATH or mysql://USER@HOST:PORT/NAME?socket=PATH
    std::string password;
    std::chrono::seconds connectTimeout{1};
    // For one statement, and on SQLite for a lock. What may take longer (migrations, a backup) asks for more.
    std::chrono::seconds answerTimeout{1};
};

// What the connections of one process share. Safe to use from any thread; outlives its connections.
class Database {
public:
    virtual ~Database() = default;
    virtual Engine engine() const = 0;
    // Does not touch the network or the disk yet.
    virtual std::unique_ptr<Connection> connect() = 0;
    // For messages: the url without a password.
    virtual std::string describe() const = 0;

    // Of all its connections: a deadlock at each try, and each failure to connect.
    const ErrorCounts& errors() const { return errors_; }
    // For the drivers, at each error that they throw: `throw database.counted(error)`.
    DbError counted(DbError error) {
        errors_.add(error.kind());
        return error;
    }

private:
    ErrorCounts errors_;
};

// Throws ConfigurationError for a url that it cannot read.
std::unique_ptr<Database> openDatabase(const DatabaseSettings& settings);

}  // namespace otpgate::db
