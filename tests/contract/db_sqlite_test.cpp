// What only the embedded file does: its settings, its mode, and other processes that write to it.
#include "contract/db_test.h"
#include "contract/engines.h"

#include <cppunit/extensions/HelperMacros.h>
#include <sqlite3.h>

#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <vector>

namespace otpgate::test {
namespace db_sqlite_test {

using db::DbError;
using db::ErrorKind;
using namespace std::chrono_literals;

class SqliteConnectionTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(SqliteConnectionTest);
    CPPUNIT_TEST(isDurableAndKeepsForeignKeys);
    CPPUNIT_TEST(createsItsFilesForItsOwnerOnly);
    CPPUNIT_TEST(isBusyWhileAnotherProcessWrites);
    CPPUNIT_TEST(waitsForAnotherProcessThatIsQuick);
    CPPUNIT_TEST(readsWhileAnotherWrites);
    CPPUNIT_TEST(opensANewFileFromManyProcessesAtOnce);
    CPPUNIT_TEST(opensANewFileFromManyThreadsAtOnce);
    CPPUNIT_TEST(saysWhatIsWrongWithTheFile);
    CPPUNIT_TEST(countsTheErrorsOfItsConnections);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override {
        settings_.url = "sqlite:" + directory_.path("otpgate.db");
        database_ = db::openDatabase(settings_);
        connection_ = database_->connect();
        connection_->executeRaw("CREATE TABLE items (id BIGINT NOT NULL PRIMARY KEY);");
    }

private:
    // A second Database has a writer queue of its own, as another process would.
    std::unique_ptr<db::Database> anotherProcess() const { return db::openDatabase(settings_); }

    static void insert(db::Connection& connection, int id) { connection.execute("INSERT INTO items VALUES (?)", {id}); }

