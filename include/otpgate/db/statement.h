// Statements that many calls share, in one text for both engines: rows are looked up by their keys and written column
// by column. How many go in one statement or one round trip is the driver's business. Constants of the stores.
#pragma once

#include "otpgate/db/value.h"

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::db {

// What a look-up does with the rows that it finds. (SQLite's transaction has the whole file for itself.)
enum class Locking {
    None,
    Wait,  // locks them, and waits for whoever holds one
    Fail   // the same, but over a connection for groups it does not wait: DbError{Locked}
};

// A SELECT by keys. `condition` says what a row must meet for one key, with a `?` for each of the key's values and
// without OR; `select` is all that stands before it.
class LookUp {
public:
    LookUp(std::string_view select, std::string_view condition, Locking locking);

    const std::string& select() const { return select_; }
    const std::string& condition() const { return condition_; }
    Locking locking() const { return locking_; }
    std::size_t valuesPerKey() const { return valuesPerKey_; }
    // For one key, without and with its locks.
    const std::string& sql() const { return sql_; }
    const std::string& lockingSql() const { return lockingSql_; }

private:
    std::string select_;
    std::string condition_;
    Locking locking_;
    std::size_t valuesPerKey_;
    std::string sql_;
    std::string lockingSql_;
};

// A look-up, and the values of one key after another. No two keys may be the same. Without keys it finds nothing and
// costs nothing.
struct KeyedLookUp {
    const LookUp& lookUp;
    std::vector<Param> values;
};

// A statement that writes one row, or what it says itself.
class RowStatement {
public:
    enum class Kind { Insert, Update, InsertFrom, Delete, Plain };

    // Values: of the columns, in their order.
    static RowStatement insert(std::string_view table, std::initializer_list<std::string_view> columns);
    // Sets `columns` where `key` is the last value.
    static RowStatement update(std::string_view table, std::initializer_list<std::string_view> columns,
                               std::string_view key);
    // Inserts values into `columns`, and into `copied` what stands in the columns of the same names of the row of
    // `source` where `key` is the last value; nothing where there is no such row. It is locked.
    static RowStatement insertFrom(std::string_view table, std::initializer_list<std::string_view> columns,
                                   std::string_view source, std::string_view copied, std::string_view key);
    // Where `key` is the value.
    static RowStatement remove(std::string_view table, std::string_view key);
    // Any other, with a `?` for each value.
    static RowStatement plain(std::string_view sql);

    Kind kind() const { return kind_; }
    const std::string& table() const { return table_; }
    const std::string& source() const { return source_; }  // these two of InsertFrom
    const std::string& copied() const { return copied_; }
    const std::vector<std::string>& columns() const { return columns_; }
    const std::string& key() const { return key_; }
    // How many values a row has.
    std::size_t width() const { return width_; }
    // For one row.
    const std::string& sql() const { return sql_; }

private:
    RowStatement(Kind kind, std::string_view table, std::initializer_list<std::string_view> columns,
                 std::string_view key);

    Kind kind_;
    std::string table_;
    std::string source_;
    std::string copied_;
    std::vector<std::string> columns_;
    std::string key_;
    std::size_t width_;
    std::string sql_;
};

}  // namespace otpgate::db
