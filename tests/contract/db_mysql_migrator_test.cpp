// Migrations of MySQL that were killed or failed half-way: each statement commits by itself there.
#include "contract/engines.h"
#include "db/sql_script.h"

#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

namespace otpgate::test {
namespace db_mysql_migrator_test {

using db::SqlFile;

constexpr std::string_view kPath = "mysql/0009_next.sql";
// Binaries without steps had this one and those before it.
constexpr std::string_view kLastWithoutSteps = "mysql/0004_taken_by.sql";

// What a killed migrator left behind of the statements that it ran, and whether it had begun another one.
enum class Left { AllRecords, NoRecordOfTheLast, NoRecords, TheNextBegun };

using Schema = std::map<std::string, std::string>;  // how each table, procedure and migration stands there

class MysqlMigratorTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(MysqlMigratorTest);
    CPPUNIT_TEST(finishesWhatWasKilledBetweenTwoStatements);
    CPPUNIT_TEST(finishesWhatWasKilledBeforeAStatementWasRecorded);
    CPPUNIT_TEST(finishesWhatABinaryWithoutRecordsOfStatementsLeft);
    CPPUNIT_TEST(finishesWhatWasKilledBeforeAStatementWasRun);
    CPPUNIT_TEST(finishesWhatIsKilledAfterEachStatementInTurn);
    CPPUNIT_TEST(saysThatAHalfDoneMigrationIsPending);
    CPPUNIT_TEST(namesTheStatementThatFails);
    CPPUNIT_TEST(doesNotRunADoneStatementAgain);
    CPPUNIT_TEST(takesADataStatementBackThatCouldNotBeRecorded);
    CPPUNIT_TEST(doesNotRunAgainWhatWasDoneButNotRecorded);
    CPPUNIT_TEST(runsWhatWasBegunAndNotDone);
    CPPUNIT_TEST(runsAgainWhatChangesNothing);
    CPPUNIT_TEST(runsWhatWasRefusedAfterPeopleChangedTheTable);
    CPPUNIT_TEST(runsWhatWasBegunAfterPeopleChangedAnotherTable);
    CPPUNIT_TEST(takesWhatWasBegunForDoneAfterPeopleChangedItsTable);
    CPPUNIT_TEST(refusesWhatIsThereAlready);
    CPPUNIT_TEST(finishesWhatABinaryWithoutRecordsLeftThoughItIsKilledAgain);
    CPPUNIT_TEST(refusesAnotherErrorInWhatABinaryWithoutRecordsLeft);
    CPPUNIT_TEST(refusesADoneStatementThatChanged);
    CPPUNIT_TEST(refusesABegunStatementThatChanged);
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
    // A migrator that comes to its end behind a statement, and before it is recorded.
    void migrateUpToTheRecordOf(std::span<const SqlFile> files, std::size_t step) {
        if (rows("SHOW TABLES LIKE 'schema_migrations'") == 0) migrate(std::span<const SqlFile>{});
        connection_->executeRaw("ALTER TABLE schema_migrations ADD CONSTRAINT no_room CHECK (version NOT LIKE '" +
                                versionOf(files.back()) + "#" + std::to_string(step) + "')");
        try {
            migrate(files);
            CPPUNIT_FAIL("recorded");
        } catch (const db::DbError& error) {
            const std::string message = error.what();
            CPPUNIT_ASSERT_MESSAGE(message, message.find("no_room") != std::string::npos);
        }
        connection_->executeRaw("ALTER TABLE schema_migrations DROP CONSTRAINT no_room");
    }
    void migrateUpToTheRecordOf(const std::string& text, std::size_t step) {
        const SqlFile file{kPath, text};
        migrateUpToTheRecordOf({&file, 1}, step);
    }
    std::optional<db::Row> begun() {
        return connection_->queryOne("SELECT version, checksum FROM schema_migrations WHERE version LIKE '%#%?%'");
    }
    void leave(std::span<const SqlFile> files, std::size_t count, Left left) {
        switch (left) {
        case Left::AllRecords: migrateUpTo(files, count); return;
        case Left::NoRecordOfTheLast: migrateUpToTheRecordOf(files, count); return;
        case Left::NoRecords: {
            // As binaries did that recorded whole files alone.
            migrate(files.first(files.size() - 1));
            const auto statements = db::splitSqlScript(files.back().text);
            for (const std::string& statement : std::span(statements).first(count)) connection_->executeRaw(statement);
            return;
        }
        case Left::TheNextBegun:
            migrateUpToTheRecordOf(files, count + 1);
            const auto row = begun();
            begin();
            migrateUpTo(files, count);
            // The same in another database, whose schema was the same.
            if (row) insertRow(row->text(0), row->text(1));
            return;
        }
    }
    void insertRow(const std::string& version, const std::string& checksum) {
        connection_->execute("INSERT INTO schema_migrations (version, checksum, applied_at_us) VALUES (?, ?, 1)",
                             {version, checksum});
    }

