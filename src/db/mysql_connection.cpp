#include "db/mysql_connection.h"

#include "db/mysql_error.h"
#include "db/mysql_group_connection.h"

#include <cppconn/connection.h>
#include <cppconn/datatype.h>
#include <cppconn/driver.h>
#include <cppconn/exception.h>
#include <cppconn/parameter_metadata.h>
#include <cppconn/prepared_statement.h>
#include <cppconn/resultset.h>
#include <cppconn/resultset_metadata.h>
#include <cppconn/statement.h>

#include <algorithm>
#include <utility>

namespace otpgate::db {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

namespace {

// A server closes idle connections (wait_timeout), and so do firewalls; a ping costs what a short query costs.
constexpr auto kIdleBeforePing = 10s;

constexpr int kNotReady = 1047;        // as such a node answers every statement
constexpr int kTriesInCluster = 1000;  // the time is what counts

sql::SQLString toSql(std::string_view text) {
    return {text.data(), text.size()};
}

int toSeconds(std::chrono::seconds time) {
    return static_cast<int>(std::max(time, 1s).count());
}  // 0 would be no limit

struct Binder {
    sql::PreparedStatement& statement;
    unsigned position;

    void operator()(std::monostate) const { statement.setNull(position, sql::DataType::SQLNULL); }
    void operator()(std::int64_t value) const { statement.setInt64(position, value); }
    void operator()(std::string_view text) const { statement.setString(position, toSql(text)); }
    void operator()(Param::Blob blob) const { statement.setString(position, toSql(blob.bytes)); }
};

void bind(sql::PreparedStatement& statement, Connection::Params params) {
    unsigned position = 0;
    for (const Param& param : params) std::visit(Binder{statement, ++position}, param.value());
}

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

using ResultSet = std::unique_ptr<sql::ResultSet>;

// What a node of Galera says about itself; an empty text where the server has nothing of the name.
std::string valueOf(sql::Statement& plain, const std::string& show) {
    const ResultSet result{plain.executeQuery(toSql(show))};
    return result->next() ? result->getString(2).asStdString() : std::string{};
}

}  // namespace

// Destroyed from the last member to the first: statements before their connection.
struct MysqlConnection::Session {
    std::unique_ptr<sql::Connection> connection;
    std::unique_ptr<sql::Statement> plain;  // for what cannot or need not be prepared
    // Asking the connector for the count of parameters costs as much as binding them all.
    struct Prepared {
        std::unique_ptr<sql::PreparedStatement> statement;
        std::size_t parameterCount;
    };
    StatementCache<Prepared> prepared;

