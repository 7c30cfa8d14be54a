// The connection for groups of MySQL: how often it asks the server, whom it waits for, and what is left where it is
// lost between its two packets.
#include "contract/db_test.h"
#include "contract/engines.h"

#include <cppunit/extensions/HelperMacros.h>

#include <barrier>
#include <functional>

namespace otpgate::test {
namespace db_mysql_groups_test {

using db::DbError;
using db::ErrorKind;
using db::Locking;
using db::LookUp;
using db::RowStatement;
using namespace std::chrono_literals;
using SteadyClock = std::chrono::steady_clock;

const LookUp kRead("SELECT i.id, i.number FROM items i WHERE", "i.id = ?", Locking::None);
const LookUp kHold("SELECT i.id, i.number FROM items i WHERE", "i.id = ?", Locking::Wait);
const LookUp kHoldOrFail("SELECT i.id, i.number FROM items i WHERE", "i.id = ?", Locking::Fail);
const LookUp kNonsense("SELECT nothing FROM items i WHERE", "i.id = ?", Locking::None);

const auto kInsert = RowStatement::insert("items", {"id", "number"});
const auto kInsertNote = RowStatement::insert("items", {"id", "note"});
const auto kUpdate = RowStatement::update("items", {"number"}, "id");
const auto kAdd = RowStatement::plain("UPDATE items SET number = number + ? WHERE id = ?");
constexpr const char* kSignalDeadlock = "SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213";
const auto kDeadlock = RowStatement::plain(kSignalDeadlock);

// Holds the row 1 on a thread of its own, and adds 100 to it.
class RowHolder {
public:
    RowHolder(std::unique_ptr<db::Connection> connection, std::chrono::milliseconds time)
        : connection_(std::move(connection)),
          thread_([this, time] { hold(time); }) {
        while (!isHeld_) std::this_thread::yield();
    }
    RowHolder(const RowHolder&) = delete;
    RowHolder& operator=(const RowHolder&) = delete;
    ~RowHolder() {
        isDone_ = true;
        thread_.join();
    }

private:
    void hold(std::chrono::milliseconds time) {
        connection_->transact([&] {
            connection_->execute("UPDATE items SET number = number + 100 WHERE id = 1", {});
            isHeld_ = true;
            const auto started = SteadyClock::now();
            while (!isDone_ && SteadyClock::now() - started < time) std::this_thread::sleep_for(1ms);
        });
    }

