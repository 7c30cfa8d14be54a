// What only a server does: deadlocks, and connections that are lost.
#include "contract/db_test.h"
#include "contract/engines.h"

#include <cppunit/extensions/HelperMacros.h>

#include <barrier>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>

namespace otpgate::test {
namespace db_mysql_test {

using db::DbError;
using db::ErrorKind;
using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

// Takes connections, as the kernel does for a process that is stopped, and never says a word.
class SilentServer {
public:
    SilentServer() {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* generic = reinterpret_cast<sockaddr*>(&address);
        CPPUNIT_ASSERT(::bind(socket_, generic, size) == 0 && ::listen(socket_, 16) == 0);
        CPPUNIT_ASSERT(::getsockname(socket_, generic, &size) == 0);
        port_ = ntohs(address.sin_port);
    }
    SilentServer(const SilentServer&) = delete;
    SilentServer& operator=(const SilentServer&) = delete;
    ~SilentServer() { stop(); }
    void stop() {
        if (socket_ >= 0) ::close(socket_);
        socket_ = -1;
    }
    db::DatabaseSettings settings() const {
        return {.url = "mysql://otpgate@127.0.0.1:" + std::to_string(port_) + "/otpgate", .password = "x"};
    }

private:
    int socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    std::uint16_t port_ = 0;
};

class MysqlConnectionTest : public ContractTest<MysqlConnectionTest, MysqlEngine> {
    CPPUNIT_TEST_SUITE(MysqlConnectionTest);
    CPPUNIT_TEST(speaksUtf8AndReadCommittedAndIsStrict);
    CPPUNIT_TEST(retriesTheVictimOfADeadlock);
    CPPUNIT_TEST(runsNothingMoreInATransactionThatADeadlockEnded);
    CPPUNIT_TEST(retriesALockWaitTimeout);
    CPPUNIT_TEST(takesOneStatementAtATime);
    CPPUNIT_TEST(isAsNewAfterItWasKilled);
    CPPUNIT_TEST(warnsTheOthersOfALostConnection);
    CPPUNIT_TEST(runsNothingMoreInATransactionWhoseConnectionIsLost);
    CPPUNIT_TEST(givesUpOnASlowAnswer);
    CPPUNIT_TEST(givesUpOnAServerThatIsSilent);
    CPPUNIT_TEST(givesUpOnAServerThatIsNotThere);
    CPPUNIT_TEST(countsTheErrorsOfItsConnections);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override {
        connection_ = connect();
        connection_->executeRaw("DROP TABLE IF EXISTS items");
        connection_->executeRaw("CREATE TABLE items (id BIGINT NOT NULL PRIMARY KEY, number BIGINT NOT NULL)");
        connection_->executeRaw("INSERT INTO items VALUES (1, 0), (2, 0), (3, 0)");
    }

private:
    static std::string word(db::Connection& connection, const std::string& expression) {
        return connection.queryOne("SELECT " + expression).value().text(0);
    }
    std::int64_t number(int id) {
        return connection_->queryOne("SELECT number FROM items WHERE id = ?", {id}).value().integer(0);
    }
    static void add(db::Connection& connection, int id) {
        connection.execute("UPDATE items SET number = number + 1 WHERE id = ?", {id});
    }
    void requireOurSettings(db::Connection& connection, bool commitsByItself) {
        CPPUNIT_ASSERT_EQUAL(
            std::string{"READ-COMMITTED"},
            word(connection, isMariaDb(connection) ? "@@SESSION.tx_isolation" : "@@SESSION.transaction_isolation"));
        for (const char* variable : {"client", "connection", "results"}) {
            CPPUNIT_ASSERT_EQUAL(std::string{"utf8mb4"},
                                 word(connection, std::string{"@@SESSION.character_set_"} + variable));
        }
        CPPUNIT_ASSERT(word(connection, "@@SESSION.sql_mode").find("STRICT_ALL_TABLES") != std::string::npos);
        const auto lockWait = connection.queryOne("SELECT @@SESSION.innodb_lock_wait_timeout, @@SESSION.autocommit");
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, lockWait.value().integer(0));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{commitsByItself ? 1 : 0}, lockWait.value().integer(1));
    }

