// Migrations of MySQL that were killed or failed half-way: each statement commits by itself there.
#include "contract/engines.h"
#include "db/sql_script.h"

#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

namespace otpgate::test {
namespace {

using db::SqlFile;

constexpr std::string_view kPath = "mysql/0001_first.sql";
constexpr std::string_view kVersion = "0001_first";

// What a killed migrator left behind of the statements that it ran.
enum class Left { AllRecords, NoRecordOfTheLast, NoRecords };

using Schema = std::map<std::string, std::string>;  // how each table, procedure and migration stands there

class MysqlMigratorTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(MysqlMigratorTest);
    CPPUNIT_TEST(finishesWhatWasKilledBetweenTwoStatements);
    CPPUNIT_TEST(finishesWhatWasKilledBeforeAStatementWasRecorded);
    CPPUNIT_TEST(finishesWhatABinaryWithoutRecordsOfStatementsLeft);
    CPPUNIT_TEST(finishesWhatIsKilledAfterEachStatementInTurn);
    CPPUNIT_TEST(saysThatAHalfDoneMigrationIsPending);
    CPPUNIT_TEST(namesTheStatementThatFails);
    CPPUNIT_TEST(doesNotRunADoneStatementAgain);
    CPPUNIT_TEST(takesADataStatementBackThatCouldNotBeRecorded);
    CPPUNIT_TEST(takesATableThatIsThereForMade);
    CPPUNIT_TEST(refusesAStatementOfWhichOnlyAPartIsThere);
    CPPUNIT_TEST(refusesAColumnOfAnotherKind);
    CPPUNIT_TEST(refusesAKeyOfOtherColumns);
    CPPUNIT_TEST(refusesATableOfOtherColumns);
    CPPUNIT_TEST(refusesADoneStatementThatChanged);
    CPPUNIT_TEST(refusesAHalfDoneMigrationOfANewerBinary);
    CPPUNIT_TEST(dropsTheProceduresOfOlderBinaries);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override { begin(); }

private:
    void begin() {
        connection_.reset();
        scratch_.emplace(db::Engine::Mysql);
        connection_ = scratch_->connect();
    }

    static std::vector<SqlFile> ownFiles() {
        std::vector<SqlFile> out;
        for (const SqlFile& file : db::sqlFiles()) {
            if (file.path.starts_with("mysql/")) out.push_back(file);
        }
        return out;
    }
    static std::string versionOf(const SqlFile& file) {
        const auto name = file.path.substr(file.path.find('/') + 1);
        return std::string{name.substr(0, name.rfind('.'))};
    }
    void migrate(std::span<const SqlFile> files) {
        db::migrate(*connection_, files, [](std::string_view) {});
    }
    void migrate(const std::string& text) {
        const SqlFile file{kPath, text};
        migrate({&file, 1});
    }
    std::size_t rows(const std::string& sql) { return connection_->query(sql).size(); }

    Schema schema() {
        Schema out;
        for (const db::Row& table :
             connection_->query("SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()")) {
            out[table.text(0)] = connection_->queryOne("SHOW CREATE TABLE " + table.text(0)).value().text(1);
        }
        for (const db::Row& routine : connection_->query(
                 "SELECT routine_name FROM information_schema.routines WHERE routine_schema = DATABASE()")) {
            out[routine.text(0)] = "a procedure";
        }
        for (const db::Row& row : connection_->query("SELECT version, checksum FROM schema_migrations")) {
            out[row.text(0)] = row.text(1);
        }
        return out;
    }
    void requireSchema(const Schema& expected, const std::string& where) {
        const Schema actual = schema();
        for (const auto& [name, text] : actual) {
            CPPUNIT_ASSERT_MESSAGE(where + ": " + name + " should not be there", expected.contains(name));
        }
        for (const auto& [name, text] : expected) {
            CPPUNIT_ASSERT_MESSAGE(where + ": " + name + " is missing", actual.contains(name));
            CPPUNIT_ASSERT_EQUAL_MESSAGE(where, text, actual.at(name));
        }
    }

    // A migrator that comes to its end behind the first `count` statements of the last file.
    void migrateUpTo(std::span<const SqlFile> files, std::size_t count) {
        const auto statements = db::splitSqlScript(files.back().text);
        std::string text;
        for (const std::string& statement : std::span(statements).first(count)) text += statement + ";\n";
        text += "END OF THE MIGRATOR;\n";
        std::vector<SqlFile> cut(files.begin(), files.end());
        cut.back().text = text;
        CPPUNIT_ASSERT_THROW(migrate(cut), db::DbError);
    }
    void leave(std::span<const SqlFile> files, std::size_t count, Left left) {
        if (left == Left::NoRecords) {
            // As binaries did that recorded whole files alone.
            migrate(files.first(files.size() - 1));
            const auto statements = db::splitSqlScript(files.back().text);
            for (const std::string& statement : std::span(statements).first(count)) {
                connection_->executeScript(statement);
            }
            return;
        }
        migrateUpTo(files, count);
        if (left == Left::NoRecordOfTheLast) forget(versionOf(files.back()), count);
    }
    void forget(const std::string& version, std::size_t step) {
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, connection_->execute("DELETE FROM schema_migrations WHERE version = ?",
                                                                    {version + "#" + std::to_string(step)}));
    }