    sql::PreparedStatement& prepare(std::string_view sql, Params params) {
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
};

// The connector's thread hooks (threadInit, threadEnd) are empty functions in MariaDB's client library.
MysqlDatabase::MysqlDatabase(MysqlUrl url, DatabaseSettings settings)
    : url_(std::move(url)),
      settings_(std::move(settings)),
      driver_([]() -> sql::Driver& {
          static sql::Driver& only = *get_driver_instance();  // it keeps a map that it does not lock
          return only;
      }()),
      hosts_(url_.hosts, [this](const MysqlHost& host) { return MysqlConnection::isWell(*this, host); }) {}

std::string MysqlDatabase::currentHost() const {
    return hosts_.count() == 1 ? std::string{} : hosts_.at(hosts_.current()).toText();
}

std::unique_ptr<Connection> MysqlDatabase::connect() {
    return std::make_unique<MysqlConnection>(*this);
}

std::unique_ptr<Connection> MysqlDatabase::connectForGroups() {
    return std::make_unique<MysqlGroupConnection>(*this);
}

MysqlConnection::MysqlConnection(MysqlDatabase& database) : MysqlConnection(database, Statements::One, "") {}
MysqlConnection::MysqlConnection(MysqlDatabase& database, Statements statements, std::string sessionSettings)
    : database_(database),
      statements_(statements),
      sessionSettings_(std::move(sessionSettings)) {}
MysqlConnection::~MysqlConnection() = default;

template <typename Action>
auto MysqlConnection::run(Action&& action) {
    requireOpenTransaction();
    auto asked = SteadyClock::now();
    try {
        Session& live = session();
        asked = SteadyClock::now();
        database_.metrics().roundTrips.add();
        return action(live);
    } catch (const sql::SQLException& error) {
        fail(error, asked);
    }
}

void MysqlConnection::fail(const sql::SQLException& error, SteadyClock::time_point asked) {
    const int number = error.getErrorCode();
    DbError failure(mysqlErrorKind(number), number,
                    std::to_string(number) + " " + withoutValues(number, error.getSQLState(), error.what()));
    if (failure.kind() == ErrorKind::Gone) {
        session_.reset();
        database_.noteLoss();
        // One connection that broke says nothing about its host: whether that is there, the next connection finds out.
        const bool isSlow =
            SteadyClock::now() - asked > std::chrono::milliseconds{database_.settings().answerTimeout} / 2;
        if (isSlow || hostRefuses(number)) database_.hosts().leave(host_);
        failure = failure.withOtherHost(database_.hosts().count() > 1);
    }
    if (inTransaction() && (failure.kind() == ErrorKind::Gone || failure.kind() == ErrorKind::Deadlock)) {
        transactionEndedBy(failure);
    }
    throw database_.counted(failure);
}

MysqlConnection::Session& MysqlConnection::session() {
    if (session_ && !inTransaction()) dropIfDead();
    if (!session_) connectAnew();
    lastUse_ = SteadyClock::now();
    return *session_;
}

void MysqlConnection::requireSession() {
    session();
}

void MysqlConnection::dropIfDead() {
    if (host_ != database_.hosts().current()) {
        session_.reset();
        return;
    }
    const auto started = SteadyClock::now();
    const auto losses = database_.losses();
    if (losses == seenLosses_ && started - lastUse_ < kIdleBeforePing) return;

    if (session_->connection->isValid()) {
        seenLosses_ = losses;
        return;
    }
    session_.reset();
    if (losses == seenLosses_) database_.noteLoss();
    // A frozen server lets the ping time out, and a new connection would take as long again to fail.
    if (SteadyClock::now() - started > std::chrono::milliseconds{database_.settings().answerTimeout} / 2) {
        if (database_.hosts().leave(host_)) return;
        throw database_.counted(
            DbError(ErrorKind::Gone, 2013, "2013 " + database_.describe() + " does not answer a ping"));
    }
}

// Of several hosts each is asked once at most, and none after a time that nobody waits for.
void MysqlConnection::connectAnew() {
    const auto losses = database_.losses();
    const auto started = SteadyClock::now();
    const auto giveUp = started + 2 * std::max<std::chrono::seconds>(database_.settings().connectTimeout, 1s);
    MysqlHosts& hosts = database_.hosts();
    for (std::size_t asked = 1;; ++asked) {
        const std::size_t host = hosts.current();
        try {
            session_ = connectTo(database_, hosts.at(host), statements_, sessionSettings_);
            host_ = host;
            seenLosses_ = losses;
            return;
        } catch (const DbError& error) {
            if (!hosts.leave(host) || asked == hosts.count() || SteadyClock::now() > giveUp) throw;
        }
    }
}

std::unique_ptr<MysqlConnection::Session> MysqlConnection::connectTo(MysqlDatabase& database, const MysqlHost& host,
                                                                     Statements statements,
                                                                     const std::string& sessionSettings) {
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
        auto fresh = std::make_unique<Session>();
        fresh->connection.reset(database.driver().connect(options));
        fresh->plain.reset(fresh->connection->createStatement());
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

bool MysqlConnection::isWell(MysqlDatabase& database, const MysqlHost& host) {
    try {
        connectTo(database, host, Statements::One, "");
        return true;
    } catch (const DbError&) {
        return false;
    }
}

// Nodes of a cluster collide at the COMMIT: whoever comes first wins, and the others hear of it then. So the losers try
// again for longer, and part from each other more and more.
RetryPolicy MysqlConnection::retryPolicy() const {
    RetryPolicy policy;
    policy.onGone = database_.hosts().count() > 1;
    if (!database_.isCluster()) return policy;
    policy.tries = kTriesInCluster;
    policy.atMost = 3s;
    policy.longestPause = 150ms;
    return policy;
}

std::uint64_t MysqlConnection::execute(std::string_view sql, Params params) {
    const auto executeOnce = [&](Session& session) {
        return static_cast<std::uint64_t>(session.prepare(sql, params).executeUpdate());
    };
    if (inTransaction()) return run(executeOnce);
    RetryPolicy policy = retryPolicy();
    policy.onGone = false;  // it may be done
    return retry(policy, [&] { return run(executeOnce); });
}

std::vector<Row> MysqlConnection::query(std::string_view sql, Params params) {
    const auto queryOnce = [&](Session& session) {
        const ResultSet result{session.prepare(sql, params).executeQuery()};
        return readRows(*result);
    };
    if (inTransaction()) return run(queryOnce);
    RetryPolicy policy = retryPolicy();
    policy.onLocked = database_.isCluster();  // where that says that it waited in vain for the other nodes
    return retry(policy, [&] { return run(queryOnce); });
}

std::vector<std::vector<Row>> MysqlConnection::runPacket(const std::string& packet, std::size_t statements) try {
    return run([&](Session& session) {
        std::vector<std::vector<Row>> rows(statements);
        bool hasRows = session.plain->execute(toSql(packet));
        for (std::size_t i = 0; i < statements; ++i) {
            // Each result has to be read: a certification conflict of Galera is that of the COMMIT, the last one.
            if (i > 0) hasRows = session.plain->getMoreResults();
            if (hasRows) rows[i] = readRows(*ResultSet{session.plain->getResultSet()});
        }
        return rows;
    });
} catch (const DbError& error) {
    if (inTransaction()) transactionEndedBy(error);
    throw;
}

void MysqlConnection::executeRaw(std::string_view statement) {
    run([&](Session& session) {
        if (session.plain->execute(toSql(statement))) ResultSet{session.plain->getResultSet()}.reset();
    });
}

void MysqlConnection::rollback() noexcept {
    if (!session_) return;
    try {
        session_->plain->execute("ROLLBACK");
    } catch (const sql::SQLException&) {
        session_.reset();  // the server rolls back what a closed connection leaves
    }
}

}  // namespace otpgate::db
