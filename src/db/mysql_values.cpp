#include "db/mysql_values.h"

#include <cppconn/datatype.h>
#include <cppconn/prepared_statement.h>
#include <cppconn/resultset.h>
#include <cppconn/resultset_metadata.h>

#include <string>

namespace otpgate::db {

namespace {

struct MysqlBinder {
    sql::PreparedStatement& statement;
    unsigned position;

    void operator()(std::monostate) const { statement.setNull(position, sql::DataType::SQLNULL); }
    void operator()(std::int64_t value) const { statement.setInt64(position, value); }
    void operator()(std::string_view text) const { statement.setString(position, toSql(text)); }
    void operator()(Param::Blob blob) const { statement.setString(position, toSql(blob.bytes)); }
};

// SUM() and the like are DECIMAL even over integers.
bool holdsIntegers(sql::ResultSetMetaData& columns, unsigned column) {
    switch (columns.getColumnType(column)) {
    case sql::DataType::TINYINT:
    case sql::DataType::SMALLINT:
    case sql::DataType::MEDIUMINT:
    case sql::DataType::INTEGER:
    case sql::DataType::BIGINT: return true;
    case sql::DataType::DECIMAL:
    case sql::DataType::NUMERIC: return columns.getScale(column) == 0;
    }
    return false;
}

}  // namespace

sql::SQLString toSql(std::string_view text) {
    return {text.data(), text.size()};
}

void bind(sql::PreparedStatement& statement, Connection::Params params) {
    unsigned position = 0;
    for (const Param& param : params) std::visit(MysqlBinder{statement, ++position}, param.value());
}

std::vector<Row> readRows(sql::ResultSet& result) {
    sql::ResultSetMetaData& columns = *result.getMetaData();
    std::vector<bool> integral(columns.getColumnCount());
    for (unsigned i = 0; i < integral.size(); ++i) integral[i] = holdsIntegers(columns, i + 1);

    std::vector<Row> rows;
    rows.reserve(result.rowsCount());
    while (result.next()) {
        std::vector<Row::Cell> cells(integral.size());
        for (unsigned i = 0; i < integral.size(); ++i) {
            if (result.isNull(i + 1)) continue;
            if (integral[i]) {
                cells[i] = std::int64_t{result.getInt64(i + 1)};
            } else {
                cells[i] = std::string{result.getString(i + 1).asStdString()};
            }
        }
        rows.emplace_back(std::move(cells));
    }
    return rows;
}

}  // namespace otpgate::db
