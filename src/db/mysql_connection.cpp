#include "db/mysql_connection.h"

#include "db/mysql_error.h"
#include "db/mysql_session.h"
#include "db/mysql_values.h"
#include "otpgate/base/text.h"

#include <cppconn/connection.h>
#include <cppconn/exception.h>
#include <cppconn/prepared_statement.h>
#include <cppconn/resultset.h>
#include <cppconn/statement.h>

#include <algorithm>
#include <utility>

namespace otpgate::db {

using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

namespace {

// A server closes idle connections (wait_timeout), and so do firewalls; a ping costs what a short query costs.
constexpr auto kIdleBeforePing = 10s;

constexpr int kTriesInCluster = 1000;  // the time is what counts

using ResultSet = std::unique_ptr<sql::ResultSet>;

// Of packets with so many results each. Each has to be read: what the server refuses at the COMMIT is told in the last.
std::vector<std::vector<Row>> resultsOf(MysqlSession& session, const std::vector<std::string>& packets,
                                        std::size_t resultsEach) {
    std::vector<std::vector<Row>> rows;
    for (const std::string& packet : packets) {
        for (std::size_t result = 0; result < resultsEach; ++result) {
            const bool hasRows = result == 0 ? session.plain->execute(toSql(packet)) : session.plain->getMoreResults();
            rows.push_back(hasRows ? readRows(*ResultSet{session.plain->getResultSet()}) : std::vector<Row>{});
        }
    }
    return rows;
}

}  // namespace

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
        MysqlSession& live = session();
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

MysqlSession& MysqlConnection::session() {
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
            session_ = MysqlSession::connect(database_, hosts.at(host), statements_, sessionSettings_);
            host_ = host;
            seenLosses_ = losses;
            return;
        } catch (const DbError& error) {
            if (!hosts.leave(host) || asked == hosts.count() || SteadyClock::now() > giveUp) throw;
        }
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
    const auto executeOnce = [&](MysqlSession& session) {
        return static_cast<std::uint64_t>(session.prepare(sql, params).executeUpdate());
    };
    if (inTransaction()) return run(executeOnce);
    RetryPolicy policy = retryPolicy();
    policy.onGone = false;  // it may be done
    return retry(policy, [&] { return run(executeOnce); });
}

std::vector<Row> MysqlConnection::query(std::string_view sql, Params params) {
    const auto queryOnce = [&](MysqlSession& session) {
        const ResultSet result{session.prepare(sql, params).executeQuery()};
        return readRows(*result);
    };
    if (inTransaction()) return run(queryOnce);
    RetryPolicy policy = retryPolicy();
    policy.onLocked = database_.isCluster();  // where that says that it waited in vain for the other nodes
    return retry(policy, [&] { return run(queryOnce); });
}

std::vector<std::vector<Row>> MysqlConnection::runPacket(const std::vector<std::string>& statements,
                                                         Answers answers) try {
    return run([&](MysqlSession& session) {
        // A transaction may lose to another node between two statements of one packet. MariaDB (10.11.19) has rolled it
        // back by then, runs the next statement in a transaction of its own, which stays, and says so after that.
        if (database_.isCluster()) return resultsOf(session, statements, 1);
        const std::string packet = joined(statements, ";");
        // Each answer to a statement of a packet is sent as soon as that is made, and wakes us. A block has one.
        if (answers == Answers::One && session.takesBlocks)
            return resultsOf(session, {"BEGIN NOT ATOMIC " + packet + ";END"}, 1);
        return resultsOf(session, {packet}, statements.size());
    });
} catch (const DbError& error) {
    if (inTransaction()) transactionEndedBy(error);
    throw;
}

void MysqlConnection::executeRaw(std::string_view statement) {
    run([&](MysqlSession& session) {
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
