// Rows that are looked up and written by the statements of a store: alike on both engines, and over a connection for
// groups as over any other.
#include "contract/db_test.h"
#include "contract/engines.h"

#include <cppunit/extensions/HelperMacros.h>

#include <limits>
#include <set>

namespace otpgate::test {
namespace db_rows_test {

using db::ErrorKind;
using db::LookUp;
using db::Param;
using db::RowStatement;

using Ids = std::set<std::int64_t>;
using Integers = std::numeric_limits<std::int64_t>;

const LookUp kById("SELECT i.id, i.number, i.note, i.data FROM items i WHERE", "i.id = ?", db::Locking::Wait);
const LookUp kByName("SELECT i.id FROM items i WHERE", "i.name = ?", db::Locking::Fail);
const LookUp kByData("SELECT i.id FROM items i WHERE", "i.data = ?", db::Locking::None);
const LookUp kByNumberAndNote("SELECT i.id FROM items i WHERE i.id < 100 AND", "i.number = ? AND i.note = ?",
                              db::Locking::None);

const auto kInsert = RowStatement::insert("items", {"id", "number", "note", "data"});
const auto kInsertName = RowStatement::insert("items", {"id", "name"});
const auto kUpdate = RowStatement::update("items", {"number", "note", "data"}, "id");
const auto kUpdateByName = RowStatement::update("items", {"number"}, "name");
const auto kCopy = RowStatement::insertFrom("copies", {"id", "word"}, "items", "number", "items.id");
const auto kInsertCopy = RowStatement::insert("copies", {"id", "word", "number"});
const auto kRemove = RowStatement::remove("items", "id");
const auto kAddToAll = RowStatement::plain("UPDATE items SET number = number + ? WHERE id < ?");

template <class Engine>
class RowsTest : public ContractTest<RowsTest<Engine>, Engine> {
    using Base = ContractTest<RowsTest<Engine>, Engine>;
    using Base::connect;
    using Base::kEngine;
    using Base::scratch;

    CPPUNIT_TEST_SUITE(RowsTest);
    CPPUNIT_TEST(findsRowsByTheirKeys);
    CPPUNIT_TEST(answersEachLookUpInItsPlace);
    CPPUNIT_TEST(findsNothingWithoutKeys);
    CPPUNIT_TEST(findsRowsByValuesOfEveryKind);
    CPPUNIT_TEST(takesAValueForAValue);
    CPPUNIT_TEST(keepsEveryValueOfAnInsert);
    CPPUNIT_TEST(keepsEveryValueOfAnUpdate);
    CPPUNIT_TEST(updatesByAKeyOfText);
    CPPUNIT_TEST(showsWhatItWroteToWhatFollows);
    CPPUNIT_TEST(writesInTheOrderInWhichItWasAsked);
    CPPUNIT_TEST(copiesRowsAndRemovesThem);
    CPPUNIT_TEST(letsNoRowOvertakeWhatReadsItsTable);
    CPPUNIT_TEST(keepsTheLastOfTwoUpdatesOfARow);
    CPPUNIT_TEST(forgetsWhatItWroteWhereTheWorkThrows);
    CPPUNIT_TEST(writesAllOrNothing);
    CPPUNIT_TEST(runsTheWorkAgainAfterADuplicate);
    CPPUNIT_TEST(passesADuplicateOnWhereItIsNotToRunAgain);
    CPPUNIT_TEST(refusesAWrongNumberOfValues);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override {
        reader_ = connect();
        for (const char* table : {"items", "copies"}) {
            reader_->executeRaw(std::string{"DROP TABLE IF EXISTS "} + table);
        }
        reader_->executeRaw("CREATE TABLE copies (id BIGINT NOT NULL PRIMARY KEY, word VARCHAR(50), number BIGINT)");
        reader_->executeRaw(kEngine == db::Engine::Mysql
                                ? "CREATE TABLE items (id BIGINT NOT NULL PRIMARY KEY, number BIGINT, note TEXT,"
                                  " data MEDIUMBLOB, name VARCHAR(50) UNIQUE)"
                                : "CREATE TABLE items (id BIGINT NOT NULL PRIMARY KEY, number BIGINT, note TEXT,"
                                  " data BLOB, name TEXT UNIQUE)");
    }

private:
    struct Item {
        std::int64_t id;
        std::optional<std::int64_t> number;
        std::optional<std::string> note;
        std::optional<std::string> data;

        bool operator==(const Item&) const = default;
    };
    using Items = std::vector<Item>;

