// One connection to one host, set up as we want it, with what is prepared on it.
#pragma once

#include "db/mysql_connection.h"

#include <cppconn/connection.h>
#include <cppconn/prepared_statement.h>
#include <cppconn/statement.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace otpgate::db {

// Destroyed from the last member to the first: statements before their connection.
struct MysqlSession {
    // Throws DbError{Gone} where the host cannot be reached, or is a node of a cluster that is not ready.
    static std::unique_ptr<MysqlSession> connect(MysqlDatabase& database, const MysqlHost& host, Statements statements,
                                                 const std::string& sessionSettings);

    // With these values bound. Prepared at its first use.
    sql::PreparedStatement& prepare(std::string_view sql, Connection::Params params);

    std::unique_ptr<sql::Connection> connection;
    bool takesBlocks = false;               // BEGIN NOT ATOMIC, which MariaDB has and MySQL has not
    std::unique_ptr<sql::Statement> plain;  // for what cannot or need not be prepared
    // Asking the connector for the count of parameters costs as much as binding them all.
    struct Prepared {
        std::unique_ptr<sql::PreparedStatement> statement;
        std::size_t parameterCount;
    };
    StatementCache<Prepared> prepared;
};

}  // namespace otpgate::db
