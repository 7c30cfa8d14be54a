// The driver for an embedded SQLite file: WAL, every commit synced to disk, one writer at a time in order of arrival.
#pragma once

#include "db/database_url.h"
#include "db/engine_connection.h"
#include "db/writer_queue.h"

#include <memory>
#include <mutex>

namespace otpgate::db {

class SqliteDatabase final : public Database {
public:
    SqliteDatabase(SqliteUrl url, const DatabaseSettings& settings);

    Engine engine() const override { return Engine::Sqlite; }
    std::unique_ptr<Connection> connect() override;
    std::unique_ptr<Connection> connectForGroups() override { return connect(); }
    std::string describe() const override { return "sqlite:" + path_; }

    const std::string& path() const { return path_; }
    std::chrono::milliseconds busyTimeout() const { return busyTimeout_; }
    WriterQueue& writers() { return writers_; }
    std::mutex& opening() { return opening_; }

private:
    std::string path_;
    std::chrono::milliseconds busyTimeout_;
    WriterQueue writers_;
    std::mutex opening_;
};

class SqliteConnection final : public EngineConnection {
public:
    explicit SqliteConnection(SqliteDatabase& database);
    ~SqliteConnection() override;

    Engine engine() const override { return Engine::Sqlite; }
    KnownContents& known() override { return database_.known(); }
    std::uint64_t execute(std::string_view sql, Params params) override;
    std::vector<Row> query(std::string_view sql, Params params) override;
    void executeRaw(std::string_view statement) override;
    using EngineConnection::execute;
    using EngineConnection::query;

protected:
    void begin() override;
    void commit() override;
    void rollback() noexcept override;

private:
    struct Session;
    class Execution;

    Session& session();
    void open();
    void openOrThrow();
    WriterQueue::Turn takeTurn();
    void runPlain(const char* sql);
    [[noreturn]] void fail();

    SqliteDatabase& database_;
    std::unique_ptr<Session> session_;
    WriterQueue::Turn turn_;  // while a transaction is open
};

}  // namespace otpgate::db