    // With a connection of either kind, each time from an empty table.
    template <class Test>
    void overEach(Test&& test) {
        for (const bool forGroups : {false, true}) {
            for (const char* table : {"items", "copies"}) reader_->execute(std::string{"DELETE FROM "} + table, {});
            db::Database& database = scratch().database();
            test(*(forGroups ? database.connectForGroups() : database.connect()));
        }
    }
    static Param blobOf(const Item& item) { return item.data ? Param::blob(*item.data) : Param{std::nullopt}; }
    static void insert(db::Connection& connection, const Item& item) {
        connection.write(kInsert, {item.id, item.number, item.note, blobOf(item)});
    }
    static void update(db::Connection& connection, const Item& item) {
        connection.write(kUpdate, {item.number, item.note, blobOf(item), item.id});
    }
    static void insertAll(db::Connection& connection, const Items& items) {
        connection.transact([&] {
            for (const Item& item : items) insert(connection, item);
        });
    }
    Items all() {
        Items items;
        for (const db::Row& row : reader_->query("SELECT id, number, note, data FROM items ORDER BY id")) {
            items.push_back({row.integer(0), row.optionalInteger(1), row.optionalText(2), row.optionalText(3)});
        }
        return items;
    }
    std::int64_t number(int id) {
        return reader_->queryOne("SELECT number FROM items WHERE id = ?", {id}).value().integer(0);
    }
    static Ids idsOf(const std::vector<db::Row>& rows) {
        Ids ids;
        for (const db::Row& row : rows) ids.insert(row.integer(0));
        CPPUNIT_ASSERT_EQUAL(rows.size(), ids.size());
        return ids;
    }
    static std::string allBytes() {
        std::string bytes;
        for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
        return bytes;
    }
    static Items itemsOfEveryKind() {
        return {{1, 0, "", ""},
                {2, {}, {}, {}},
                {3, Integers::min(), "\U0001F511 Gr\u00fc\u00dfe", allBytes()},
                {4, Integers::max(), std::string{"a\0b", 3}, "\xff\xfe\xc3\x28"},
                {5, -1, "quote ' and \" and \\ and ?; --", std::string(32, '\0')},
                {6, 1, " blanks ", "X'00'"},
                {7, {}, "NULL", "\xf0\x9f\x94\x91"},
                {8, 17, std::string(5000, 'x'), {}}};
    }

    void findsRowsByTheirKeys() {
        overEach([&](db::Connection& connection) {
            insertAll(connection, {{1, 10, "a", {}}, {2, {}, {}, "b"}, {3, 30, "c", {}}, {4, 40, "d", {}}});
            const auto found = connection.lookUp({{kById, {4, 2, 99}}});
            CPPUNIT_ASSERT_EQUAL(std::size_t{1}, found.size());
            CPPUNIT_ASSERT((idsOf(found[0]) == Ids{2, 4}));
            const db::Row& second = found[0][found[0][0].integer(0) == 2 ? 0 : 1];
            CPPUNIT_ASSERT(second.isNull(1) && second.isNull(2));
            CPPUNIT_ASSERT_EQUAL(std::string{"b"}, second.text(3));
            CPPUNIT_ASSERT((idsOf(connection.lookUp({{kById, {3}}})[0]) == Ids{3}));
            CPPUNIT_ASSERT(connection.lookUp({{kById, {99}}})[0].empty());
        });
    }

    void answersEachLookUpInItsPlace() {
        overEach([&](db::Connection& connection) {
            insertAll(connection, {{1, 10, "a", "x"}, {2, 20, "b", "y"}, {3, 10, "b", "z"}, {101, 10, "a", {}}});
            connection.transact([&] { connection.write(kInsertName, {4, "eve"}); });
            const auto ask = [&] {
                const auto found = connection.lookUp({{kById, {2, 3}},
                                                      {kByData, {}},
                                                      {kByNumberAndNote, {10, "a", 20, "b", 20, "a"}},
                                                      {kByName, {"adam"}},
                                                      {kByData, {Param::blob("z"), Param::blob("q")}},
                                                      {kByName, {"adam", "eve"}},
                                                      {kByName, {}}});
                CPPUNIT_ASSERT_EQUAL(std::size_t{7}, found.size());
                CPPUNIT_ASSERT((idsOf(found[0]) == Ids{2, 3}));
                CPPUNIT_ASSERT((idsOf(found[2]) == Ids{1, 2}));
                CPPUNIT_ASSERT((idsOf(found[4]) == Ids{3}));
                CPPUNIT_ASSERT((idsOf(found[5]) == Ids{4}));
                for (const std::size_t empty : {1U, 3U, 6U}) CPPUNIT_ASSERT(found[empty].empty());
            };
            ask();
            connection.transact(ask);
        });
    }