    std::unique_ptr<db::Connection> connection_;
    std::atomic<bool> isHeld_{false};
    std::atomic<bool> isDone_{false};
    std::thread thread_;
};

class MysqlGroupsTest : public ContractTest<MysqlGroupsTest, MysqlEngine> {
    CPPUNIT_TEST_SUITE(MysqlGroupsTest);
    CPPUNIT_TEST(makesATransactionInTwoRoundTrips);
    CPPUNIT_TEST(hasOneAnswerToAllThatItWrites);
    CPPUNIT_TEST(leavesNoTransactionBehindAStatementByItself);
    CPPUNIT_TEST(asksForNothingThatIsNotWanted);
    CPPUNIT_TEST(countsEachStatementOfAnyOtherConnection);
    CPPUNIT_TEST(refusesToWriteOutsideATransaction);
    CPPUNIT_TEST(failsAtOnceWhereSomebodyHoldsTheRow);
    CPPUNIT_TEST(waitsForWhoeverHoldsTheRow);
    CPPUNIT_TEST(doesNotTakeALongWaitForALoss);
    CPPUNIT_TEST(runsTheWorkAgainWhereAnotherInsertedMeanwhile);
    CPPUNIT_TEST(retriesTheVictimOfADeadlock);
    CPPUNIT_TEST(triesThreeTimes);
    CPPUNIT_TEST(leavesNothingOpenAfterAnErrorInALookUp);
    CPPUNIT_TEST(doesNotGoOnBehindAnErrorOfAPacket);
    CPPUNIT_TEST(writesNothingWhereItIsLostBetweenItsPackets);
    CPPUNIT_TEST(isMadeAnewWhereTheLossIsKnown);
    CPPUNIT_TEST(losesItsLocksWhereItRests);
    CPPUNIT_TEST(tellsNoValueThatIsNotText);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override {
        observer_ = connect();
        observer_->executeRaw("DROP TABLE IF EXISTS items");
        observer_->executeRaw("CREATE TABLE items (id BIGINT NOT NULL PRIMARY KEY, number BIGINT, note TEXT)");
        observer_->executeRaw("INSERT INTO items (id, number) VALUES (1, 0), (2, 0), (3, 0)");
        database_ = db::openDatabase(scratch().settings());
        group_ = database_->connectForGroups();
    }

private:
    std::int64_t number(int id) {
        return observer_->queryOne("SELECT number FROM items WHERE id = ?", {id}).value().integer(0);
    }
    std::int64_t count() { return observer_->queryOne("SELECT COUNT(*) FROM items").value().integer(0); }
    std::uint64_t errorsOf(ErrorKind kind) const { return database_->metrics().errors.of(kind).value(); }
    template <class Work>
    std::uint64_t roundTripsOf(Work&& work) {
        const std::uint64_t before = database_->metrics().roundTrips.value();
        work();
        return database_->metrics().roundTrips.value() - before;
    }
    // Another thread holds the row 1 while `work` runs, but no longer than `time`.
    template <class Work>
    static void whileSomebodyHolds(std::chrono::milliseconds time, Work&& work) {
        RowHolder holder(connect(), time);
        work();
    }

