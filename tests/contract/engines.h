// One contract suite for both engines: a suite is a template over the engine, derives from ContractTest and is
// registered by REGISTER_ON_BOTH_ENGINES. The test's name shows the engine. MySQL comes from OTPGATE_TEST_MYSQL_URL and
// OTPGATE_TEST_MYSQL_PASSWORD; its user must be allowed to create databases. Without them the tests fail.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/db/migrator.h"
#include "support_cpp/temporary_directory.h"

#include <Poco/URI.h>
#include <cppunit/TestFixture.h>
#include <cppunit/extensions/AutoRegisterSuite.h>
#include <cppunit/extensions/HelperMacros.h>

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <unistd.h>

namespace otpgate::test {

struct SqliteEngine {
    static constexpr db::Engine kEngine = db::Engine::Sqlite;
};
struct MysqlEngine {
    static constexpr db::Engine kEngine = db::Engine::Mysql;
};

// An empty database of its own, gone with the object.
class ScratchDatabase {
public:
    explicit ScratchDatabase(db::Engine engine) {
        // Generous: a busy machine must not fail a test that is not about time.
        settings_.connectTimeout = settings_.answerTimeout = std::chrono::seconds{10};
        if (engine == db::Engine::Mysql) {
            createMysql();
        } else {
            directory_ = std::make_unique<TemporaryDirectory>();
            settings_.url = "sqlite:" + directory_->path("otpgate.db");
        }
        database_ = db::openDatabase(settings_);
    }
    ScratchDatabase(const ScratchDatabase&) = delete;
    ScratchDatabase& operator=(const ScratchDatabase&) = delete;
    ~ScratchDatabase() {
        if (!server_) return;
        try {
            server_->connect()->executeRaw("DROP DATABASE " + schema_);
        } catch (const db::DbError& error) {
            std::cerr << "cannot drop " << schema_ << ": " << error.what() << '\n';
        }
    }

    db::Database& database() { return *database_; }
    std::unique_ptr<db::Connection> connect() { return database_->connect(); }
    // For a test that opens a Database with settings of its own.
    const db::DatabaseSettings& settings() const { return settings_; }

    // Applies the service's own migrations; at the second call there is nothing left to do.
    void migrate() {
        const auto connection = connect();
        db::migrate(*connection, db::sqlFiles(), [](std::string_view) {});
    }

    // Deletes every row, so that a test begins as the first one did.
    void emptyTables() {
        const auto connection = connect();
        const bool mysql = settings_.url.starts_with("mysql");
        connection->executeRaw(mysql ? "SET foreign_key_checks = 0" : "PRAGMA foreign_keys = OFF");
        for (const db::Row& row : connection->query(
                 mysql ? "SELECT table_name FROM information_schema.tables"
                         " WHERE table_schema = DATABASE() AND table_name <> 'schema_migrations'"
                       : "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'schema_migrations'"
                         " AND name NOT LIKE 'sqlite%'")) {
            connection->executeRaw("DELETE FROM " + row.text(0));
        }
    }

private:
    static std::string environment(const char* name) {
        const char* value = std::getenv(name);
        if (value == nullptr) throw std::runtime_error(std::string{name} + " is not set: start a server and name it");
        return value;
    }

    void createMysql() {
        static std::atomic<int> made{0};
        settings_.url = environment("OTPGATE_TEST_MYSQL_URL");
        settings_.password = environment("OTPGATE_TEST_MYSQL_PASSWORD");
        server_ = db::openDatabase(settings_);
        schema_ = "otpgate_" + std::to_string(::getpid()) + "_" + std::to_string(++made);
        server_->connect()->executeRaw("CREATE DATABASE " + schema_ + " CHARACTER SET utf8mb4");
        Poco::URI url(settings_.url);
        url.setPath("/" + schema_);
        settings_.url = url.toString();
    }

    db::DatabaseSettings settings_;
    std::unique_ptr<TemporaryDirectory> directory_;  // SQLite
    std::unique_ptr<db::Database> server_;           // MySQL: where the scratch database is created and dropped
    std::string schema_;
    std::unique_ptr<db::Database> database_;
};

// The base of a suite. `Suite` keeps the databases of two suites apart.
template <class Suite, class Engine>
class ContractTest : public CppUnit::TestFixture {
protected:
    static constexpr db::Engine kEngine = Engine::kEngine;

    // The suite's database, made at its first use and dropped at the end of the program.
    static ScratchDatabase& scratch() {
        static ScratchDatabase only(kEngine);
        return only;
    }
    // The same with the service's tables.
    static ScratchDatabase& migratedScratch() {
        static const bool migrated = (scratch().migrate(), true);
        static_cast<void>(migrated);
        return scratch();
    }
    static std::unique_ptr<db::Connection> connect() { return scratch().connect(); }
};

template <template <class> class Suite>
struct OnBothEngines {
    CppUnit::AutoRegisterSuite<Suite<SqliteEngine>> onSqlite;
    CppUnit::AutoRegisterSuite<Suite<MysqlEngine>> onMysql;
};

}  // namespace otpgate::test

#define REGISTER_ON_BOTH_ENGINES(Suite) const otpgate::test::OnBothEngines<Suite> registered##Suite
