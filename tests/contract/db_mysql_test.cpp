// What only a server does: deadlocks, procedures, and connections that are lost.
#include "contract/engines.h"
#include "db/mysql_connection.h"

#include <cppunit/extensions/HelperMacros.h>

#include <barrier>
#include <future>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>

namespace otpgate::test {
namespace {

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
    CPPUNIT_TEST(callsAProcedureAThousandTimes);
    CPPUNIT_TEST(callsAProcedureWithoutAResult);
    CPPUNIT_TEST(retriesACallAfterADeadlock);
    CPPUNIT_TEST(leavesNoTransactionOfAFailedProcedureOpen);
    CPPUNIT_TEST(makesAGroupedCall);
    CPPUNIT_TEST(refusesAGroupedCallInATransaction);
    CPPUNIT_TEST(makesCallsThatWaitTogether);
    CPPUNIT_TEST(failsOnlyTheGroupedCallThatIsWrong);
    CPPUNIT_TEST(failsAllGroupedCallsThatWaitForALostConnection);
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
    static std::int64_t idOf(db::Connection& connection) {
        return connection.queryOne("SELECT CONNECTION_ID()").value().integer(0);
    }
    std::int64_t number(int id) {
        return connection_->queryOne("SELECT number FROM items WHERE id = ?", {id}).value().integer(0);
    }
    static void add(db::Connection& connection, int id) {
        connection.execute("UPDATE items SET number = number + 1 WHERE id = ?", {id});
    }
    void kill(std::int64_t id) {
        connection_->executeRaw("KILL " + std::to_string(id));
        // The server closes the socket a moment later.
        const auto alive = [&] {
            return connection_->queryOne("SELECT 1 FROM information_schema.processlist WHERE id = ?", {id}).has_value();
        };
        while (alive()) std::this_thread::sleep_for(1ms);
        std::this_thread::sleep_for(20ms);
    }
    template <class Work>
    static ErrorKind kindOf(Work&& work) {
        try {
            work();
        } catch (const DbError& error) {
            return error.kind();
        }
        CPPUNIT_FAIL("nothing was thrown");
        return ErrorKind::Other;
    }