    void isDurableAndKeepsForeignKeys() {
        const auto setting = [&](const char* name) {
            return connection_->queryOne(std::string{"PRAGMA "} + name).value();
        };
        CPPUNIT_ASSERT_EQUAL(std::string{"wal"}, setting("journal_mode").text(0));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, setting("synchronous").integer(0));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, setting("foreign_keys").integer(0));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1000}, setting("wal_autocheckpoint").integer(0));
    }

    void createsItsFilesForItsOwnerOnly() {
        for (const char* name : {"otpgate.db", "otpgate.db-wal", "otpgate.db-shm"}) {
            struct stat status {};
            CPPUNIT_ASSERT_EQUAL(0, ::stat(directory_.path(name).c_str(), &status));
            CPPUNIT_ASSERT_EQUAL(0600, static_cast<int>(status.st_mode & 0777));
        }
    }

    void isBusyWhileAnotherProcessWrites() {
        const auto other = anotherProcess();
        const auto theirs = other->connect();
        theirs->transact([&] {
            const auto started = std::chrono::steady_clock::now();
            CPPUNIT_ASSERT(kindOf([&] { insert(*connection_, 1); }) == ErrorKind::Busy);
            CPPUNIT_ASSERT(kindOf([&] { connection_->transact([] {}); }) == ErrorKind::Busy);
            const auto waited = std::chrono::steady_clock::now() - started;
            CPPUNIT_ASSERT(waited > 1900ms && waited < 4s);
        });
        insert(*connection_, 1);
    }

    void waitsForAnotherProcessThatIsQuick() {
        const auto other = anotherProcess();
        std::atomic<bool> began{false};
        std::thread thread([&] {
            const auto theirs = other->connect();
            theirs->transact([&] {
                insert(*theirs, 1);
                began = true;
                std::this_thread::sleep_for(50ms);
            });
        });
        while (!began) std::this_thread::yield();
        insert(*connection_, 2);
        thread.join();
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, connection_->queryOne("SELECT COUNT(*) FROM items").value().integer(0));
    }

    void readsWhileAnotherWrites() {
        const auto theirs = database_->connect();
        theirs->transact([&] {
            insert(*theirs, 1);
            CPPUNIT_ASSERT(!connection_->queryOne("SELECT id FROM items"));
        });
    }

    void opensANewFileFromManyProcessesAtOnce() {
        const db::DatabaseSettings settings{.url = "sqlite:" + directory_.path("new.db"), .password = {}};
        std::vector<pid_t> children;
        for (int i = 0; i < 8; ++i) {
            const pid_t child = ::fork();
            if (child == 0) {
                try {
                    const auto database = db::openDatabase(settings);
                    const auto connection = database->connect();
                    connection->executeRaw("CREATE TABLE IF NOT EXISTS items (id BIGINT NOT NULL PRIMARY KEY);");
                    insert(*connection, i);
                    ::_exit(0);
                } catch (const std::exception& error) {
                    std::cerr << error.what() << '\n';
                    ::_exit(1);
                }
            }
            children.push_back(child);
        }
        int failed = 0;
        for (const pid_t child : children) {
            int status = 0;
            ::waitpid(child, &status, 0);
            if (status != 0) ++failed;
        }
        CPPUNIT_ASSERT_EQUAL(0, failed);
    }

    void opensANewFileFromManyThreadsAtOnce() {
        const auto database = db::openDatabase({.url = "sqlite:" + directory_.path("new.db"), .password = {}});
        std::atomic<int> opened{0};
        std::vector<std::thread> threads;
        threads.reserve(40);
        for (int i = 0; i < 40; ++i) {
            threads.emplace_back([&] {
                const auto connection = database->connect();
                if (connection->queryOne("SELECT 1")) ++opened;
            });
        }
        for (std::thread& thread : threads) thread.join();
        CPPUNIT_ASSERT_EQUAL(40, opened.load());
    }

    void saysWhatIsWrongWithTheFile() {
        const auto messageFor = [&](const std::string& path) {
            const auto database = db::openDatabase({.url = "sqlite:" + path, .password = {}});
            try {
                database->connect()->query("SELECT 1", {});
            } catch (const DbError& error) {
                CPPUNIT_ASSERT(error.kind() == ErrorKind::Other);
                return std::string{error.what()};
            }
            return std::string{"no error"};
        };
        CPPUNIT_ASSERT(messageFor(directory_.path("missing/x.db")).find("No such file") != std::string::npos);
        const std::string noDatabase = directory_.write("text.db", std::string(5000, 'x'));
        CPPUNIT_ASSERT(messageFor(noDatabase).find("not a database") != std::string::npos);
    }

    void countsTheErrorsOfItsConnections() {
        insert(*connection_, 1);
        CPPUNIT_ASSERT(kindOf([&] { insert(*connection_, 1); }) == ErrorKind::Duplicate);
        CPPUNIT_ASSERT(kindOf([&] { connection_->query("SELECT nothing FROM items"); }) == ErrorKind::Other);
        const auto other = anotherProcess();
        const auto theirs = other->connect();
        theirs->transact([&] {
            CPPUNIT_ASSERT(kindOf([&] { insert(*database_->connect(), 2); }) == ErrorKind::Busy);
            CPPUNIT_ASSERT(kindOf([&] { connection_->transact([] {}); }) == ErrorKind::Busy);
        });
        const db::ErrorCounts& errors = database_->metrics().errors;
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, errors.of(ErrorKind::Duplicate).value());
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, errors.of(ErrorKind::Other).value());
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{2}, errors.of(ErrorKind::Busy).value());

        const auto nowhere = db::openDatabase({.url = "sqlite:" + directory_.path("missing/x.db"), .password = {}});
        CPPUNIT_ASSERT(kindOf([&] { nowhere->connect()->query("SELECT 1"); }) == ErrorKind::Other);
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, nowhere->metrics().errors.of(ErrorKind::Other).value());
    }

    TemporaryDirectory directory_;
    db::DatabaseSettings settings_;
    std::unique_ptr<db::Database> database_;
    std::unique_ptr<db::Connection> connection_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(SqliteConnectionTest);

}  // namespace db_sqlite_test
}  // namespace otpgate::test