    void speaksUtf8AndReadCommittedAndIsStrict() {
        for (const bool isForGroups : {false, true}) {
            const auto other = isForGroups ? scratch().database().connectForGroups() : connect();
            requireOurSettings(*other, !isForGroups);
            kill(*connection_, idOf(*other));
            CPPUNIT_ASSERT(kindOf([&] { idOf(*other); }) == ErrorKind::Gone);
            requireOurSettings(*other, !isForGroups);
        }
    }

    void retriesTheVictimOfADeadlock() {
        std::barrier bothHoldOne(2);
        std::atomic<int> tries{0};
        const auto crossing = [&](int first, int second) {
            const auto mine = connect();
            bool meet = true;
            mine->transact([&] {
                ++tries;
                add(*mine, first);
                if (std::exchange(meet, false)) bothHoldOne.arrive_and_wait();
                add(*mine, second);
            });
        };
        std::thread other(crossing, 2, 1);
        crossing(1, 2);
        other.join();
        CPPUNIT_ASSERT_EQUAL(3, tries.load());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, number(1));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, number(2));
    }

    void runsNothingMoreInATransactionThatADeadlockEnded() {
        CPPUNIT_ASSERT(kindOf([&] {
                           connection_->transact([&] {
                               add(*connection_, 1);
                               try {
                                   connection_->executeRaw("SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213");
                               } catch (const DbError&) {
                                   // as work would that does not know better
                               }
                               add(*connection_, 2);
                           });
                       }) == ErrorKind::Deadlock);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, number(1));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, number(2));
    }

    void retriesALockWaitTimeout() {
        const auto holder = connect();
        std::atomic<bool> held{false};
        std::thread thread([&] {
            holder->transact([&] {
                add(*holder, 1);
                held = true;
                std::this_thread::sleep_for(1200ms);
            });
        });
        while (!held) std::this_thread::yield();
        const auto started = SteadyClock::now();
        add(*connection_, 1);
        const auto waited = SteadyClock::now() - started;
        thread.join();
        CPPUNIT_ASSERT(waited > 1s && waited < 5s);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, number(1));
    }

    // What an injection would need. A connection for groups may send several, but not by these.
    void takesOneStatementAtATime() {
        const auto forGroups = scratch().database().connectForGroups();
        CPPUNIT_ASSERT(kindOf([&] { connection_->executeRaw("SELECT 1; SELECT 2"); }) == ErrorKind::Other);
        CPPUNIT_ASSERT(kindOf([&] { connection_->executeRaw("SELECT 1; DELETE FROM items"); }) == ErrorKind::Other);
        for (db::Connection* connection : {connection_.get(), forGroups.get()}) {
            CPPUNIT_ASSERT(kindOf([&] { connection->query("SELECT 1; SELECT 2"); }) == ErrorKind::Other);
            CPPUNIT_ASSERT(kindOf([&] {
                               connection->execute("DELETE FROM items WHERE id = 1; DELETE FROM items", {});
                           }) == ErrorKind::Other);
        }
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, number(1));
    }

    void isAsNewAfterItWasKilled() {
        const auto other = connect();
        for (int round = 0; round < 3; ++round) {
            const auto before = idOf(*other);
            kill(*connection_, before);
            CPPUNIT_ASSERT(kindOf([&] { add(*other, 1); }) == ErrorKind::Gone);
            add(*other, 1);
            CPPUNIT_ASSERT(idOf(*other) != before);
        }
        CPPUNIT_ASSERT_EQUAL(std::int64_t{3}, number(1));
    }

    void warnsTheOthersOfALostConnection() {
        db::DatabaseSettings settings = scratch().settings();
        settings.answerTimeout = 1s;
        const auto database = db::openDatabase(settings);
        const auto first = database->connect();
        const auto second = database->connect();
        const auto third = database->connect();
        const auto secondId = idOf(*second);
        const auto thirdId = idOf(*third);
        kill(*connection_, idOf(*first));
        kill(*connection_, secondId);
        CPPUNIT_ASSERT(kindOf([&] { idOf(*first); }) == ErrorKind::Gone);
        CPPUNIT_ASSERT(idOf(*second) != secondId);  // it noticed by itself
        CPPUNIT_ASSERT_EQUAL(thirdId, idOf(*third));
    }

    void runsNothingMoreInATransactionWhoseConnectionIsLost() {
        const auto other = connect();
        CPPUNIT_ASSERT(kindOf([&] {
                           other->transact([&] {
                               add(*other, 1);
                               kill(*connection_, idOf(*other));
                               try {
                                   add(*other, 2);
                               } catch (const DbError&) {
                                   // as work would that does not know better
                               }
                               add(*other, 3);
                           });
                       }) == ErrorKind::Gone);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, number(1) + number(2) + number(3));
        other->transact([&] { add(*other, 1); });
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, number(1));
    }

    static void requireGoneWithinTwoSeconds(db::Connection& connection, const std::string& sql) {
        const auto started = SteadyClock::now();
        CPPUNIT_ASSERT(kindOf([&] { connection.query(sql, {}); }) == ErrorKind::Gone);
        CPPUNIT_ASSERT(SteadyClock::now() - started < 2s);
    }

    void givesUpOnASlowAnswer() {
        db::DatabaseSettings settings = scratch().settings();
        settings.answerTimeout = 1s;
        const auto database = db::openDatabase(settings);
        const auto impatient = database->connect();
        idOf(*impatient);
        requireGoneWithinTwoSeconds(*impatient, "SELECT SLEEP(3)");
        idOf(*impatient);
    }

    void givesUpOnAServerThatIsSilent() {
        const SilentServer server;
        const auto database = db::openDatabase(server.settings());
        requireGoneWithinTwoSeconds(*database->connect(), "SELECT 1");
    }

    void givesUpOnAServerThatIsNotThere() {
        SilentServer server;
        server.stop();
        const auto database = db::openDatabase(server.settings());
        const auto connection = database->connect();
        requireGoneWithinTwoSeconds(*connection, "SELECT 1");
        requireGoneWithinTwoSeconds(*connection, "SELECT 1");
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{2}, database->metrics().errors.of(ErrorKind::Gone).value());
    }

    void countsTheErrorsOfItsConnections() {
        const auto database = db::openDatabase(scratch().settings());
        const auto mine = database->connect();
        const auto other = database->connect();
        kill(*connection_, idOf(*mine));
        CPPUNIT_ASSERT(kindOf([&] { add(*mine, 1); }) == ErrorKind::Gone);
        CPPUNIT_ASSERT(kindOf([&] { other->execute("INSERT INTO items VALUES (1, 0)", {}); }) == ErrorKind::Duplicate);
        CPPUNIT_ASSERT(kindOf([&] { other->query("SELECT nothing FROM items"); }) == ErrorKind::Other);
        connection_->transact([&] {
            add(*connection_, 2);
            // A lock wait of a second is tried again for two, and each of them counts.
            CPPUNIT_ASSERT(kindOf([&] { add(*other, 2); }) == ErrorKind::Locked);
        });
        const db::ErrorCounts& errors = database->metrics().errors;
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, errors.of(ErrorKind::Gone).value());
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, errors.of(ErrorKind::Duplicate).value());
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, errors.of(ErrorKind::Other).value());
        CPPUNIT_ASSERT(errors.of(ErrorKind::Locked).value() >= 2);
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{0}, errors.of(ErrorKind::Busy).value());
    }

    std::unique_ptr<db::Connection> connection_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(MysqlConnectionTest);

}  // namespace db_mysql_test
}  // namespace otpgate::test
