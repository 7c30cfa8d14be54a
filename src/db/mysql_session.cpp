#include "db/mysql_session.h"

#include "db/mysql_values.h"

#include <cppconn/driver.h>
#include <cppconn/exception.h>
#include <cppconn/metadata.h>
#include <cppconn/parameter_metadata.h>
#include <cppconn/resultset.h>

#include <algorithm>
#include <chrono>

namespace otpgate::db {

using namespace std::chrono_literals;

namespace {

constexpr int kNotReady = 1047;  // as such a node answers every statement

// 0 would be no limit.
int toSeconds(std::chrono::seconds time) {
    return static_cast<int>(std::max(time, 1s).count());
}

// What a node of Galera says about itself; an empty text where the server has nothing of the name.
std::string valueOf(sql::Statement& plain, const std::string& show) {
    const std::unique_ptr<sql::ResultSet> result{plain.executeQuery(toSql(show))};
    return result->next() ? result->getString(2).asStdString() : std::string{};
}

// As it says when one connects; a proxy that speaks for it may say nothing of the kind, and then all works as on MySQL.
bool isMariaDb(sql::Connection& connection) {
    return connection.getMetaData()->getDatabaseProductVersion().asStdString().find("MariaDB") != std::string::npos;
}

}  // namespace

std::unique_ptr<MysqlSession> MysqlSession::connect(MysqlDatabase& database, const MysqlHost& host,
                                                    Statements statements, const std::string& sessionSettings) {
    const MysqlUrl& url = database.url();
    const DatabaseSettings& settings = database.settings();
    const bool ipv6 = host.name.find(':') != std::string::npos;

    sql::ConnectOptionsMap options;
    options["hostName"] = toSql("tcp://" + (ipv6 ? "[" + host.name + "]" : host.name));
    options["port"] = int{host.port};
    // unix://PATH in hostName is taken for a host by MariaDB's library; this option is not, and wins over the host.
    if (!url.socket.empty()) options["socket"] = toSql(url.socket);
    options["userName"] = toSql(url.user);
    options["password"] = toSql(settings.password);
    options["schema"] = toSql(url.schema);
    options["OPT_CONNECT_TIMEOUT"] = toSeconds(settings.connectTimeout);
    options["OPT_READ_TIMEOUT"] = toSeconds(settings.answerTimeout);
    options["OPT_WRITE_TIMEOUT"] = toSeconds(settings.answerTimeout);
    options["OPT_CHARSET_NAME"] = toSql("utf8mb4");
    options["characterSetResults"] = toSql("utf8mb4");  // the connector's default is the utf8 of three bytes
    options["OPT_LOCAL_INFILE"] = 0;                    // no server may ask for files of ours
    if (statements == Statements::Several) options["CLIENT_MULTI_STATEMENTS"] = true;
    // By postInit, because the connector itself sets REPEATABLE READ when it connects.
    options["postInit"] = toSql("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");

    const auto failed = [&](int number, const std::string& reason) {
        const std::string which = database.hosts().count() == 1 ? "" : host.toText() + " of ";
        return database.counted(
            DbError(ErrorKind::Gone, number,
                    std::to_string(number) + " cannot connect to " + which + database.describe() + ": " + reason)
                .withOtherHost(database.hosts().count() > 1));
    };
    try {
        auto fresh = std::make_unique<MysqlSession>();
        fresh->connection.reset(database.driver().connect(options));
        fresh->plain.reset(fresh->connection->createStatement());
        fresh->takesBlocks = isMariaDb(*fresh->connection);
        fresh->plain->execute(
            toSql("SET SESSION innodb_lock_wait_timeout = 1,"
                  " sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'" +
                  sessionSettings));
        if (valueOf(*fresh->plain, "SHOW VARIABLES LIKE 'wsrep_on'") != "ON") return fresh;
        database.noteCluster();
        // A node that is being filled, or that has lost the others, takes connections all the same.
        if (valueOf(*fresh->plain, "SHOW STATUS LIKE 'wsrep_ready'") != "ON") {
            throw failed(kNotReady, "it is not ready, as its wsrep_ready says");
        }
        // What was committed by another node is seen here: a transaction waits at its beginning, and a single statement
        // before itself, until all of that has arrived. Inside a transaction nothing waits.
        fresh->plain->execute("SET SESSION wsrep_sync_wait = 3");
        return fresh;
    } catch (const sql::SQLException& error) {
        throw failed(error.getErrorCode(), error.what());
    }
}

sql::PreparedStatement& MysqlSession::prepare(std::string_view sql, Connection::Params params) {
    auto found = prepared.find(sql);
    if (found == prepared.end()) {
        if (prepared.size() >= kMaxCachedStatements) prepared.clear();
        std::unique_ptr<sql::PreparedStatement> statement{connection->prepareStatement(toSql(sql))};
        const std::size_t count = statement->getParameterMetaData()->getParameterCount();
        found = prepared.emplace(sql, Prepared{std::move(statement), count}).first;
    }
    sql::PreparedStatement& statement = *found->second.statement;
    requireParameterCount(sql, found->second.parameterCount, params.size());
    bind(statement, params);
    return statement;
}

}  // namespace otpgate::db
