#include "otpgate/db/connection.h"

#include <stdexcept>

namespace otpgate::db {

namespace {

template <typename T>
const T& get(const std::vector<Row::Cell>& cells, std::size_t column, const char* kind) {
    if (const T* value = std::get_if<T>(&cells.at(column))) return *value;
    throw std::logic_error("column " + std::to_string(column) + " does not hold " + kind);
}

}  // namespace

bool Row::isNull(std::size_t column) const {
    return std::holds_alternative<std::monostate>(cells_.at(column));
}

std::int64_t Row::integer(std::size_t column) const {
    return get<std::int64_t>(cells_, column, "an integer");
}

const std::string& Row::text(std::size_t column) const {
    return get<std::string>(cells_, column, "text");
}

std::optional<std::int64_t> Row::optionalInteger(std::size_t column) const {
    if (isNull(column)) return std::nullopt;
    return integer(column);
}

std::optional<std::string> Row::optionalText(std::size_t column) const {
    if (isNull(column)) return std::nullopt;
    return text(column);
}

std::optional<Uuid> Row::optionalUuid(std::size_t column) const {
    if (isNull(column)) return std::nullopt;
    return uuid(column);
}

std::optional<Timestamp> Row::optionalTimestamp(std::size_t column) const {
    if (isNull(column)) return std::nullopt;
    return timestamp(column);
}

std::optional<Row> Connection::queryOne(std::string_view sql, std::initializer_list<Param> params) {
    std::vector<Row> rows = query(sql, params);
    if (rows.empty()) return std::nullopt;
    return std::move(rows.front());
}

}  // namespace otpgate::db
