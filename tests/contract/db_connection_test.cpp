// What every caller may rely on, whichever engine stands behind a Connection.
#include "contract/db_test.h"
#include "contract/engines.h"

#include <cppunit/extensions/HelperMacros.h>

#include <limits>
#include <thread>
#include <vector>

namespace otpgate::test {
namespace db_connection_test {

using db::DbError;
using db::ErrorKind;
using db::Param;

template <class Engine>
class ConnectionTest : public ContractTest<ConnectionTest<Engine>, Engine> {
    using Base = ContractTest<ConnectionTest<Engine>, Engine>;
    using Base::connect;
    using Base::kEngine;
    using Base::scratch;

    CPPUNIT_TEST_SUITE(ConnectionTest);
    CPPUNIT_TEST(keepsTheWholeRangeOfIntegers);
    CPPUNIT_TEST(keepsEveryCharacter);
    CPPUNIT_TEST(keepsEveryByteOfABlob);
    CPPUNIT_TEST(keepsAnEmptyBlobAndAnEmptyTextApartFromNull);
    CPPUNIT_TEST(keepsALongBlob);
    CPPUNIT_TEST(keepsIdsAndTimes);
    CPPUNIT_TEST(forgetsTheValuesOfTheLastCall);
    CPPUNIT_TEST(countsAndSumsAsIntegers);
    CPPUNIT_TEST(refusesAWrongNumberOfValues);
    CPPUNIT_TEST(countsTheRowsThatItChanged);
    CPPUNIT_TEST(namesADuplicateAndGoesOn);
    CPPUNIT_TEST(tellsTheKeyOfADuplicateAndNotItsValue);
    CPPUNIT_TEST(runsAStatementToTheEndOfTheText);
    CPPUNIT_TEST(commitsWhatATransactionDid);
    CPPUNIT_TEST(rollsBackWhenTheWorkThrows);
    CPPUNIT_TEST(survivesADuplicateInsideATransaction);
    CPPUNIT_TEST(refusesATransactionInsideATransaction);
    CPPUNIT_TEST(hidesWhatIsNotCommitted);
    CPPUNIT_TEST(seesWhatOthersCommittedSinceItsLastStatement);
    CPPUNIT_TEST(losesNoGuardedUpdateOfSixteenThreads);
    CPPUNIT_TEST(losesNoTransactionOfSixteenThreads);
    CPPUNIT_TEST(reportsABrokenStatementAndGoesOn);
    CPPUNIT_TEST(outgrowsItsStatementCache);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override {
        connection_ = connect();
        connection_->executeRaw("DROP TABLE IF EXISTS items");
        connection_->executeRaw(kEngine == db::Engine::Mysql
                                    ? "CREATE TABLE items (id BIGINT NOT NULL PRIMARY KEY, number BIGINT, note TEXT,"
                                      " data MEDIUMBLOB, tag BINARY(16), name VARCHAR(50) UNIQUE)"
                                    : "CREATE TABLE items (id BIGINT NOT NULL PRIMARY KEY, number BIGINT, note TEXT,"
                                      " data BLOB, tag BLOB, name TEXT UNIQUE)");
    }

private:
    std::string noteAfterWriting(std::string_view note) {
        connection_->execute("INSERT INTO items (id, note) VALUES (?, ?)", {++lastId_, note});
        return connection_->queryOne("SELECT note FROM items WHERE id = ?", {lastId_}).value().text(0);
    }
    std::string dataAfterWriting(std::string_view data) {
        connection_->execute("INSERT INTO items (id, data) VALUES (?, ?)", {++lastId_, Param::blob(data)});
        return connection_->queryOne("SELECT data FROM items WHERE id = ?", {lastId_}).value().text(0);
    }
    std::int64_t count(db::Connection& connection) {
        return connection.queryOne("SELECT COUNT(*) FROM items").value().integer(0);
    }