    void findsNothingWithoutKeys() {
        overEach([&](db::Connection& connection) {
            insertAll(connection, {{1, 10, "a", {}}});
            const auto ask = [&] {
                CPPUNIT_ASSERT(connection.lookUp({}).empty());
                const auto found = connection.lookUp({{kById, {}}, {kByNumberAndNote, {}}});
                CPPUNIT_ASSERT_EQUAL(std::size_t{2}, found.size());
                CPPUNIT_ASSERT(found[0].empty() && found[1].empty());
            };
            ask();
            connection.transact(ask);
        });
    }

    void findsRowsByValuesOfEveryKind() {
        overEach([&](db::Connection& connection) {
            const Items items = itemsOfEveryKind();
            insertAll(connection, items);
            for (const Item& item : items) {
                if (item.data) {
                    CPPUNIT_ASSERT((idsOf(connection.lookUp({{kByData, {blobOf(item)}}})[0]) == Ids{item.id}));
                }
                if (item.number && item.note) {
                    const auto found = connection.lookUp({{kByNumberAndNote, {*item.number, *item.note}}});
                    CPPUNIT_ASSERT((idsOf(found[0]) == Ids{item.id}));
                }
            }
            CPPUNIT_ASSERT(connection.lookUp({{kByData, {std::nullopt}}})[0].empty());
        });
    }

    void takesAValueForAValue() {
        const std::string evil = "x'; DROP TABLE items; -- ?";
        overEach([&](db::Connection& connection) {
            connection.transact([&] {
                CPPUNIT_ASSERT(connection.lookUp({{kByName, {evil, "' OR 1 = 1 --", evil + evil}}})[0].empty());
                connection.write(kInsertName, {1, evil});
                connection.write(kInsertName, {2, "eve"});
                update(connection, {1, 5, evil, evil});
                update(connection, {2, 6, "' OR 1 = 1 --", {}});
            });
            CPPUNIT_ASSERT((idsOf(connection.lookUp({{kByName, {evil}}})[0]) == Ids{1}));
            CPPUNIT_ASSERT((all() == Items{{1, 5, evil, evil}, {2, 6, "' OR 1 = 1 --", {}}}));
        });
    }

    void keepsEveryValueOfAnInsert() {
        overEach([&](db::Connection& connection) {
            const Items items = itemsOfEveryKind();
            insertAll(connection, items);
            CPPUNIT_ASSERT(all() == items);
            const auto found = connection.lookUp({{kById, {3, 4}}});
            for (const db::Row& row : found[0]) {
                const Item& item = items[static_cast<std::size_t>(row.integer(0) - 1)];
                CPPUNIT_ASSERT_EQUAL(*item.number, row.integer(1));
                CPPUNIT_ASSERT(*item.note == row.text(2) && *item.data == row.text(3));
            }
        });
    }

    // Each of the values in the place of each other one, and a row that nobody means.
    void keepsEveryValueOfAnUpdate() {
        overEach([&](db::Connection& connection) {
            const Items items = itemsOfEveryKind();
            insertAll(connection, items);
            insertAll(connection, {{99, 99, "as it was", "so"}});
            for (std::size_t shift = 0; shift < items.size(); ++shift) {
                Items expected;
                for (std::size_t i = 0; i < items.size(); ++i) {
                    expected.push_back(items[(i + shift) % items.size()]);
                    expected.back().id = static_cast<std::int64_t>(i) + 1;
                }
                connection.transact([&] {
                    for (const Item& item : expected) update(connection, item);
                });
                expected.push_back({99, 99, "as it was", "so"});
                CPPUNIT_ASSERT(all() == expected);
            }
            connection.transact([&] { update(connection, {99, {}, {}, {}}); });
            CPPUNIT_ASSERT((all().back() == Item{99, {}, {}, {}}));
        });
    }

    void updatesByAKeyOfText() {
        overEach([&](db::Connection& connection) {
            connection.transact([&] {
                connection.write(kInsertName, {1, "eve"});
                connection.write(kInsertName, {2, "\U0001F511"});
                connection.write(kInsertName, {3, "adam"});
                connection.write(kUpdateByName, {10, "eve"});
                connection.write(kUpdateByName, {20, "\U0001F511"});
                connection.write(kUpdateByName, {30, "nobody"});
            });
            CPPUNIT_ASSERT((all() == Items{{1, 10, {}, {}}, {2, 20, {}, {}}, {3, {}, {}, {}}}));
        });
    }