    // For each file of the service and each number of its statements.
    void finishesWhatWasLeft(Left left) {
        const std::vector<SqlFile> all = ownFiles();
        for (std::size_t last = 1; last <= all.size(); ++last) {
            const std::span files = std::span(all).first(last);
            begin();
            migrate(files);
            const Schema expected = schema();
            const std::size_t count = db::splitSqlScript(files.back().text).size();
            for (std::size_t cut = left == Left::NoRecordOfTheLast ? 1 : 0; cut <= count; ++cut) {
                begin();
                leave(files, cut, left);
                migrate(files);
                requireSchema(expected, std::string{files.back().path} + " cut behind " + std::to_string(cut));
                CPPUNIT_ASSERT(db::pendingMigrations(*connection_, files).empty());
            }
        }
    }
    void finishesWhatWasKilledBetweenTwoStatements() { finishesWhatWasLeft(Left::AllRecords); }
    void finishesWhatWasKilledBeforeAStatementWasRecorded() { finishesWhatWasLeft(Left::NoRecordOfTheLast); }
    void finishesWhatABinaryWithoutRecordsOfStatementsLeft() { finishesWhatWasLeft(Left::NoRecords); }

    void finishesWhatIsKilledAfterEachStatementInTurn() {
        const std::vector<SqlFile> all = ownFiles();
        migrate(all);
        const Schema expected = schema();
        begin();
        for (std::size_t last = 1; last <= all.size(); ++last) {
            const std::span files = std::span(all).first(last);
            const std::size_t count = db::splitSqlScript(files.back().text).size();
            for (std::size_t cut = 1; cut <= count; ++cut) {
                migrateUpTo(files, cut);
                forget(versionOf(files.back()), cut);
            }
        }
        migrate(all);
        requireSchema(expected, "killed after each statement");
    }

    void saysThatAHalfDoneMigrationIsPending() {
        const std::vector<SqlFile> files = ownFiles();
        migrateUpTo(std::span(files).first(2), 1);
        const auto pending = db::pendingMigrations(*connection_, files);
        CPPUNIT_ASSERT_EQUAL(files.size() - 1, pending.size());
        CPPUNIT_ASSERT_EQUAL(std::string{files[1].path}, pending.front());
    }

    void requireFailure(const std::string& text, std::initializer_list<std::string_view> named) {
        try {
            migrate(text);
        } catch (const std::runtime_error& error) {
            const std::string message = error.what();
            for (const std::string_view name : named) {
                CPPUNIT_ASSERT_MESSAGE(message, message.find(name) != std::string::npos);
            }
            return;
        }
        CPPUNIT_FAIL("not refused");
    }

    void namesTheStatementThatFails() {
        requireFailure("CREATE TABLE one (id BIGINT);\nNONSENSE;\n", {"0001_first#2", "1064"});
    }

