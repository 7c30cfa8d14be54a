// The driver for MySQL and MariaDB over Connector/C++ 1.1, which Debian links with MariaDB's client library.
#pragma once

#include "db/database_url.h"
#include "db/engine_connection.h"
#include "db/grouped_calls.h"

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
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
    std::string describe() const override { return settings_.url; }

    const MysqlUrl& url() const { return url_; }
    const DatabaseSettings& settings() const { return settings_; }
    sql::Driver& driver() { return driver_; }

    // One connection that is lost often means that all are (the server was restarted): each looks at this number and,
    // when it has changed, pings before its next use. So a restart costs the requests under way, and not one for each
    // thread.
    std::uint64_t losses() const { return losses_.load(std::memory_order_relaxed); }
    void noteLoss() { losses_.fetch_add(1, std::memory_order_relaxed); }

    // Of all connections.
    GroupedCalls& groupedCalls(std::string_view sql);

private:
    MysqlUrl url_;
    DatabaseSettings settings_;
    sql::Driver& driver_;
    std::atomic<std::uint64_t> losses_{0};
    // The last members: their threads end before the rest goes.
    std::mutex groupedCallsMutex_;
    std::map<std::string, GroupedCalls, std::less<>> groupedCalls_;
};

class MysqlConnection final : public EngineConnection {
public:
    enum class Use { OneThread, GroupedCalls };

    explicit MysqlConnection(MysqlDatabase& database, Use use = Use::OneThread);
    ~MysqlConnection() override;

    Engine engine() const override { return Engine::Mysql; }
    std::uint64_t execute(std::string_view sql, Params params) override;
    std::vector<Row> query(std::string_view sql, Params params) override;
    std::vector<Row> call(std::string_view sql, Params params) override;
    Row callGrouped(std::string_view sql, const GroupedCall& call) override;
    // As call(), but a deadlock is not tried again.
    std::vector<Row> callOnce(std::string_view sql, Params params);
    void executeScript(std::string_view script) override;
    void executeRaw(std::string_view statement) override;
    using Connection::call;
    using Connection::execute;
    using Connection::query;

protected:
    void begin() override { executeRaw("START TRANSACTION"); }
    void commit() override { executeRaw("COMMIT"); }
    void rollback() noexcept override;

private:
    struct Session;

    // The session to use now: checked where there is doubt, made where there is none.
    Session& session();
    void dropIfDead();
    void connectAnew();

    // Runs `action` on the session; what the connector throws leaves as DbError.
    template <typename Action>
    auto run(Action&& action);
    [[noreturn]] void fail(const sql::SQLException& error);

    MysqlDatabase& database_;
    Use use_;
    std::unique_ptr<Session> session_;
    std::uint64_t seenLosses_ = 0;
    std::chrono::steady_clock::time_point lastUse_;
};

}  // namespace otpgate::db