    // For each file of the service and each number of its statements.
    void finishesWhatWasLeft(Left left) {
        const std::vector<SqlFile> all = ownFiles();
        for (std::size_t last = 1; last <= all.size(); ++last) {
            const std::span files = std::span(all).first(last);
            if (left == Left::NoRecords && files.back().path > kLastWithoutSteps) break;
            begin();
            migrate(files);
            const Schema expected = schema();
            const std::size_t count = db::splitSqlScript(files.back().text).size();
            const std::size_t first = left == Left::NoRecordOfTheLast ? 1 : 0;
            for (std::size_t cut = first; cut <= (left == Left::TheNextBegun ? count - 1 : count); ++cut) {
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
    void finishesWhatWasKilledBeforeAStatementWasRun() { finishesWhatWasLeft(Left::TheNextBegun); }

    void finishesWhatIsKilledAfterEachStatementInTurn() {
        const std::vector<SqlFile> all = ownFiles();
        migrate(all);
        const Schema expected = schema();
        begin();
        for (std::size_t last = 1; last <= all.size(); ++last) {
            const std::span files = std::span(all).first(last);
            const std::size_t count = db::splitSqlScript(files.back().text).size();
            for (std::size_t cut = 1; cut <= count; ++cut) {
                migrateUpToTheRecordOf(files, cut);
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
        requireFailure("CREATE TABLE one (id BIGINT);\nNONSENSE;\n", {"0009_next#2", "1064"});
    }

    void doesNotRunADoneStatementAgain() {
        requireFailure("CREATE TABLE one (id BIGINT NOT NULL);\nINSERT INTO one VALUES (1);\nNONSENSE;\n", {"#3"});
        migrate("CREATE TABLE one (id BIGINT NOT NULL);\nINSERT INTO one VALUES (1);\n");
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, rows("SELECT id FROM one"));
    }

    void takesADataStatementBackThatCouldNotBeRecorded() {
        const std::string text = "CREATE TABLE one (id BIGINT NOT NULL);\nINSERT INTO one VALUES (1);\n";
        migrateUpToTheRecordOf(text, 2);
        CPPUNIT_ASSERT_EQUAL(std::size_t{0}, rows("SELECT id FROM one"));
        migrate(text);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, rows("SELECT id FROM one"));
    }

    void doesNotRunAgainWhatWasDoneButNotRecorded() {
        // None of these could be run twice.
        const std::string text =
            "CREATE TABLE one (a BIGINT NOT NULL, c BIGINT NULL);\nALTER TABLE one RENAME COLUMN a TO b;\n"
            "ALTER TABLE one ADD KEY (b);\nALTER TABLE one DROP COLUMN c;\nRENAME TABLE one TO two;\n";
        for (std::size_t step = 1; step <= 5; ++step) migrateUpToTheRecordOf(text, step);
        migrate(text);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, rows("SHOW COLUMNS FROM two"));
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, rows("SHOW KEYS FROM two"));
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, rows("SELECT 1 FROM schema_migrations"));
    }