    void doesNotRunADoneStatementAgain() {
        requireFailure("CREATE TABLE one (id BIGINT NOT NULL);\nINSERT INTO one VALUES (1);\nNONSENSE;\n", {"#3"});
        migrate("CREATE TABLE one (id BIGINT NOT NULL);\nINSERT INTO one VALUES (1);\n");
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, rows("SELECT id FROM one"));
    }

    void takesADataStatementBackThatCouldNotBeRecorded() {
        const std::string text = "CREATE TABLE one (id BIGINT NOT NULL);\nINSERT INTO one VALUES (1);\n";
        migrate(std::span<const SqlFile>{});
        connection_->executeScript(
            "ALTER TABLE schema_migrations ADD CONSTRAINT no_room CHECK (version NOT LIKE '%#2')");
        requireFailure(text, {"0001_first#2", "no_room"});
        CPPUNIT_ASSERT_EQUAL(std::size_t{0}, rows("SELECT id FROM one"));
        connection_->executeScript("ALTER TABLE schema_migrations DROP CONSTRAINT no_room");
        migrate(text);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, rows("SELECT id FROM one"));
    }

    void takesATableThatIsThereForMade() {
        const std::string text =
            "CREATE TABLE one (\n  id BIGINT NOT NULL PRIMARY KEY,\n  name VARCHAR(5) NULL DEFAULT 'a, b',\n"
            "  UNIQUE KEY one_name (name, id)\n) ENGINE=InnoDB;\n";
        connection_->executeScript(text);
        migrate(text);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, rows("SELECT 1 FROM schema_migrations"));
    }

    void refusesAStatementOfWhichOnlyAPartIsThere() {
        const std::string text = "ALTER TABLE one ADD COLUMN a BIGINT NULL, ADD COLUMN b BIGINT NULL;\n";
        connection_->executeScript("CREATE TABLE one (id BIGINT NOT NULL, a BIGINT NULL)");
        requireFailure(text, {"0001_first#1", "1060", "'a'"});
        // Done to the end by hand, it is as good as done here.
        connection_->executeScript("ALTER TABLE one ADD COLUMN b BIGINT NULL");
        migrate(text);

        requireFailureOn("CREATE TABLE two (id BIGINT NOT NULL)",
                         "ALTER TABLE two DROP KEY old, ADD KEY two_id (id);\n", "1091");
        requireFailureOn("CREATE TABLE three (id BIGINT NOT NULL, a BIGINT NULL)",
                         "ALTER TABLE three DROP COLUMN a, DROP COLUMN b;\n", "1091");
        requireFailureOn("CREATE TABLE four (id BIGINT NOT NULL, a BIGINT NULL)",
                         "ALTER TABLE four ADD COLUMN a BIGINT NULL, MODIFY COLUMN id VARCHAR(9) NOT NULL;\n", "1060");
    }
    void requireFailureOn(const std::string& before, const std::string& text, std::string_view number) {
        begin();
        connection_->executeScript(before);
        requireFailure(text, {number});
    }

    void refusesAColumnOfAnotherKind() {
        for (const char* column : {"VARCHAR(9) NOT NULL", "VARCHAR(10) NULL", "BIGINT NOT NULL"}) {
            requireFailureOn(std::string{"CREATE TABLE one (id BIGINT NOT NULL, a "} + column + ")",
                             "ALTER TABLE one ADD COLUMN a VARCHAR(10) NOT NULL DEFAULT '';\n", "1060");
        }
    }

    void refusesAKeyOfOtherColumns() {
        for (const char* key : {"KEY one_ab (a)", "KEY one_ab (b, a)", "UNIQUE KEY one_ab (a, b)"}) {
            requireFailureOn(std::string{"CREATE TABLE one (a BIGINT NOT NULL, b BIGINT NOT NULL, "} + key + ")",
                             "ALTER TABLE one ADD KEY one_ab (a, b);\n", "1061");
        }
    }

    void refusesATableOfOtherColumns() {
        requireFailureOn("CREATE TABLE one (id BIGINT NOT NULL PRIMARY KEY)",
                         "CREATE TABLE one (id BIGINT NOT NULL PRIMARY KEY, a BIGINT NULL);\n", "1050");
    }

    void refusesADoneStatementThatChanged() {
        requireFailure("CREATE TABLE one (id BIGINT);\nNONSENSE;\n", {"#2"});
        requireFailure("CREATE TABLE one (id BIGINT NOT NULL);\n", {"0001_first#1", "another text"});
        requireFailure("\n", {"0001_first#1", "another text"});
    }

    void refusesAHalfDoneMigrationOfANewerBinary() {
        requireFailure("CREATE TABLE one (id BIGINT);\nNONSENSE;\n", {"#2"});
        CPPUNIT_ASSERT_THROW(migrate(std::span<const SqlFile>{}), ConfigurationError);
        CPPUNIT_ASSERT_THROW(db::pendingMigrations(*connection_, {}), ConfigurationError);
    }

    void dropsTheProceduresOfOlderBinaries() {
        const std::vector<SqlFile> files = ownFiles();
        migrate(files);
        const Schema expected = schema();
        begin();
        migrate(std::span(files).first(4));
        for (const char* name : {"grouped_calls_part", "otp_request", "otp_verify", "rate_limit_refused",
                                 "rate_limit_take", "token_refresh"}) {
            connection_->executeRaw("CREATE PROCEDURE " + std::string{name} + "() SELECT 1");
            connection_->execute("INSERT INTO schema_migrations VALUES (?, REPEAT('0', 64), 1)",
                                 {"procedures/" + std::string{name}});
        }
        CPPUNIT_ASSERT_EQUAL(files.size() - 4, db::pendingMigrations(*connection_, files).size());
        migrate(files);
        requireSchema(expected, "after procedures");
    }

    std::optional<ScratchDatabase> scratch_;
    std::unique_ptr<db::Connection> connection_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(MysqlMigratorTest);

}  // namespace
}  // namespace otpgate::test