    void makesATransactionInTwoRoundTrips() {
        idOf(*group_);  // connected
        const auto trips = roundTripsOf([&] {
            group_->transact([&] {
                const auto found = group_->lookUp({{kHold, {1, 2}}, {kRead, {3}}, {kHoldOrFail, {3, 99}}});
                CPPUNIT_ASSERT_EQUAL(std::size_t{2}, found[0].size());
                group_->write(kUpdate, {5, 1});
                group_->write(kInsert, {10, 10});
                group_->write(kInsert, {11, 11});
                group_->write(kAdd, {3, 2});
                group_->write(kInsertNote, {12, "note"});
            });
        });
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{2}, trips);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{5}, number(1));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{3}, number(2));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{6}, count());
    }

    // As the server counts what it was sent. MySQL has no blocks, and answers each statement.
    void hasOneAnswerToAllThatItWrites() {
        const auto questions = [&] {
            return std::stoll(group_->queryOne("SHOW SESSION STATUS LIKE 'Questions'").value().text(1));
        };
        questions();  // prepared
        const auto first = questions();
        const auto ofTheQuestion = questions() - first;
        group_->transact([&] {
            group_->write(kUpdate, {5, 1});
            group_->write(kInsert, {10, 10});
            group_->write(kAdd, {3, 2});
        });
        const auto sent = questions() - first - 2 * ofTheQuestion;
        CPPUNIT_ASSERT_EQUAL(isMariaDb(*observer_) ? 1LL : 4LL, sent);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{8}, number(1) + number(2));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{4}, count());
    }

    void leavesNoTransactionBehindAStatementByItself() {
        const auto isOpen = [&] {
            return observer_->query("SELECT id FROM items FOR UPDATE SKIP LOCKED", {}).size() < 3;
        };
        group_->transact([&] {
            group_->lookUp({{kHold, {1}}});
            CPPUNIT_ASSERT(isOpen());
        });
        CPPUNIT_ASSERT(!isOpen());
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, group_->execute("UPDATE items SET number = 5 WHERE id = 1", {}));
        CPPUNIT_ASSERT(!isOpen());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{5}, number(1));
        group_->query("SELECT number FROM items FOR UPDATE", {});
        CPPUNIT_ASSERT(!isOpen());
        group_->lookUp({{kHold, {1, 2}}});
        CPPUNIT_ASSERT(!isOpen());
        group_->executeRaw("UPDATE items SET number = 6 WHERE id = 1");
        CPPUNIT_ASSERT(!isOpen());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{6}, number(1));
        CPPUNIT_ASSERT_THROW(group_->execute("INSERT INTO items (id) VALUES (1)", {}), DbError);
        CPPUNIT_ASSERT(!isOpen());
    }

    void asksForNothingThatIsNotWanted() {
        idOf(*group_);
        const auto trips = [&](auto&& work) { return roundTripsOf([&] { group_->transact(work); }); };
        const auto noKeys = [&] { group_->lookUp({{kHold, {}}, {kRead, {}}}); };
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{0}, trips([] {}));
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{0}, trips(noKeys));
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, trips([&] {
                                 noKeys();
                                 group_->write(kUpdate, {7, 1});
                                 noKeys();
                                 group_->write(kUpdate, {8, 2});
                             }));
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{2}, trips([&] { group_->lookUp({{kHold, {1}}}); }));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{15}, number(1) + number(2));
    }

    void countsEachStatementOfAnyOtherConnection() {
        const auto other = database_->connect();
        idOf(*other);
        const auto trips = roundTripsOf([&] {
            other->transact([&] {
                other->lookUp({{kHold, {1, 2}}, {kRead, {}}, {kRead, {3}}});
                other->write(kUpdate, {5, 1});
                other->write(kUpdate, {6, 2});
            });
        });
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{7}, trips);  // with the beginning and the end
    }

    void refusesToWriteOutsideATransaction() {
        CPPUNIT_ASSERT_THROW(group_->write(kUpdate, {5, 1}), std::logic_error);
        group_->transact([&] { group_->write(kUpdate, {6, 2}); });
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, number(1));
    }

    void failsAtOnceWhereSomebodyHoldsTheRow() {
        int tries = 0;
        whileSomebodyHolds(10s, [&] {
            const auto started = SteadyClock::now();
            CPPUNIT_ASSERT(kindOf([&] {
                               group_->transact([&] {
                                   ++tries;
                                   group_->write(kUpdate, {5, 2});
                                   group_->lookUp({{kRead, {1}}, {kHoldOrFail, {3, 1}}});
                               });
                           }) == ErrorKind::Locked);
            CPPUNIT_ASSERT(SteadyClock::now() - started < 900ms);
            group_->transact([&] { group_->lookUp({{kHoldOrFail, {3}}}); });  // nobody holds this one
        });
        CPPUNIT_ASSERT_EQUAL(1, tries);
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, errorsOf(ErrorKind::Locked));
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{0}, errorsOf(ErrorKind::Gone) + errorsOf(ErrorKind::Other));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, number(2));
    }

    // Over a connection for groups where the look-up says so, over any other always.
    void waitsForWhoeverHoldsTheRow() {
        const auto other = database_->connect();
        const auto waitsFor = [&](db::Connection& connection, const LookUp& lookUp) {
            const std::int64_t before = number(1);
            whileSomebodyHolds(300ms, [&] {
                connection.transact([&] {
                    const auto found = connection.lookUp({{lookUp, {1}}});
                    CPPUNIT_ASSERT_EQUAL(before + 100, found[0].at(0).integer(1));
                });
            });
        };
        waitsFor(*group_, kHold);
        waitsFor(*other, kHold);
        waitsFor(*other, kHoldOrFail);
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{0}, errorsOf(ErrorKind::Locked));
    }

    // With the shortest time-out that there is. MySQL knows no limit for a statement that is below the second of its
    // lock wait.
    void doesNotTakeALongWaitForALoss() {
        if (!isMariaDb(*observer_)) return;
        db::DatabaseSettings settings = scratch().settings();
        settings.answerTimeout = 1s;
        const auto database = db::openDatabase(settings);
        const auto group = database->connectForGroups();
        const std::int64_t id = idOf(*group);
        whileSomebodyHolds(10s, [&] {
            const ErrorKind kind = kindOf([&] { group->transact([&] { group->lookUp({{kHold, {1}}}); }); });
            CPPUNIT_ASSERT(kind == ErrorKind::Other || kind == ErrorKind::Locked);
        });
        CPPUNIT_ASSERT_EQUAL(id, idOf(*group));
    }

    void runsTheWorkAgainWhereAnotherInsertedMeanwhile() {
        int tries = 0;
        group_->transact(
            [&] {
                const bool isThere = !group_->lookUp({{kRead, {7}}})[0].empty();
                if (++tries == 1) observer_->execute("INSERT INTO items (id, number) VALUES (7, 70)", {});
                group_->write(kAdd, {1, 1});
                if (isThere) {
                    group_->write(kAdd, {1, 7});
                } else {
                    group_->write(kInsert, {7, 1});
                }
            },
            db::RetryOn::DeadlockOrDuplicate);
        CPPUNIT_ASSERT_EQUAL(2, tries);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{71}, number(7));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, number(1));
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, errorsOf(ErrorKind::Duplicate));
    }

    void retriesTheVictimOfADeadlock() {
        std::barrier bothHoldOne(2);
        std::atomic<int> tries{0};
        const auto crossing = [&](int first, int second) {
            const auto mine = database_->connectForGroups();
            bool meet = true;
            mine->transact([&] {
                ++tries;
                mine->lookUp({{kHold, {first}}});
                mine->write(kAdd, {1, first});
                if (std::exchange(meet, false)) bothHoldOne.arrive_and_wait();
                mine->write(kAdd, {1, second});
            });
        };
        std::thread other(crossing, 2, 1);
        crossing(1, 2);
        other.join();
        CPPUNIT_ASSERT_EQUAL(3, tries.load());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, number(1));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, number(2));
    }

    void triesThreeTimes() {
        const auto other = database_->connect();
        const auto triesOf = [](db::Connection& connection, const std::function<void()>& lose) {
            int tries = 0;
            CPPUNIT_ASSERT(kindOf([&] {
                               connection.transact([&] {
                                   ++tries;
                                   connection.write(kAdd, {1, 1});
                                   lose();
                               });
                           }) == ErrorKind::Deadlock);
            return tries;
        };
        CPPUNIT_ASSERT_EQUAL(3, triesOf(*group_, [&] { group_->write(kDeadlock, {}); }));
        // MySQL prepares no SIGNAL.
        CPPUNIT_ASSERT_EQUAL(5, triesOf(*other, [&] { other->executeRaw(kSignalDeadlock); }));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, number(1));
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{8}, errorsOf(ErrorKind::Deadlock));
    }

    void leavesNothingOpenAfterAnErrorInALookUp() {
        CPPUNIT_ASSERT(kindOf([&] {
                           group_->transact([&] { group_->lookUp({{kHold, {1}}, {kNonsense, {2}}, {kHold, {3}}}); });
                       }) == ErrorKind::Other);
        const auto other = database_->connectForGroups();
        other->transact([&] { other->lookUp({{kHoldOrFail, {1, 2, 3}}}); });
        group_->transact([&] { group_->write(kUpdate, {5, 1}); });
        CPPUNIT_ASSERT_EQUAL(std::int64_t{5}, number(1));
    }

    // Work that catches the error does not know that what it wrote after the wrong row was not made.
    void doesNotGoOnBehindAnErrorOfAPacket() {
        CPPUNIT_ASSERT(kindOf([&] {
                           group_->transact([&] {
                               group_->write(kUpdate, {5, 2});
                               group_->write(kInsert, {1, 1});
                               group_->write(kUpdate, {5, 3});
                               try {
                                   group_->lookUp({{kRead, {1}}});
                               } catch (const DbError&) {
                                   // as work would that does not know better
                               }
                               group_->write(kUpdate, {6, 1});
                           });
                       }) == ErrorKind::Duplicate);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, number(1) + number(2) + number(3));
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, errorsOf(ErrorKind::Duplicate));
        group_->transact([&] { group_->write(kUpdate, {6, 1}); });
        CPPUNIT_ASSERT_EQUAL(std::int64_t{6}, number(1));
    }

    void writesNothingWhereItIsLostBetweenItsPackets() {
        const std::int64_t id = idOf(*group_);
        int tries = 0;
        CPPUNIT_ASSERT(kindOf([&] {
                           group_->transact([&] {
                               ++tries;
                               group_->write(kUpdate, {5, 2});
                               group_->lookUp({{kHold, {1}}});
                               kill(*observer_, id);
                               group_->write(kUpdate, {5, 1});
                               group_->write(kInsert, {10, 10});
                           });
                       }) == ErrorKind::Gone);
        CPPUNIT_ASSERT_EQUAL(1, tries);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, number(1) + number(2));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{3}, count());
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, errorsOf(ErrorKind::Gone));

        group_->transact([&] {
            group_->lookUp({{kHold, {1}}});
            group_->write(kUpdate, {6, 1});
        });
        CPPUNIT_ASSERT_EQUAL(std::int64_t{6}, number(1));
        CPPUNIT_ASSERT(idOf(*group_) != id);
    }

    void isMadeAnewWhereTheLossIsKnown() {
        const auto other = database_->connect();
        const std::int64_t id = idOf(*group_);
        kill(*observer_, idOf(*other));
        kill(*observer_, id);
        CPPUNIT_ASSERT(kindOf([&] { idOf(*other); }) == ErrorKind::Gone);
        group_->transact([&] {
            group_->lookUp({{kHold, {1}}});
            group_->write(kUpdate, {6, 1});
        });
        CPPUNIT_ASSERT_EQUAL(std::int64_t{6}, number(1));
        CPPUNIT_ASSERT(idOf(*group_) != id);
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, errorsOf(ErrorKind::Gone));
    }

    // A process that stops between its packets. MySQL has no limit for this.
    void losesItsLocksWhereItRests() {
        const bool isLimited = isMariaDb(*observer_);
        db::DatabaseSettings settings = scratch().settings();
        settings.answerTimeout = 1s;
        const auto database = db::openDatabase(settings);
        const auto group = database->connectForGroups();
        const auto restsFor = [&](std::chrono::milliseconds time) {
            group->transact([&] {
                group->lookUp({{kHold, {1}}});
                std::this_thread::sleep_for(time);
                if (isLimited && time > 1s) observer_->execute("UPDATE items SET number = 70 WHERE id = 1", {});
                group->write(kUpdate, {5, 1});
            });
        };
        restsFor(100ms);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{5}, number(1));
        if (!isLimited) return restsFor(3500ms);
        CPPUNIT_ASSERT(kindOf([&] { restsFor(3500ms); }) == ErrorKind::Gone);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{70}, number(1));
        restsFor(0ms);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{5}, number(1));
        // It is the transaction that may not rest.
        std::this_thread::sleep_for(1200ms);
        restsFor(0ms);
    }

    void tellsNoValueThatIsNotText() {
        for (const auto& connection : {database_->connect(), database_->connectForGroups()}) {
            try {
                connection->transact([&] { connection->write(kInsertNote, {10, "secret \xff\xfe"}); });
                CPPUNIT_FAIL("no error");
            } catch (const DbError& error) {
                const std::string message = error.what();
                CPPUNIT_ASSERT(error.kind() == ErrorKind::Other);
                for (const char* part : {"secret", "\xff", "FF", "ff", "73656372"}) {
                    CPPUNIT_ASSERT_MESSAGE(message, message.find(part) == std::string::npos);
                }
            }
        }
        CPPUNIT_ASSERT_EQUAL(std::int64_t{3}, count());
    }

    std::unique_ptr<db::Connection> observer_;
    std::unique_ptr<db::Database> database_;
    std::unique_ptr<db::Connection> group_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(MysqlGroupsTest);

}  // namespace db_mysql_groups_test
}  // namespace otpgate::test