    void showsWhatItWroteToWhatFollows() {
        overEach([&](db::Connection& connection) {
            insertAll(connection, {{1, 1, "a", {}}});
            connection.transact([&] {
                insert(connection, {2, 2, "b", {}});
                update(connection, {1, 7, "A", {}});
                const auto rows = connection.query("SELECT number FROM items ORDER BY id");
                CPPUNIT_ASSERT_EQUAL(std::size_t{2}, rows.size());
                CPPUNIT_ASSERT_EQUAL(std::int64_t{7}, rows[0].integer(0));
                insert(connection, {3, 3, "c", {}});
                CPPUNIT_ASSERT((idsOf(connection.lookUp({{kById, {3, 4}}, {kById, {1}}})[0]) == Ids{3}));
                insert(connection, {4, 4, "d", {}});
                CPPUNIT_ASSERT_EQUAL(std::uint64_t{4},
                                     connection.execute("UPDATE items SET number = number + 1 WHERE id < ?", {99}));
                insert(connection, {5, 5, "e", {}});
                CPPUNIT_ASSERT_EQUAL(std::size_t{1}, all().size());
            });
            CPPUNIT_ASSERT(
                (all() == Items{{1, 8, "A", {}}, {2, 3, "b", {}}, {3, 4, "c", {}}, {4, 5, "d", {}}, {5, 5, "e", {}}}));
        });
    }

    void writesInTheOrderInWhichItWasAsked() {
        overEach([&](db::Connection& connection) {
            connection.transact([&] {
                insert(connection, {1, 1, {}, {}});
                insert(connection, {2, 1, {}, {}});
                connection.write(kAddToAll, {10, 99});
                insert(connection, {3, 1, {}, {}});
                update(connection, {2, 5, {}, {}});
                connection.write(kAddToAll, {100, 99});
                connection.write(kAddToAll, {1000, 3});
            });
            CPPUNIT_ASSERT_EQUAL(std::int64_t{1111}, number(1));
            CPPUNIT_ASSERT_EQUAL(std::int64_t{1105}, number(2));
            CPPUNIT_ASSERT_EQUAL(std::int64_t{101}, number(3));
        });
    }

    void copiesRowsAndRemovesThem() {
        overEach([&](db::Connection& connection) {
            insertAll(connection, {{1, 10, "a", {}}, {2, 20, "b", {}}, {3, 30, "c", {}}});
            connection.transact([&] {
                for (const int id : {1, 3, 99}) connection.write(kCopy, {id, "copied", id});
                for (const int id : {3, 99, 1}) connection.write(kRemove, {id});
            });
            CPPUNIT_ASSERT((all() == Items{{2, 20, "b", {}}}));
            const auto copies = reader_->query("SELECT id, word, number FROM copies ORDER BY id");
            CPPUNIT_ASSERT_EQUAL(std::size_t{2}, copies.size());
            CPPUNIT_ASSERT_EQUAL(std::int64_t{3}, copies[1].integer(0));
            CPPUNIT_ASSERT_EQUAL(std::string{"copied"}, copies[1].text(1));
            CPPUNIT_ASSERT_EQUAL(std::int64_t{30}, copies[1].integer(2));
        });
    }

    // A row may go with earlier ones of its table, but not past what reads them.
    void letsNoRowOvertakeWhatReadsItsTable() {
        overEach([&](db::Connection& connection) {
            connection.transact([&] {
                insert(connection, {1, 1, {}, {}});
                connection.write(kInsertCopy, {1, "other table", 0});
                insert(connection, {2, 2, {}, {}});
                connection.write(kCopy, {2, "found", 2});
                connection.write(kCopy, {3, "not there yet", 3});
                insert(connection, {3, 3, {}, {}});
                connection.write(kRemove, {4});
                insert(connection, {4, 4, {}, {}});
            });
            CPPUNIT_ASSERT((all() == Items{{1, 1, {}, {}}, {2, 2, {}, {}}, {3, 3, {}, {}}, {4, 4, {}, {}}}));
            CPPUNIT_ASSERT_EQUAL(std::size_t{2}, reader_->query("SELECT id FROM copies").size());
        });
    }

    void keepsTheLastOfTwoUpdatesOfARow() {
        overEach([&](db::Connection& connection) {
            insertAll(connection, {{1, 0, {}, {}}, {2, 0, {}, {}}});
            connection.transact([&] {
                update(connection, {1, 10, "first", {}});
                update(connection, {2, 20, "first", {}});
                update(connection, {1, 11, {}, "last"});
            });
            CPPUNIT_ASSERT((all() == Items{{1, 11, {}, "last"}, {2, 20, "first", {}}}));
        });
    }