    void keepsTheWholeRangeOfIntegers() {
        using Limits = std::numeric_limits<std::int64_t>;
        for (const std::int64_t value : {Limits::min(), std::int64_t{-1}, std::int64_t{0}, Limits::max()}) {
            connection_->execute("DELETE FROM items", {});
            connection_->execute("INSERT INTO items (id, number) VALUES (?, ?)", {1, value});
            CPPUNIT_ASSERT_EQUAL(value, connection_->queryOne("SELECT number FROM items").value().integer(0));
            CPPUNIT_ASSERT(connection_->queryOne("SELECT id FROM items WHERE number = ?", {value}));
        }
    }

    void keepsEveryCharacter() {
        for (const char* note :
             {"plain", "Gr\u00fc\u00dfe", "\U0001F511 key", "quote ' and \\ backslash", " blanks "}) {
            CPPUNIT_ASSERT_EQUAL(std::string{note}, noteAfterWriting(note));
        }
    }

    void keepsEveryByteOfABlob() {
        std::string bytes;
        for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
        CPPUNIT_ASSERT(bytes == dataAfterWriting(bytes));
        const std::string zeros(32, '\0');
        CPPUNIT_ASSERT(zeros == dataAfterWriting(zeros));
    }

    void keepsAnEmptyBlobAndAnEmptyTextApartFromNull() {
        CPPUNIT_ASSERT_EQUAL(std::string{}, noteAfterWriting(""));
        CPPUNIT_ASSERT_EQUAL(std::string{}, noteAfterWriting(std::string_view{}));
        CPPUNIT_ASSERT_EQUAL(std::string{}, dataAfterWriting(""));
        CPPUNIT_ASSERT_EQUAL(std::string{}, dataAfterWriting(std::string_view{}));
        connection_->execute("INSERT INTO items (id, number, note, data) VALUES (?, ?, ?, ?)",
                             {99, std::optional<std::int64_t>{}, std::optional<std::string>{}, std::nullopt});
        const db::Row row = connection_->queryOne("SELECT number, note, data FROM items WHERE id = 99").value();
        CPPUNIT_ASSERT(row.isNull(0) && row.isNull(1) && row.isNull(2));
        CPPUNIT_ASSERT(!row.optionalInteger(0) && !row.optionalText(1));
        CPPUNIT_ASSERT_THROW(row.integer(0), std::logic_error);
        CPPUNIT_ASSERT_THROW(row.text(1), std::logic_error);
    }

    void keepsALongBlob() {
        std::string bytes(600'000, '\0');  // the connector sends values above 256 KiB in another way
        for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7);
        CPPUNIT_ASSERT(bytes == dataAfterWriting(bytes));
        CPPUNIT_ASSERT_EQUAL(std::string{"short again"}, dataAfterWriting("short again"));
    }

    void keepsIdsAndTimes() {
        const Timestamp time = fromMicroseconds(1'763'615'520'123'456);
        const Uuid id = Uuid::lowestV7(time);  // ends in zeros
        connection_->execute("INSERT INTO items (id, number, tag) VALUES (?, ?, ?)", {1, time, id});
        const db::Row row = connection_->queryOne("SELECT number, tag FROM items WHERE tag = ?", {id}).value();
        CPPUNIT_ASSERT(row.timestamp(0) == time);
        CPPUNIT_ASSERT(row.uuid(1) == id);
    }

    void forgetsTheValuesOfTheLastCall() {
        const char* insert = "INSERT INTO items (id, number, note) VALUES (?, ?, ?)";
        connection_->execute(insert, {1, 17, "text"});
        connection_->execute(insert, {2, std::nullopt, std::nullopt});
        connection_->execute(insert, {3, -1, "longer than before"});
        const auto rows = connection_->query("SELECT number, note FROM items ORDER BY id");
        CPPUNIT_ASSERT(rows[1].isNull(0) && rows[1].isNull(1));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{-1}, rows[2].integer(0));
        CPPUNIT_ASSERT_EQUAL(std::string{"longer than before"}, rows[2].text(1));
    }

