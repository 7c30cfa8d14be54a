// The parts of the drivers that need no database.
#include "db/engine_connection.h"
#include "db/mysql_error.h"
#include "db/sql_script.h"
#include "db/writer_queue.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <thread>

namespace otpgate::db {
namespace db_pieces_test {

using namespace std::chrono_literals;

class DbPiecesTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(DbPiecesTest);
    CPPUNIT_TEST(splitsAScriptAtTheEndsOfLines);
    CPPUNIT_TEST(sortsErrorNumbers);
    CPPUNIT_TEST(keepsValuesOutOfMessages);
    CPPUNIT_TEST(triesFiveTimesAfterDeadlocksAndLocks);
    CPPUNIT_TEST(triesOnceAfterAnythingElse);
    CPPUNIT_TEST(triesWhatItsPolicySays);
    CPPUNIT_TEST(goesToAnotherHostWhileNothingCanBeDone);
    CPPUNIT_TEST(waitsLongerAndLonger);
    CPPUNIT_TEST(knowsWhichHostsServeNothing);
    CPPUNIT_TEST(refusesAGetterOfAnotherKind);
    CPPUNIT_TEST(letsWritersInAsTheyCame);
    CPPUNIT_TEST(sendsAWriterAwayAfterItsTime);
    CPPUNIT_TEST_SUITE_END();

    void splitsAScriptAtTheEndsOfLines() {
        const std::vector<std::string> expected{"CREATE TABLE a (\n    b BIGINT -- bytes; not bits\n)", "INSERT 'x;y'",
                                                "END"};
        CPPUNIT_ASSERT(splitSqlScript("-- first;\nCREATE TABLE a (\n    b BIGINT -- bytes; not bits\n);\n\n"
                                      "  -- second;\r\nINSERT 'x;y'; \r\n;\nEND") == expected);
        CPPUNIT_ASSERT(splitSqlScript("").empty());
        CPPUNIT_ASSERT(splitSqlScript("-- nothing\n\n").empty());
    }

    void sortsErrorNumbers() {
        for (const int number : {1062, 1586}) CPPUNIT_ASSERT(mysqlErrorKind(number) == ErrorKind::Duplicate);
        for (const int number : {1213, 1020}) CPPUNIT_ASSERT(mysqlErrorKind(number) == ErrorKind::Deadlock);
        for (const int number : {1205, 3572}) CPPUNIT_ASSERT(mysqlErrorKind(number) == ErrorKind::Locked);
        for (const int number : {1040, 1047, 1053, 1243, 1927, 2002, 2003, 2006, 2013, 2055, 4031}) {
            CPPUNIT_ASSERT_MESSAGE(std::to_string(number), mysqlErrorKind(number) == ErrorKind::Gone);
        }
        for (const int number : {0, 1064, 1146, 1452}) CPPUNIT_ASSERT(mysqlErrorKind(number) == ErrorKind::Other);
    }

    void keepsValuesOutOfMessages() {
        const auto equal = [](const char* expected, const std::string& actual) {
            CPPUNIT_ASSERT_EQUAL(std::string{expected}, actual);
        };
        equal("Duplicate entry '...' for key 'email'",
              withoutValues(1062, "23000", "Duplicate entry 'o'hara for key x@example.org' for key 'email'"));
        equal("Incorrect string value: '...' for column `a`.`b`.`c` at row 1",
              withoutValues(1366, "HY000", "Incorrect string value: '\\xF0' for column `a`.`b`.`c` at row 1"));
        equal("Invalid utf8mb4 character string: '...'",
              withoutValues(1300, "HY000", "Invalid utf8mb4 character string: 'FFFE'"));
        equal("Truncated incorrect INTEGER value: '...'",
              withoutValues(1292, "22007", "Truncated incorrect INTEGER value: 'secret'"));
        equal("Table 'a.b' doesn't exist", withoutValues(1146, "42S02", "Table 'a.b' doesn't exist"));
    }

    static int triesUntilGivingUp(ErrorKind kind, RetryPolicy policy = {}) {
        int tries = 0;
        CPPUNIT_ASSERT_THROW(retry(policy,
                                   [&] {
                                       ++tries;
                                       throw DbError(kind, 1, "always");
                                   }),
                             DbError);
        return tries;
    }

    void triesFiveTimesAfterDeadlocksAndLocks() {
        for (const ErrorKind kind : {ErrorKind::Deadlock, ErrorKind::Locked}) {
            CPPUNIT_ASSERT_EQUAL(5, triesUntilGivingUp(kind));
            int tries = 0;
            CPPUNIT_ASSERT_EQUAL(7, retry({}, [&] {
                                     if (++tries < 3) throw DbError(kind, 1, "twice");
                                     return 7;
                                 }));
        }
    }

