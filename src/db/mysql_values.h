// What goes into a statement of the connector, and what comes out of a result.
#pragma once

#include "otpgate/db/connection.h"

#include <cppconn/sqlstring.h>

#include <string_view>
#include <vector>

namespace sql {
class PreparedStatement;
class ResultSet;
}  // namespace sql

namespace otpgate::db {

sql::SQLString toSql(std::string_view text);
// All parameters of the statement, in their order.
void bind(sql::PreparedStatement& statement, Connection::Params params);
// What is left of the result: whole numbers as such, all else as text.
std::vector<Row> readRows(sql::ResultSet& result);

}  // namespace otpgate::db
