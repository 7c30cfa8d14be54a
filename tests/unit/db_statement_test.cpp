// The texts of statements that many calls share: with a `?` for each value, and as MySQL gets them, where no value is
// in the text that could mean anything there.
#include "db/mysql_group_connection.h"
#include "otpgate/db/statement.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <cctype>
#include <cstring>
#include <limits>

namespace otpgate::db {
namespace db_statement_test {

class DbStatementTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(DbStatementTest);
    CPPUNIT_TEST(writesNumbersAndNull);
    CPPUNIT_TEST(writesTextAsDigits);
    CPPUNIT_TEST(writesBlobsAsDigits);
    CPPUNIT_TEST(looksUpAKey);
    CPPUNIT_TEST(looksUpManyKeysAtOnce);
    CPPUNIT_TEST(looksUpKeysOfSeveralValues);
    CPPUNIT_TEST(locksAsItIsTold);
    CPPUNIT_TEST(insertsRows);
    CPPUNIT_TEST(updatesARow);
    CPPUNIT_TEST(updatesManyRowsAtOnce);
    CPPUNIT_TEST(fillsAStatementOfItsOwnWords);
    CPPUNIT_TEST(keepsAValueAValue);
    CPPUNIT_TEST_SUITE_END();

    static void same(std::string_view expected, const std::string& actual) {
        CPPUNIT_ASSERT_EQUAL(std::string{expected}, actual);
    }
    static std::string textOf(const LookUp& lookUp, std::initializer_list<Param> values) {
        return mysqlText(lookUp, Connection::Params{values.begin(), values.size()});
    }
    static std::string textOf(const RowStatement& statement, std::initializer_list<Param> values) {
        MysqlRows rows(statement);
        Connection::Params left{values.begin(), values.size()};
        do {
            CPPUNIT_ASSERT(rows.add(left.first(statement.width())));
            left = left.subspan(statement.width());
        } while (!left.empty());
        return rows.text();
    }

    void writesNumbersAndNull() {
        same("NULL", mysqlLiteral(std::nullopt));
        same("NULL", mysqlLiteral(std::optional<std::string>{}));
        same("0", mysqlLiteral(0));
        same("-17", mysqlLiteral(-17));
        same("9223372036854775807", mysqlLiteral(std::numeric_limits<std::int64_t>::max()));
        same("-9223372036854775808", mysqlLiteral(std::numeric_limits<std::int64_t>::min()));
    }

    void writesTextAsDigits() {
        same("''", mysqlLiteral(""));
        same("''", mysqlLiteral(std::string_view{}));
        same("'a'", mysqlLiteral("a"));
        same("'Ada-1 (x11; a@b.c) +43/7_z:8,9=0'", mysqlLiteral("Ada-1 (x11; a@b.c) +43/7_z:8,9=0"));
        // Each byte that may stand between quotes, and no other.
        for (int byte = 0; byte < 256; ++byte) {
            const std::string one(1, static_cast<char>(byte));
            const bool isQuoted = mysqlLiteral(one) == "'" + one + "'";
            const bool isHarmless =
                byte < 128 && (std::isalnum(byte) != 0 || std::strchr(" @._+:/;,()=-", byte) != nullptr);
            CPPUNIT_ASSERT_EQUAL(isHarmless && byte != 0, isQuoted);
        }
        same("_utf8mb4 X'2722605c3b3f2d2d'", mysqlLiteral("'\"`\\;?--"));
        same("_utf8mb4 X'610062'", mysqlLiteral(std::string_view{"a\0b", 3}));
        same("_utf8mb4 X'f09f9491'", mysqlLiteral("\U0001F511"));
        same("'NULL'", mysqlLiteral("NULL"));
    }

    void writesBlobsAsDigits() {
        same("X''", mysqlLiteral(Param::blob("")));
        same("X''", mysqlLiteral(Param::blob({})));
        std::string bytes;
        std::string digits;
        for (int i = 0; i < 256; ++i) {
            bytes += static_cast<char>(i);
            for (const int digit : {i / 16, i % 16}) digits += "0123456789abcdef"[digit];
        }
        same("X'" + digits + "'", mysqlLiteral(Param::blob(bytes)));
        const Uuid id = Uuid::fromBytes(std::string(15, '\0') + "\x07");
        same("X'00000000000000000000000000000007'", mysqlLiteral(id));
    }

    void looksUpAKey() {
        const LookUp lookUp("SELECT a, b FROM t WHERE c = 1 AND", "t.id = ?", Locking::None);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, lookUp.valuesPerKey());
        same("SELECT a, b FROM t WHERE c = 1 AND t.id = ?", lookUp.sql());
        same("SELECT a, b FROM t WHERE c = 1 AND (t.id = 7)", textOf(lookUp, {7}));
    }

    void looksUpManyKeysAtOnce() {
        const LookUp lookUp("SELECT a FROM t WHERE", "t.id = ?", Locking::None);
        same("SELECT a FROM t WHERE (t.id = X'01' OR t.id = X'' OR t.id = 'x')",
             textOf(lookUp, {Param::blob("\x01"), Param::blob(""), "x"}));
    }