    void runsWhatWasBegunAndNotDone() {
        connection_->executeRaw("CREATE TABLE one (a BIGINT NOT NULL)");
        const std::string text = "ALTER TABLE one ADD COLUMN b BIGINT NULL, ADD KEY one_b (b);\n";
        migrateUpToTheRecordOf(text, 1);
        CPPUNIT_ASSERT(begun());
        // As if it had not come to the statement.
        connection_->executeRaw("ALTER TABLE one DROP COLUMN b");
        migrate(text);
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, rows("SHOW COLUMNS FROM one"));
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, rows("SHOW KEYS FROM one"));
        CPPUNIT_ASSERT(!begun());
    }

    void runsAgainWhatChangesNothing() {
        connection_->executeRaw("CREATE TABLE one (a BIGINT NOT NULL)");
        const std::string text =
            "DROP PROCEDURE IF EXISTS nothing;\nALTER TABLE one MODIFY COLUMN a BIGINT NOT NULL;\n";
        migrateUpToTheRecordOf(text, 1);
        migrateUpToTheRecordOf(text, 2);
        migrate(text);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, rows("SELECT 1 FROM schema_migrations"));
    }

    void runsWhatWasRefusedAfterPeopleChangedTheTable() {
        connection_->executeRaw("CREATE TABLE one (a BIGINT NOT NULL, b BIGINT NOT NULL)");
        const std::string text = "ALTER TABLE one ADD COLUMN b BIGINT NULL, ADD COLUMN c BIGINT NULL;\n";
        requireFailure(text, {"0009_next#1", "1060"});
        CPPUNIT_ASSERT(!begun());
        connection_->executeRaw("ALTER TABLE one DROP COLUMN b");
        migrate(text);
        CPPUNIT_ASSERT_EQUAL(std::size_t{3}, rows("SHOW COLUMNS FROM one"));
    }

    void runsWhatWasBegunAfterPeopleChangedAnotherTable() {
        connection_->executeRaw("CREATE TABLE one (a BIGINT NOT NULL)");
        const std::string text = "ALTER TABLE one ADD COLUMN b BIGINT NULL;\n";
        migrateUpToTheRecordOf(text, 1);
        connection_->executeRaw("ALTER TABLE one DROP COLUMN b");
        connection_->executeRaw("CREATE TABLE another (a BIGINT NOT NULL)");
        migrate(text);
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, rows("SHOW COLUMNS FROM one"));
    }

    void takesWhatWasBegunForDoneAfterPeopleChangedItsTable() {
        connection_->executeRaw("CREATE TABLE one (a BIGINT NOT NULL)");
        const std::string text = "ALTER TABLE one ADD COLUMN b BIGINT NULL;\nALTER TABLE one ADD KEY one_b (b);\n";
        migrateUpToTheRecordOf(text, 1);
        connection_->executeRaw("ALTER TABLE one DROP COLUMN b, ADD COLUMN c BIGINT NULL");
        // The next statement names what is missing; made by hand, it lets the migration go on.
        requireFailure(text, {"0009_next#2", "1072", "'b'"});
        connection_->executeRaw("ALTER TABLE one ADD COLUMN b BIGINT NULL");
        migrate(text);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, rows("SHOW KEYS FROM one"));
    }

    // With which every migration begins.
    void makeList() {
        connection_->executeRaw(
            "CREATE TABLE schema_migrations (version VARCHAR(100) NOT NULL PRIMARY KEY, checksum CHAR(64) NOT NULL,"
            " applied_at_us BIGINT NOT NULL)");
    }

    void refusesWhatIsThereAlready() {
        makeList();
        connection_->executeRaw("CREATE TABLE one (a BIGINT NOT NULL, KEY one_a (a))");
        requireFailure("CREATE TABLE one (id BIGINT NOT NULL);\n", {"#1", "1050"});
        requireFailure("ALTER TABLE one ADD COLUMN a BIGINT NULL;\n", {"#1", "1060"});
        requireFailure("ALTER TABLE one ADD KEY one_a (a);\n", {"#1", "1061"});
        requireFailure("ALTER TABLE one DROP COLUMN b;\n", {"#1", "1091"});
    }

    void finishesWhatABinaryWithoutRecordsLeftThoughItIsKilledAgain() {
        const std::vector<SqlFile> all = ownFiles();
        const std::span files = std::span(all).first(2);
        migrate(files);
        const Schema expected = schema();
        begin();
        leave(files, db::splitSqlScript(files.back().text).size(), Left::NoRecords);
        migrateUpTo(files, 1);
        migrateUpToTheRecordOf(files, 3);
        migrate(files);
        requireSchema(expected, "killed twice");
    }

    void refusesAnotherErrorInWhatABinaryWithoutRecordsLeft() {
        makeList();
        connection_->executeRaw("CREATE TABLE one (a BIGINT NOT NULL)");
        const SqlFile file{kLastWithoutSteps,
                           "CREATE TABLE one (a BIGINT NOT NULL);\nALTER TABLE two ADD COLUMN b BIGINT NULL;\n"};
        CPPUNIT_ASSERT_THROW(migrate({&file, 1}), db::DbError);
        CPPUNIT_ASSERT(!begun());
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, rows("SELECT 1 FROM schema_migrations WHERE version LIKE '%#1'"));
    }

    void refusesADoneStatementThatChanged() {
        requireFailure("CREATE TABLE one (id BIGINT);\nNONSENSE;\n", {"#2"});
        requireFailure("CREATE TABLE one (id BIGINT NOT NULL);\n", {"0009_next#1", "another text"});
        requireFailure("\n", {"0009_next#1", "another text"});
    }

    void refusesABegunStatementThatChanged() {
        migrateUpToTheRecordOf("CREATE TABLE one (id BIGINT);\n", 1);
        requireFailure("CREATE TABLE two (id BIGINT);\n", {"0009_next#1", "another text"});
        requireFailure("\n", {"0009_next#1", "another text"});
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

}  // namespace db_mysql_migrator_test
}  // namespace otpgate::test