    void countsAndSumsAsIntegers() {
        connection_->execute("INSERT INTO items (id, number) VALUES (1, 5), (2, -7)", {});
        const db::Row row =
            connection_->queryOne("SELECT COUNT(*), SUM(number), MAX(number), 1, COALESCE(SUM(number), 0) FROM items")
                .value();
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, row.integer(0));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{-2}, row.integer(1));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{5}, row.integer(2));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, row.integer(3));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{-2}, row.integer(4));
    }

    void refusesAWrongNumberOfValues() {
        const char* insert = "INSERT INTO items (id, number) VALUES (?, ?)";
        connection_->execute(insert, {1, 1});
        CPPUNIT_ASSERT_THROW(connection_->execute(insert, {2}), std::logic_error);
        CPPUNIT_ASSERT_THROW(connection_->execute(insert, {2, 2, 2}), std::logic_error);
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, connection_->execute(insert, {2, 2}));
    }

    void countsTheRowsThatItChanged() {
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{3},
                             connection_->execute("INSERT INTO items (id, number) VALUES (1, 1), (2, 1), (3, 2)", {}));
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{2},
                             connection_->execute("UPDATE items SET number = 9 WHERE number = ?", {1}));
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{0}, connection_->execute("UPDATE items SET number = 9 WHERE id = ?", {77}));
        // Where the value is there already the engines differ, which is why a guard changes a column.
        const std::uint64_t unchanged = kEngine == db::Engine::Mysql ? 0 : 1;
        CPPUNIT_ASSERT_EQUAL(unchanged, connection_->execute("UPDATE items SET number = 9 WHERE id = ?", {1}));
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{3}, connection_->execute("DELETE FROM items", {}));
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{0},
                             connection_->execute("CREATE TABLE IF NOT EXISTS items (id BIGINT)", {}));
    }

    void namesADuplicateAndGoesOn() {
        const char* insert = "INSERT INTO items (id, name) VALUES (?, ?)";
        connection_->execute(insert, {1, "eve"});
        CPPUNIT_ASSERT(kindOf([&] { connection_->execute(insert, {1, "adam"}); }) == ErrorKind::Duplicate);
        CPPUNIT_ASSERT(kindOf([&] { connection_->execute(insert, {2, "eve"}); }) == ErrorKind::Duplicate);
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, connection_->execute(insert, {2, "adam"}));
    }

    void tellsTheKeyOfADuplicateAndNotItsValue() {
        const char* insert = "INSERT INTO items (id, name) VALUES (?, ?)";
        connection_->execute(insert, {1, "eve@example.org"});
        try {
            connection_->execute(insert, {2, "eve@example.org"});
            CPPUNIT_FAIL("no error");
        } catch (const DbError& error) {
            const std::string message = error.what();
            CPPUNIT_ASSERT_MESSAGE(message, message.find("name") != std::string::npos);
            CPPUNIT_ASSERT_MESSAGE(message, message.find("eve") == std::string::npos);
            CPPUNIT_ASSERT(error.engineCode() != 0);
        }
    }

    void runsAStatementToTheEndOfTheText() {
        connection_->executeRaw("INSERT INTO items (id, note)\n  -- a comment; with a semicolon;\n  VALUES (1, 'a;b')");
        CPPUNIT_ASSERT_EQUAL(std::string{"a;b"}, connection_->queryOne("SELECT note FROM items").value().text(0));
    }

    void commitsWhatATransactionDid() {
        const int result = connection_->transact([&] {
            connection_->execute("INSERT INTO items (id) VALUES (1)", {});
            return 42;
        });
        CPPUNIT_ASSERT_EQUAL(42, result);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count(*connect()));
    }

    void rollsBackWhenTheWorkThrows() {
        CPPUNIT_ASSERT_THROW(connection_->transact([&] {
            connection_->execute("INSERT INTO items (id) VALUES (1)", {});
            throw std::runtime_error("stop");
        }),
                             std::runtime_error);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count(*connection_));
        connection_->transact([&] { connection_->execute("INSERT INTO items (id) VALUES (1)", {}); });
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count(*connect()));
    }

    void survivesADuplicateInsideATransaction() {
        connection_->transact([&] {
            connection_->execute("INSERT INTO items (id) VALUES (1)", {});
            CPPUNIT_ASSERT(kindOf([&] { connection_->execute("INSERT INTO items (id) VALUES (1)", {}); }) ==
                           ErrorKind::Duplicate);
            connection_->execute("INSERT INTO items (id) VALUES (2)", {});
        });
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, count(*connection_));
    }

    void refusesATransactionInsideATransaction() {
        CPPUNIT_ASSERT_THROW(connection_->transact([&] { connection_->transact([] {}); }), std::logic_error);
        connection_->transact([] {});
    }

    void hidesWhatIsNotCommitted() {
        const auto other = connect();
        connection_->transact([&] {
            connection_->execute("INSERT INTO items (id) VALUES (1)", {});
            CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count(*other));
        });
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count(*other));
    }

    // READ COMMITTED on MySQL; on SQLite nobody else can commit while a transaction writes, so plain reads do it.
    void seesWhatOthersCommittedSinceItsLastStatement() {
        const auto other = connect();
        const auto readTwice = [&] {
            CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count(*connection_));
            other->execute("INSERT INTO items (id) VALUES (1)", {});
            CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count(*connection_));
        };
        if (kEngine == db::Engine::Mysql) {
            connection_->transact(readTwice);
        } else {
            readTwice();
        }
    }

    void losesNoGuardedUpdateOfSixteenThreads() {
        connection_->execute("INSERT INTO items (id, number) VALUES (1, 0)", {});
        constexpr int kThreads = 16;
        constexpr std::int64_t kRounds = 20;
        std::vector<std::thread> threads;
        threads.reserve(kThreads);
        for (int i = 0; i < kThreads; ++i) {
            threads.emplace_back([&] {
                const auto mine = connect();
                for (std::int64_t done = 0; done < kRounds;) {
                    const auto seen = mine->queryOne("SELECT number FROM items WHERE id = 1").value().integer(0);
                    done += static_cast<std::int64_t>(
                        mine->execute("UPDATE items SET number = ? WHERE id = 1 AND number = ?", {seen + 1, seen}));
                }
            });
        }
        for (std::thread& thread : threads) thread.join();
        CPPUNIT_ASSERT_EQUAL(kThreads * kRounds, connection_->queryOne("SELECT number FROM items").value().integer(0));
    }

    void losesNoTransactionOfSixteenThreads() {
        connection_->execute("INSERT INTO items (id, number) VALUES (1, 0), (2, 0)", {});
        constexpr int kThreads = 16;
        constexpr int kRounds = 20;
        std::vector<std::thread> threads;
        threads.reserve(kThreads);
        for (int i = 0; i < kThreads; ++i) {
            threads.emplace_back([&] {
                const auto mine = connect();
                for (int round = 0; round < kRounds; ++round) {
                    mine->transact([&] {
                        mine->execute("UPDATE items SET number = number + 1 WHERE id = ?", {1});
                        mine->execute("UPDATE items SET number = number + 1 WHERE id = ?", {2});
                    });
                }
            });
        }
        for (std::thread& thread : threads) thread.join();
        for (const db::Row& row : connection_->query("SELECT number FROM items")) {
            CPPUNIT_ASSERT_EQUAL(std::int64_t{kThreads * kRounds}, row.integer(0));
        }
    }

    void reportsABrokenStatementAndGoesOn() {
        CPPUNIT_ASSERT(kindOf([&] { connection_->query("SELECT nonsense FROM nowhere", {}); }) == ErrorKind::Other);
        CPPUNIT_ASSERT(kindOf([&] { connection_->executeRaw("NONSENSE"); }) == ErrorKind::Other);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count(*connection_));
    }

    void outgrowsItsStatementCache() {
        for (int i = 0; i < 600; ++i) {
            const auto row = connection_->queryOne("SELECT " + std::to_string(i) + ", COUNT(*) FROM items").value();
            CPPUNIT_ASSERT_EQUAL(std::int64_t{i}, row.integer(0));
        }
    }

    std::unique_ptr<db::Connection> connection_;
    int lastId_ = 0;
};

REGISTER_ON_BOTH_ENGINES(ConnectionTest);

}  // namespace db_connection_test
}  // namespace otpgate::test
