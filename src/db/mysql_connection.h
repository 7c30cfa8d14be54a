// The driver for MySQL and MariaDB over Connector/C++ 1.1, which Debian links with MariaDB's client library.
#pragma once

#include "db/database_url.h"
#include "db/engine_connection.h"
#include "db/mysql_hosts.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

namespace sql {
class Driver;
class SQLException;
}  // namespace sql

namespace otpgate::db {

class MysqlDatabase final : public Database {
public:
    MysqlDatabase(MysqlUrl url, DatabaseSettings settings);

    Engine engine() const override { return Engine::Mysql; }
    std::unique_ptr<Connection> connect() override;
    std::unique_ptr<Connection> connectForGroups() override;
    std::string describe() const override { return settings_.url; }
    std::string currentHost() const override;

    const MysqlUrl& url() const { return url_; }
    const DatabaseSettings& settings() const { return settings_; }
    sql::Driver& driver() { return driver_; }

    // One connection that is lost often means that all are (the server was restarted): each looks at this number and,
    // when it has changed, pings before its next use. So a restart costs the requests under way, and not one for each
    // thread.
    std::uint64_t losses() const { return losses_.load(std::memory_order_relaxed); }
    void noteLoss() { losses_.fetch_add(1, std::memory_order_relaxed); }

    // Only where there are several, anything is ever left.
    MysqlHosts& hosts() { return hosts_; }

    // Whether a node of a Galera cluster has answered.
    bool isCluster() const { return isCluster_.load(std::memory_order_relaxed); }
    void noteCluster() { isCluster_.store(true, std::memory_order_relaxed); }

private:
    MysqlUrl url_;
    DatabaseSettings settings_;
    sql::Driver& driver_;
    std::atomic<std::uint64_t> losses_{0};
    std::atomic<bool> isCluster_{false};
    MysqlHosts hosts_;  // its thread uses the rest
};

enum class Statements { One, Several };  // in one round trip
// Of a packet of several: one for each, or one for all where the server can, of statements that have no rows and of
// which none says NOWAIT.
enum class Answers { Each, One };
struct MysqlSession;

class MysqlConnection : public EngineConnection {
public:
    explicit MysqlConnection(MysqlDatabase& database);
    ~MysqlConnection() override;

    Engine engine() const override { return Engine::Mysql; }
    KnownContents& known() override { return database_.known(); }
    std::uint64_t execute(std::string_view sql, Params params) override;
    std::vector<Row> query(std::string_view sql, Params params) override;
    void executeRaw(std::string_view statement) override;
    using EngineConnection::execute;
    using EngineConnection::query;

protected:
    MysqlConnection(MysqlDatabase& database, Statements statements, std::string sessionSettings);

    // Makes sure, outside a transaction, that there is a session that is alive, as far as can be known without asking.
    void requireSession();
    // In one round trip, on a cluster in one for each: the rows of each statement, none of what is not a SELECT. The
    // first that fails ends it, and the transaction with it: what stood behind it was not made.
    std::vector<std::vector<Row>> runPacket(const std::vector<std::string>& statements,
                                            Answers answers = Answers::Each);

    void begin() override { executeRaw("START TRANSACTION"); }
    void commit() override { executeRaw("COMMIT"); }
    void rollback() noexcept override;
    RetryPolicy retryPolicy() const override;
    const MysqlDatabase& database() const { return database_; }

private:
    // The session to use now: checked where there is doubt, made where there is none.
    MysqlSession& session();
    void dropIfDead();
    void connectAnew();

    // Runs `action` on the session; what the connector throws leaves as DbError.
    template <typename Action>
    auto run(Action&& action);
    [[noreturn]] void fail(const sql::SQLException& error, std::chrono::steady_clock::time_point asked);

    MysqlDatabase& database_;
    const Statements statements_;
    const std::string sessionSettings_;  // ", name = value" and so on
    std::unique_ptr<MysqlSession> session_;
    std::size_t host_ = 0;  // of the session
    std::uint64_t seenLosses_ = 0;
    std::chrono::steady_clock::time_point lastUse_;
};

}  // namespace otpgate::db