    void forgetsWhatItWroteWhereTheWorkThrows() {
        overEach([&](db::Connection& connection) {
            insertAll(connection, {{1, 1, {}, {}}});
            for (const bool asks : {false, true}) {
                CPPUNIT_ASSERT_THROW(connection.transact([&] {
                    insert(connection, {2, 2, {}, {}});
                    if (asks) connection.lookUp({{kById, {2}}});
                    update(connection, {1, 7, {}, {}});
                    throw std::runtime_error("stop");
                }),
                                     std::runtime_error);
                CPPUNIT_ASSERT((all() == Items{{1, 1, {}, {}}}));
            }
            insertAll(connection, {{2, 2, {}, {}}});
            CPPUNIT_ASSERT((all() == Items{{1, 1, {}, {}}, {2, 2, {}, {}}}));
        });
    }

    void writesAllOrNothing() {
        overEach([&](db::Connection& connection) {
            insertAll(connection, {{1, 1, {}, {}}});
            for (const bool asks : {false, true}) {
                CPPUNIT_ASSERT(kindOf([&] {
                                   connection.transact([&] {
                                       if (asks) connection.lookUp({{kById, {1}}});
                                       update(connection, {1, 7, {}, {}});
                                       insert(connection, {3, 3, {}, {}});
                                       insert(connection, {1, 8, {}, {}});
                                       connection.write(kAddToAll, {10, 99});
                                   });
                               }) == ErrorKind::Duplicate);
                CPPUNIT_ASSERT((all() == Items{{1, 1, {}, {}}}));
            }
            insertAll(connection, {{3, 3, {}, {}}});
            CPPUNIT_ASSERT_EQUAL(std::size_t{2}, all().size());
        });
    }

    // The work that has looked too early finds at its second try what it would have inserted.
    void runsTheWorkAgainAfterADuplicate() {
        overEach([&](db::Connection& connection) {
            insertAll(connection, {{1, 1, {}, {}}});
            int tries = 0;
            const bool inserted = connection.transact(
                [&] {
                    const bool isThere = ++tries > 1 && !connection.lookUp({{kById, {1}}})[0].empty();
                    connection.write(kAddToAll, {10, 99});
                    if (!isThere) insert(connection, {1, 2, {}, {}});
                    return !isThere;
                },
                db::RetryOn::DeadlockOrDuplicate);
            CPPUNIT_ASSERT_EQUAL(2, tries);
            CPPUNIT_ASSERT(!inserted);
            CPPUNIT_ASSERT((all() == Items{{1, 11, {}, {}}}));
        });
    }

    void passesADuplicateOnWhereItIsNotToRunAgain() {
        overEach([&](db::Connection& connection) {
            insertAll(connection, {{1, 1, {}, {}}});
            int tries = 0;
            CPPUNIT_ASSERT(kindOf([&] {
                               connection.transact([&] {
                                   ++tries;
                                   insert(connection, {1, 2, {}, {}});
                               });
                           }) == ErrorKind::Duplicate);
            CPPUNIT_ASSERT_EQUAL(1, tries);
        });
    }

    void refusesAWrongNumberOfValues() {
        overEach([&](db::Connection& connection) {
            insertAll(connection, {{1, 10, "a", {}}});
            connection.transact([&] {
                CPPUNIT_ASSERT_THROW(connection.write(kInsertName, {2}), std::logic_error);
                CPPUNIT_ASSERT_THROW(connection.write(kInsertName, {2, "eve", 3, "adam"}), std::logic_error);
                CPPUNIT_ASSERT_THROW(connection.write(kUpdateByName, {10}), std::logic_error);
                CPPUNIT_ASSERT_THROW(connection.write(kAddToAll, {}), std::logic_error);
                insert(connection, {2, 20, "b", {}});
                CPPUNIT_ASSERT_THROW(connection.lookUp({{kById, {1}}, {kByNumberAndNote, {10, "a", 10}}}),
                                     std::logic_error);
            });
            CPPUNIT_ASSERT((all() == Items{{1, 10, "a", {}}, {2, 20, "b", {}}}));
        });
    }

    std::unique_ptr<db::Connection> reader_;
};

REGISTER_ON_BOTH_ENGINES(RowsTest);

}  // namespace db_rows_test
}  // namespace otpgate::test
