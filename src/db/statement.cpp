#include "otpgate/db/statement.h"

#include "otpgate/base/text.h"

#include <algorithm>

namespace otpgate::db {

namespace {

// "?, ?, ?"
std::string places(std::size_t count) {
    return joined(std::vector<std::string>(count, "?"), ", ");
}

}  // namespace

LookUp::LookUp(std::string_view select, std::string_view condition, Locking locking)
    : select_(select),
      condition_(condition),
      locking_(locking),
      valuesPerKey_(static_cast<std::size_t>(std::ranges::count(condition, '?'))),
      sql_(select_ + " " + condition_),
      lockingSql_(locking == Locking::None ? sql_ : sql_ + " FOR UPDATE") {}

RowStatement RowStatement::insert(std::string_view table, std::initializer_list<std::string_view> columns) {
    RowStatement statement(Kind::Insert, table, columns, "");
    statement.sql_ = "INSERT INTO " + statement.table_ + " (" + joined(statement.columns_, ", ") + ") VALUES (" +
                     places(columns.size()) + ")";
    return statement;
}

RowStatement RowStatement::update(std::string_view table, std::initializer_list<std::string_view> columns,
                                  std::string_view key) {
    RowStatement statement(Kind::Update, table, columns, key);
    statement.sql_ = "UPDATE " + statement.table_ + " SET " + joined(statement.columns_, " = ?, ") + " = ? WHERE " +
                     statement.key_ + " = ?";
    return statement;
}

RowStatement RowStatement::insertFrom(std::string_view table, std::initializer_list<std::string_view> columns,
                                      std::string_view source, std::string_view copied, std::string_view key) {
    RowStatement statement(Kind::InsertFrom, table, columns, key);
    statement.source_ = source;
    statement.copied_ = copied;
    statement.sql_ = "INSERT INTO " + statement.table_ + " (" + joined(statement.columns_, ", ") + ", " +
                     statement.copied_ + ") SELECT " + places(columns.size()) + ", " + statement.copied_ + " FROM " +
                     statement.source_ + " WHERE " + statement.key_ + " = ? /*! FOR UPDATE */";
    return statement;
}

RowStatement RowStatement::remove(std::string_view table, std::string_view key) {
    RowStatement statement(Kind::Delete, table, {}, key);
    statement.sql_ = "DELETE FROM " + statement.table_ + " WHERE " + statement.key_ + " = ?";
    return statement;
}

RowStatement RowStatement::plain(std::string_view sql) {
    RowStatement statement(Kind::Plain, "", {}, "");
    statement.width_ = static_cast<std::size_t>(std::ranges::count(sql, '?'));
    statement.sql_ = sql;
    return statement;
}

RowStatement::RowStatement(Kind kind, std::string_view table, std::initializer_list<std::string_view> columns,
                           std::string_view key)
    : kind_(kind),
      table_(table),
      columns_(columns.begin(), columns.end()),
      key_(key),
      width_(columns.size() + (key.empty() ? 0 : 1)) {}

}  // namespace otpgate::db