    void requireOurSettings(db::Connection& connection) {
        const bool mariaDb = word(connection, "VERSION()").find("MariaDB") != std::string::npos;
        CPPUNIT_ASSERT_EQUAL(std::string{"READ-COMMITTED"},
                             word(connection, mariaDb ? "@@SESSION.tx_isolation" : "@@SESSION.transaction_isolation"));
        for (const char* variable : {"client", "connection", "results"}) {
            CPPUNIT_ASSERT_EQUAL(std::string{"utf8mb4"},
                                 word(connection, std::string{"@@SESSION.character_set_"} + variable));
        }
        CPPUNIT_ASSERT(word(connection, "@@SESSION.sql_mode").find("STRICT_ALL_TABLES") != std::string::npos);
        const auto lockWait = connection.queryOne("SELECT @@SESSION.innodb_lock_wait_timeout, @@SESSION.autocommit");
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, lockWait.value().integer(0));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, lockWait.value().integer(1));
    }

    void speaksUtf8AndReadCommittedAndIsStrict() {
        const auto other = connect();
        requireOurSettings(*other);
        kill(idOf(*other));
        CPPUNIT_ASSERT(kindOf([&] { idOf(*other); }) == ErrorKind::Gone);
        requireOurSettings(*other);
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

    void callsAProcedureAThousandTimes() {
        connection_->executeRaw(
            "CREATE PROCEDURE add_to(IN wanted BIGINT) BEGIN"
            " UPDATE items SET number = number + 1 WHERE id = wanted;"
            " SELECT id, number FROM items WHERE id = wanted; END");
        for (std::int64_t i = 1; i <= 1000; ++i) {
            const auto rows = connection_->call("CALL add_to(?)", {1});
            CPPUNIT_ASSERT_EQUAL(std::size_t{1}, rows.size());
            CPPUNIT_ASSERT_EQUAL(i, rows[0].integer(1));
        }
        CPPUNIT_ASSERT(connection_->call("CALL add_to(?)", {99}).empty());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1000}, number(1));
    }

    void callsAProcedureWithoutAResult() {
        connection_->executeRaw("CREATE PROCEDURE set_to(IN wanted BIGINT) UPDATE items SET number = wanted");
        for (std::int64_t i = 1; i <= 3; ++i) {
            CPPUNIT_ASSERT(connection_->call("CALL set_to(?)", {i}).empty());
            CPPUNIT_ASSERT_EQUAL(i, number(1));
        }
    }

    void retriesACallAfterADeadlock() {
        connection_->executeRaw(
            "CREATE PROCEDURE fail_thrice() BEGIN"
            " IF COALESCE(@failed, 0) < 3 THEN SET @failed = COALESCE(@failed, 0) + 1;"
            "  SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213; END IF;"
            " SELECT CAST(@failed AS SIGNED); END");
        CPPUNIT_ASSERT_EQUAL(std::int64_t{3}, connection_->call("CALL fail_thrice()", {}).at(0).integer(0));
    }

    void leavesNoTransactionOfAFailedProcedureOpen() {
        connection_->executeRaw(
            "CREATE PROCEDURE half_done() BEGIN START TRANSACTION;"
            " UPDATE items SET number = 7 WHERE id = 1; SIGNAL SQLSTATE '45000'; END");
        CPPUNIT_ASSERT(kindOf([&] { connection_->call("CALL half_done()", {}); }) == ErrorKind::Other);
        add(*connection_, 2);
        const auto other = connect();
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, other->queryOne("SELECT SUM(number) FROM items").value().integer(0));
    }

    // A call is four digits: the id of an item to insert. Each group waits at a gate first. Answers, in the columns of
    // Taken, with whom each went.
    void makeGroupedProcedure() {
        connection_->executeRaw("DROP TABLE IF EXISTS places");
        connection_->executeRaw("CREATE TABLE places (n BIGINT NOT NULL PRIMARY KEY)");
        for (int n = 0; n < static_cast<int>(db::kMaxGroup); ++n) {
            connection_->execute("INSERT INTO places VALUES (?)", {n});
        }
        connection_->executeRaw("DROP PROCEDURE IF EXISTS insert_many");
        connection_->executeRaw(
            "CREATE PROCEDURE insert_many(IN calls LONGBLOB) BEGIN"
            " DECLARE size BIGINT DEFAULT LENGTH(calls) DIV 4;"
            " DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;"
            " DO GET_LOCK(CONCAT(DATABASE(), '.gate'), 9); DO RELEASE_LOCK(CONCAT(DATABASE(), '.gate'));"
            " START TRANSACTION;"
            " INSERT INTO items SELECT CAST(SUBSTRING(calls, n * 4 + 1, 4) AS SIGNED), size FROM places WHERE n < size;"
            " COMMIT;"
            " SELECT n, CAST(SUBSTRING(calls, n * 4 + 1, 4) AS SIGNED), size, CONNECTION_ID() FROM places"
            " WHERE n < size ORDER BY n DESC; END");
    }
    struct Taken {
        std::int64_t id;
        std::int64_t groupSize;
        std::int64_t connection;
        std::int64_t ownConnection;
    };
    static Taken insertGrouped(db::Database& database, int id) {
        const auto mine = database.connect();
        const auto own = idOf(*mine);
        const db::Row row = mine->callGrouped("CALL insert_many(?)", {std::to_string(id), {}});
        return {row.integer(1), row.integer(2), row.integer(3), own};
    }
    static std::future<Taken> insertLater(db::Database& database, int id) {
        return std::async(std::launch::async, [&database, id] { return insertGrouped(database, id); });
    }
    // Those that wait at the gate.
    std::vector<std::int64_t> groupsUnderWay() {
        std::vector<std::int64_t> ids;
        for (const db::Row& row : connection_->query(
                 "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND state = 'User lock'")) {
            ids.push_back(row.integer(0));
        }
        return ids;
    }
    void shutGate() { connection_->query("SELECT GET_LOCK(CONCAT(DATABASE(), '.gate'), 0)"); }
    void openGate() { connection_->query("SELECT RELEASE_LOCK(CONCAT(DATABASE(), '.gate'))"); }
    // Fills the groups that can be under way, with a call each, behind a gate that is shut, and lets the others wait.
    std::vector<std::future<Taken>> insertBehindGate(db::Database& database, const std::vector<int>& waiting) {
        shutGate();
        std::vector<std::future<Taken>> calls;
        db::GroupedCalls& grouped = dynamic_cast<db::MysqlDatabase&>(database).groupedCalls("CALL insert_many(?)");
        for (int id = 2000; calls.size() < std::max(std::thread::hardware_concurrency() / 2, 1U); ++id) {
            calls.push_back(insertLater(database, id));
            while (groupsUnderWay().size() != calls.size()) std::this_thread::sleep_for(1ms);
        }
        for (const int id : waiting) calls.push_back(insertLater(database, id));
        while (grouped.waiting() != waiting.size()) std::this_thread::sleep_for(1ms);
        return calls;
    }

    void makesAGroupedCall() {
        makeGroupedProcedure();
        const auto database = db::openDatabase(scratch().settings());
        for (int id = 1000; id < 1100; ++id) {
            const Taken taken = insertGrouped(*database, id);
            CPPUNIT_ASSERT_EQUAL(std::int64_t{id}, taken.id);
            CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, taken.groupSize);
            CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, number(id));
            CPPUNIT_ASSERT(taken.connection != taken.ownConnection);
        }
    }

    void refusesAGroupedCallInATransaction() {
        makeGroupedProcedure();
        CPPUNIT_ASSERT_THROW(connection_->transact([&] {
            connection_->callGrouped("CALL insert_many(?)", {"1000", {}});
        }),
                             std::logic_error);
        CPPUNIT_ASSERT(!connection_->queryOne("SELECT 1 FROM items WHERE id = 1000"));
    }

    void makesCallsThatWaitTogether() {
        makeGroupedProcedure();
        const auto database = db::openDatabase(scratch().settings());
        auto calls = insertBehindGate(*database, {1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007});
        openGate();
        std::vector<Taken> waited;
        for (auto& call : calls) {
            const Taken taken = call.get();
            if (taken.id < 2000) {
                waited.push_back(taken);
            } else {
                CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, taken.groupSize);
            }
        }
        CPPUNIT_ASSERT_EQUAL(std::size_t{8}, waited.size());
        for (std::size_t i = 0; i < waited.size(); ++i) {
            CPPUNIT_ASSERT_EQUAL(static_cast<std::int64_t>(1000 + i), waited[i].id);
            CPPUNIT_ASSERT_EQUAL(std::int64_t{8}, waited[i].groupSize);
            CPPUNIT_ASSERT_EQUAL(waited[0].connection, waited[i].connection);
            CPPUNIT_ASSERT_EQUAL(std::int64_t{8}, number(static_cast<int>(waited[i].id)));
        }
    }

    void failsOnlyTheGroupedCallThatIsWrong() {
        makeGroupedProcedure();
        const auto database = db::openDatabase(scratch().settings());
        connection_->execute("INSERT INTO items VALUES (1001, 7)", {});
        auto calls = insertBehindGate(*database, {1000, 1001, 1002});
        openGate();
        while (calls.size() > 3) {
            calls.front().get();
            calls.erase(calls.begin());
        }
        CPPUNIT_ASSERT(kindOf([&] { calls[1].get(); }) == ErrorKind::Duplicate);
        for (const std::size_t i : {std::size_t{0}, std::size_t{2}}) {
            const Taken taken = calls[i].get();
            CPPUNIT_ASSERT_EQUAL(static_cast<std::int64_t>(1000 + i), taken.id);
            CPPUNIT_ASSERT_EQUAL(taken.ownConnection, taken.connection);
            CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, number(static_cast<int>(taken.id)));
        }
        CPPUNIT_ASSERT_EQUAL(std::int64_t{7}, number(1001));
    }

    void failsAllGroupedCallsThatWaitForALostConnection() {
        makeGroupedProcedure();
        const auto database = db::openDatabase(scratch().settings());
        auto calls = insertBehindGate(*database, {1000, 1001, 1002});
        kill(groupsUnderWay().front());
        for (std::size_t i = calls.size() - 3; i < calls.size(); ++i) {
            CPPUNIT_ASSERT(kindOf([&] { calls[i].get(); }) == ErrorKind::Gone);
        }
        openGate();
        CPPUNIT_ASSERT(kindOf([&] {
                           for (auto& call : calls) {
                               if (call.valid()) call.get();
                           }
                       }) == ErrorKind::Gone);
        CPPUNIT_ASSERT(!connection_->queryOne("SELECT 1 FROM items WHERE id BETWEEN 1000 AND 1999"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1003}, insertGrouped(*database, 1003).id);
    }

    void isAsNewAfterItWasKilled() {
        const auto other = connect();
        for (int round = 0; round < 3; ++round) {
            const auto before = idOf(*other);
            kill(before);
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
        kill(idOf(*first));
        kill(secondId);
        CPPUNIT_ASSERT(kindOf([&] { idOf(*first); }) == ErrorKind::Gone);
        CPPUNIT_ASSERT(idOf(*second) != secondId);  // it noticed by itself
        CPPUNIT_ASSERT_EQUAL(thirdId, idOf(*third));
    }

    void runsNothingMoreInATransactionWhoseConnectionIsLost() {
        const auto other = connect();
        CPPUNIT_ASSERT(kindOf([&] {
                           other->transact([&] {
                               add(*other, 1);
                               kill(idOf(*other));
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
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{2}, database->errors().of(ErrorKind::Gone).value());
    }

    void countsTheErrorsOfItsConnections() {
        const auto database = db::openDatabase(scratch().settings());
        const auto mine = database->connect();
        const auto other = database->connect();
        kill(idOf(*mine));
        CPPUNIT_ASSERT(kindOf([&] { add(*mine, 1); }) == ErrorKind::Gone);
        CPPUNIT_ASSERT(kindOf([&] { other->execute("INSERT INTO items VALUES (1, 0)", {}); }) == ErrorKind::Duplicate);
        CPPUNIT_ASSERT(kindOf([&] { other->query("SELECT nothing FROM items"); }) == ErrorKind::Other);
        connection_->transact([&] {
            add(*connection_, 2);
            // A lock wait of a second is tried again for two, and each of them counts.
            CPPUNIT_ASSERT(kindOf([&] { add(*other, 2); }) == ErrorKind::Deadlock);
        });
        const db::ErrorCounts& errors = database->errors();
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, errors.of(ErrorKind::Gone).value());
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, errors.of(ErrorKind::Duplicate).value());
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, errors.of(ErrorKind::Other).value());
        CPPUNIT_ASSERT(errors.of(ErrorKind::Deadlock).value() >= 2);
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{0}, errors.of(ErrorKind::Busy).value());
    }

    std::unique_ptr<db::Connection> connection_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(MysqlConnectionTest);

}  // namespace
}  // namespace otpgate::test
