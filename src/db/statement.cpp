#include "otpgate/db/statement.h"

#include <algorithm>

namespace otpgate::db {

namespace {

std::vector<std::string> copied(std::initializer_list<std::string_view> words) {
    return {words.begin(), words.end()};
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
    RowStatement statement;
    statement.table_ = table;
    statement.columns_ = copied(columns);
    statement.width_ = columns.size();
    std::string names;
    std::string places;
    for (const std::string& column : statement.columns_) {
        names += (names.empty() ? "" : ", ") + column;
        places += places.empty() ? "?" : ", ?";
    }
    statement.sql_ = "INSERT INTO " + statement.table_ + " (" + names + ") VALUES (" + places + ")";
    return statement;
}

RowStatement RowStatement::update(std::string_view table, std::initializer_list<std::string_view> columns,
                                  std::string_view key) {
    RowStatement statement;
    statement.kind_ = Kind::Update;
    statement.table_ = table;
    statement.columns_ = copied(columns);
    statement.key_ = key;
    statement.width_ = columns.size() + 1;
    std::string changes;
    for (const std::string& column : statement.columns_) changes += (changes.empty() ? "" : ", ") + column + " = ?";
    statement.sql_ = "UPDATE " + statement.table_ + " SET " + changes + " WHERE " + statement.key_ + " = ?";
    return statement;
}

RowStatement RowStatement::plain(std::string_view sql) {
    RowStatement statement;
    statement.kind_ = Kind::Plain;
    statement.width_ = static_cast<std::size_t>(std::ranges::count(sql, '?'));
    statement.sql_ = sql;
    return statement;
}

}  // namespace otpgate::db