    void triesOnceAfterAnythingElse() {
        for (const ErrorKind kind : {ErrorKind::Duplicate, ErrorKind::Gone, ErrorKind::Busy, ErrorKind::Other}) {
            CPPUNIT_ASSERT_EQUAL(1, triesUntilGivingUp(kind));
        }
    }

    void triesWhatItsPolicySays() {
        const RetryPolicy ofGroups{.onLocked = false, .tries = 3};
        CPPUNIT_ASSERT_EQUAL(3, triesUntilGivingUp(ErrorKind::Deadlock, ofGroups));
        CPPUNIT_ASSERT_EQUAL(1, triesUntilGivingUp(ErrorKind::Locked, ofGroups));
        CPPUNIT_ASSERT_EQUAL(1, triesUntilGivingUp(ErrorKind::Duplicate, ofGroups));
        CPPUNIT_ASSERT_EQUAL(2, triesUntilGivingUp(ErrorKind::Duplicate, {.onDuplicate = true, .tries = 2}));
        CPPUNIT_ASSERT_EQUAL(1, triesUntilGivingUp(ErrorKind::Gone, {.onDuplicate = true}));
    }

    void goesToAnotherHostWhileNothingCanBeDone() {
        const DbError gone(ErrorKind::Gone, 2013, "lost");
        const RetryPolicy withHosts{.onGone = true};
        CPPUNIT_ASSERT(withHosts.covers(gone.withOtherHost(true)));
        CPPUNIT_ASSERT(!withHosts.covers(gone));
        CPPUNIT_ASSERT(!withHosts.covers(gone.withOtherHost(true).asMaybeCommitted(true)));
        CPPUNIT_ASSERT(!RetryPolicy{}.covers(gone.withOtherHost(true)));
    }

    void waitsLongerAndLonger() {
        const RetryPolicy ofOne;
        CPPUNIT_ASSERT(ofOne.longestPauseAfter(1) == 4ms && ofOne.longestPauseAfter(4) == 16ms);
        const RetryPolicy ofCluster{.longestPause = 150ms};
        CPPUNIT_ASSERT(ofCluster.longestPauseAfter(1) == 4ms && ofCluster.longestPauseAfter(2) == 8ms);
        CPPUNIT_ASSERT(ofCluster.longestPauseAfter(6) == 128ms && ofCluster.longestPauseAfter(7) == 150ms);
        CPPUNIT_ASSERT(ofCluster.longestPauseAfter(1000) == 150ms);
    }

    void knowsWhichHostsServeNothing() {
        for (const int number : {1047, 1053, 1180, 1290, 1836, 3032}) {
            CPPUNIT_ASSERT_MESSAGE(std::to_string(number),
                                   hostRefuses(number) && mysqlErrorKind(number) == ErrorKind::Gone);
        }
        for (const int number : {1927, 2006, 2013}) CPPUNIT_ASSERT(!hostRefuses(number));
    }

    void refusesAGetterOfAnotherKind() {
        const Row row({Row::Cell{std::int64_t{1}}, Row::Cell{std::string{"x"}}, Row::Cell{}});
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, row.integer(0));
        CPPUNIT_ASSERT_EQUAL(std::string{"x"}, row.optionalText(1).value());
        CPPUNIT_ASSERT(!row.optionalUuid(2) && !row.optionalTimestamp(2));
        CPPUNIT_ASSERT_THROW(row.text(0), std::logic_error);
        CPPUNIT_ASSERT_THROW(row.integer(1), std::logic_error);
        CPPUNIT_ASSERT_THROW(row.integer(2), std::logic_error);
        CPPUNIT_ASSERT_THROW(row.isNull(3), std::logic_error);
    }

    void letsWritersInAsTheyCame() {
        WriterQueue queue;
        std::vector<int> order;
        std::vector<std::thread> threads;
        auto first = queue.enter(0ms);
        CPPUNIT_ASSERT(first);
        for (int i = 0; i < 5; ++i) {
            threads.emplace_back([&, i] {
                const auto turn = queue.enter(10s);
                order.push_back(i);
            });
            while (queue.waiting() != static_cast<std::size_t>(i) + 1) std::this_thread::yield();
        }
        first.reset();
        for (std::thread& thread : threads) thread.join();
        CPPUNIT_ASSERT((order == std::vector{0, 1, 2, 3, 4}));
    }

    void sendsAWriterAwayAfterItsTime() {
        WriterQueue queue;
        auto first = queue.enter(0ms);
        CPPUNIT_ASSERT(!queue.enter(1ms));
        CPPUNIT_ASSERT_EQUAL(std::size_t{0}, queue.waiting());
        first.reset();
        CPPUNIT_ASSERT(queue.enter(0ms));
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(DbPiecesTest);

}  // namespace db_pieces_test
}  // namespace otpgate::db