    void looksUpKeysOfSeveralValues() {
        const LookUp lookUp("SELECT a FROM t WHERE", "t.b = ? AND t.c > ? AND t.d = ?", Locking::None);
        CPPUNIT_ASSERT_EQUAL(std::size_t{3}, lookUp.valuesPerKey());
        same("SELECT a FROM t WHERE (t.b = 1 AND t.c > -2 AND t.d = NULL OR t.b = 4 AND t.c > 5 AND t.d = 6)",
             textOf(lookUp, {1, -2, std::nullopt, 4, 5, 6}));
    }

    void locksAsItIsTold() {
        const LookUp none("SELECT a FROM t WHERE", "t.id = ?", Locking::None);
        const LookUp wait("SELECT a FROM t WHERE", "t.id = ?", Locking::Wait);
        const LookUp fail("SELECT a FROM t WHERE", "t.id = ?", Locking::Fail);
        same("SELECT a FROM t WHERE (t.id = 1)", textOf(none, {1}));
        same("SELECT a FROM t WHERE (t.id = 1) FOR UPDATE", textOf(wait, {1}));
        same("SELECT a FROM t WHERE (t.id = 1) FOR UPDATE NOWAIT", textOf(fail, {1}));
        same("SELECT a FROM t WHERE t.id = ?", none.lockingSql());
        // One by one all wait.
        for (const LookUp* lookUp : {&wait, &fail}) {
            same("SELECT a FROM t WHERE t.id = ?", lookUp->sql());
            same("SELECT a FROM t WHERE t.id = ? FOR UPDATE", lookUp->lockingSql());
        }
    }

    void insertsRows() {
        const auto insert = RowStatement::insert("t", {"a", "b", "c"});
        CPPUNIT_ASSERT_EQUAL(std::size_t{3}, insert.width());
        same("INSERT INTO t (a, b, c) VALUES (?, ?, ?)", insert.sql());
        same("INSERT INTO t (a, b, c) VALUES (1, NULL, 'x')", textOf(insert, {1, std::nullopt, "x"}));
        same("INSERT INTO t (a, b, c) VALUES (1, 2, 3), (4, NULL, 6), (-7, X'08', 9)",
             textOf(insert, {1, 2, 3, 4, std::nullopt, 6, -7, Param::blob("\x08"), 9}));
        const auto oneColumn = RowStatement::insert("t", {"a"});
        same("INSERT INTO t (a) VALUES (?)", oneColumn.sql());
        same("INSERT INTO t (a) VALUES (1), (2)", textOf(oneColumn, {1, 2}));
    }

    void updatesARow() {
        const auto update = RowStatement::update("t", {"a", "b"}, "id");
        CPPUNIT_ASSERT_EQUAL(std::size_t{3}, update.width());
        same("UPDATE t SET a = ?, b = ? WHERE id = ?", update.sql());
        same("UPDATE t SET a = NULL, b = 'x' WHERE id IN (X'01')",
             textOf(update, {std::nullopt, "x", Param::blob("\x01")}));
    }

    void updatesManyRowsAtOnce() {
        const auto update = RowStatement::update("t", {"a", "b"}, "id");
        same(
            "UPDATE t SET a = CASE id WHEN 3 THEN 1 WHEN 6 THEN NULL WHEN 9 THEN -7 END,"
            " b = CASE id WHEN 3 THEN 2 WHEN 6 THEN 5 WHEN 9 THEN 8 END WHERE id IN (3, 6, 9)",
            textOf(update, {1, 2, 3, std::nullopt, 5, 6, -7, 8, 9}));
    }

    void fillsAStatementOfItsOwnWords() {
        const auto plain = RowStatement::plain("UPDATE t SET a = ? WHERE b = ? AND c > 1");
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, plain.width());
        same("UPDATE t SET a = ? WHERE b = ? AND c > 1", plain.sql());
        same("UPDATE t SET a = -1 WHERE b = _utf8mb4 X'3f' AND c > 1", textOf(plain, {-1, "?"}));
        same("DELETE FROM t", textOf(RowStatement::plain("DELETE FROM t"), {}));
    }

    void keepsAValueAValue() {
        const std::string evil = "'; DROP TABLE t; -- ?";
        const std::string digits = "273b2044524f50205441424c4520743b202d2d203f";
        const std::string text = "_utf8mb4 X'" + digits + "'";
        same(text, mysqlLiteral(evil));
        same("X'" + digits + "'", mysqlLiteral(Param::blob(evil)));
        same("SELECT a FROM t WHERE (t.b = " + text + " AND t.c = 1)",
             textOf(LookUp("SELECT a FROM t WHERE", "t.b = ? AND t.c = ?", Locking::None), {evil, 1}));
        same("INSERT INTO t (a, b) VALUES (" + text + ", 1)", textOf(RowStatement::insert("t", {"a", "b"}), {evil, 1}));
        same("UPDATE t SET a = CASE id WHEN " + text + " THEN 1 WHEN 2 THEN " + text + " END WHERE id IN (" + text +
                 ", 2)",
             textOf(RowStatement::update("t", {"a"}, "id"), {1, evil, evil, 2}));
        same("UPDATE t SET a = " + text + ", b = 1",
             textOf(RowStatement::plain("UPDATE t SET a = ?, b = ?"), {evil, 1}));
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(DbStatementTest);

}  // namespace db_statement_test
}  // namespace otpgate::db
