// The migrator over files that the tests bring, on both engines.
#include "contract/engines.h"
#include "otpgate/base/errors.h"
#include "otpgate/db/own_tables.h"

#include <cppunit/extensions/HelperMacros.h>

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

namespace otpgate::test {
namespace db_migrator_test {

using db::SqlFile;

constexpr SqlFile kMysqlFirst{"mysql/0001_first.sql",
                              "CREATE TABLE IF NOT EXISTS one (id BIGINT NOT NULL PRIMARY KEY);\n"
                              "INSERT INTO one VALUES (1);\n"};
constexpr SqlFile kMysqlSecond{"mysql/0002_second.sql",
                               "-- the second;\nCREATE TABLE IF NOT EXISTS two (id BIGINT NOT NULL PRIMARY KEY);\n"};
constexpr SqlFile kSqliteFirst{"sqlite/0001_first.sql", kMysqlFirst.text};
constexpr SqlFile kSqliteSecond{"sqlite/0002_second.sql", kMysqlSecond.text};

template <class Engine>
class MigratorTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(MigratorTest);
    CPPUNIT_TEST(appliesEachFileOnceInOrder);
    CPPUNIT_TEST(listsWhatIsPending);
    CPPUNIT_TEST(appliesOnceWhenTwoMigrate);
    CPPUNIT_TEST(refusesADatabaseOfANewerBinary);
    CPPUNIT_TEST(goesOnWithADatabaseOfANewerBinaryThatOnlyAdds);
    CPPUNIT_TEST(refusesAFileThatChangedAfterItWasApplied);
    CPPUNIT_TEST(makesNothingBesideTablesThatItDidNotMake);
    CPPUNIT_TEST(listsTheTablesThatAreMissing);
    CPPUNIT_TEST(takesUpAgainAfterAFailure);
    CPPUNIT_TEST(appliesTheFilesOfTheService);
    CPPUNIT_TEST(notesTheFactorsThatAreThere);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override {
        scratch_.emplace(Engine::kEngine);
        connection_ = scratch_->connect();
    }

private:
    static constexpr bool kMysql = Engine::kEngine == db::Engine::Mysql;

    static std::vector<SqlFile> allFiles() { return {kMysqlFirst, kMysqlSecond, kSqliteFirst, kSqliteSecond}; }
    static std::vector<std::string> expectedPaths() {
        if (kMysql) return {"mysql/0001_first.sql", "mysql/0002_second.sql"};
        return {"sqlite/0001_first.sql", "sqlite/0002_second.sql"};
    }
    static std::vector<std::string> migrate(db::Connection& connection, const std::vector<SqlFile>& files) {
        std::vector<std::string> applied;
        const auto count = db::migrate(connection, files, [&](std::string_view path) { applied.emplace_back(path); });
        CPPUNIT_ASSERT_EQUAL(applied.size(), count);
        return applied;
    }

    void appliesEachFileOnceInOrder() {
        CPPUNIT_ASSERT(migrate(*connection_, allFiles()) == expectedPaths());
        CPPUNIT_ASSERT(migrate(*connection_, allFiles()).empty());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, connection_->queryOne("SELECT id FROM one").value().integer(0));
        CPPUNIT_ASSERT(!connection_->queryOne("SELECT id FROM two"));
        const auto row =
            connection_->queryOne("SELECT checksum, applied_at_us FROM schema_migrations WHERE version = '0001_first'")
                .value();
        CPPUNIT_ASSERT_EQUAL(std::size_t{64}, row.text(0).size());
        CPPUNIT_ASSERT(row.integer(1) > 1'700'000'000'000'000);
    }

    void listsWhatIsPending() {
        CPPUNIT_ASSERT(db::pendingMigrations(*connection_, allFiles()) == expectedPaths());
        migrate(*connection_, {kMysqlFirst, kSqliteFirst});
        auto rest = expectedPaths();
        rest.erase(rest.begin());
        CPPUNIT_ASSERT(db::pendingMigrations(*connection_, allFiles()) == rest);
        migrate(*connection_, allFiles());
        CPPUNIT_ASSERT(db::pendingMigrations(*connection_, allFiles()).empty());
    }

    void appliesOnceWhenTwoMigrate() {
        std::atomic<std::size_t> applied{0};
        std::vector<std::thread> threads;
        threads.reserve(2);
        for (int i = 0; i < 2; ++i) {
            threads.emplace_back([&] {
                const auto connection = scratch_->connect();
                applied += db::migrate(*connection, allFiles(), [](std::string_view) {});
            });
        }
        for (std::thread& thread : threads) thread.join();
        CPPUNIT_ASSERT_EQUAL(expectedPaths().size(), applied.load());
        CPPUNIT_ASSERT(db::pendingMigrations(*connection_, allFiles()).empty());
    }

    void requireRefusal(const std::vector<SqlFile>& files, const std::string& named) {
        const auto refuses = [&](const auto& work) {
            try {
                work();
                CPPUNIT_FAIL("not refused");
            } catch (const ConfigurationError& error) {
                const std::string message = error.what();
                CPPUNIT_ASSERT_MESSAGE(message, message.find(named) != std::string::npos);
            }
        };
        refuses([&] { migrate(*connection_, files); });
        refuses([&] { db::pendingMigrations(*connection_, files); });
    }

    void refusesADatabaseOfANewerBinary() {
        migrate(*connection_, allFiles());
        requireRefusal({kMysqlFirst, kSqliteFirst}, "0002_second");
    }

    void goesOnWithADatabaseOfANewerBinaryThatOnlyAdds() {
        const std::string folder = kMysql ? "mysql/" : "sqlite/";
        const std::string third = folder + "0003_third_serves_0002.sql";
        const std::string fourth = folder + "0004_fourth_serves_0003.sql";
        const char* text = "CREATE TABLE IF NOT EXISTS three (id BIGINT NOT NULL PRIMARY KEY);\n";
        auto files = allFiles();
        files.push_back({third, text});
        migrate(*connection_, files);
        CPPUNIT_ASSERT(migrate(*connection_, allFiles()).empty());
        CPPUNIT_ASSERT(db::pendingMigrations(*connection_, allFiles()).empty());
        requireRefusal({kMysqlFirst, kSqliteFirst}, "0002_second");
        files.push_back({fourth, "CREATE TABLE IF NOT EXISTS four (id BIGINT NOT NULL PRIMARY KEY);\n"});
        migrate(*connection_, files);
        requireRefusal(allFiles(), "0004_fourth_serves_0003");
    }

    void refusesAFileThatChangedAfterItWasApplied() {
        migrate(*connection_, allFiles());
        const std::string text = std::string{kMysqlFirst.text} + "-- one more line\n";
        requireRefusal({{kMysqlFirst.path, text}, kMysqlSecond, {kSqliteFirst.path, text}, kSqliteSecond},
                       "0001_first");
    }

    // Of another program, or of half a dump.
    void makesNothingBesideTablesThatItDidNotMake() {
        connection_->executeRaw("CREATE TABLE two (id BIGINT NOT NULL PRIMARY KEY)");
        CPPUNIT_ASSERT_THROW(migrate(*connection_, allFiles()), ServiceUnavailable);
        CPPUNIT_ASSERT_THROW(connection_->queryOne("SELECT id FROM one"), db::DbError);
        // What has another name is nobody's business.
        connection_->executeRaw("ALTER TABLE two RENAME TO three");
        CPPUNIT_ASSERT(migrate(*connection_, allFiles()) == expectedPaths());
    }

    void listsTheTablesThatAreMissing() {
        using Names = std::vector<std::string>;
        migrate(*connection_, allFiles());
        CPPUNIT_ASSERT(db::missingTables(*connection_, allFiles()).empty());
        connection_->executeRaw("DROP TABLE one");
        CPPUNIT_ASSERT(db::missingTables(*connection_, allFiles()) == Names{"one"});
        auto files = allFiles();
        files.push_back({kMysql ? "mysql/0003_third.sql" : "sqlite/0003_third.sql", "DROP TABLE IF EXISTS one;\n"});
        CPPUNIT_ASSERT(db::missingTables(*connection_, files).empty());
    }

    void takesUpAgainAfterAFailure() {
        const char* broken = "CREATE TABLE IF NOT EXISTS two (id BIGINT NOT NULL PRIMARY KEY);\nNONSENSE;\n";
        const std::vector<SqlFile> files{
            kMysqlFirst, {kMysqlSecond.path, broken}, kSqliteFirst, {kSqliteSecond.path, broken}};
        CPPUNIT_ASSERT_THROW(migrate(*connection_, files), db::DbError);
        CPPUNIT_ASSERT_EQUAL(expectedPaths().size() - 1, db::pendingMigrations(*connection_, allFiles()).size());
        // What came before the mistake stays on MySQL, and is gone on SQLite.
        const bool exists = !db::pendingMigrations(*connection_, allFiles()).empty() && tableTwoExists();
        CPPUNIT_ASSERT_EQUAL(kMysql, exists);
        migrate(*connection_, allFiles());
        CPPUNIT_ASSERT(tableTwoExists());
    }

    bool tableTwoExists() {
        try {
            connection_->query("SELECT id FROM two");
            return true;
        } catch (const db::DbError&) {
            return false;
        }
    }

    void appliesTheFilesOfTheService() {
        scratch_->migrate();
        CPPUNIT_ASSERT(db::pendingMigrations(*connection_, db::sqlFiles()).empty());
        scratch_->emptyTables();
        CPPUNIT_ASSERT(db::pendingMigrations(*connection_, db::sqlFiles()).empty());
    }

    // A passkey from before the column says so beside its user as well; one that has verified nobody does not.
    void notesTheFactorsThatAreThere() {
        std::vector<SqlFile> before;
        for (const SqlFile& file : db::sqlFiles()) {
            const std::string_view name = file.path.substr(file.path.find('/') + 1);
            if (name < "0014") before.push_back(file);
        }
        migrate(*connection_, before);
        for (const auto& [email, verifies] : {std::pair{"ada@example.org", 1}, std::pair{"bob@example.org", 0}}) {
            const std::string id(16, email[0]);
            connection_->execute(
                "INSERT INTO users (id, username, email, first_name, last_name, locale, joined_at_us)"
                " VALUES (?, ?, ?, '', '', '', 1)",
                {db::Param::blob(id), email, email});
            connection_->execute(
                "INSERT INTO passkeys (id, user_id, user_handle, credential_id, credential_hash, algorithm, public_key,"
                " name, transports, aaguid, sign_count, backup_eligible, backed_up, verifies_user, created_at_us)"
                " VALUES (?, ?, ?, ?, ?, -7, 'k', 'Laptop', '', ?, 0, 0, 0, ?, 1)",
                {db::Param::blob(id), db::Param::blob(id), db::Param::blob(id), db::Param::blob(id),
                 db::Param::blob(id), db::Param::blob(id), verifies});
        }
        scratch_->migrate();
        const auto rows = connection_->query("SELECT factors FROM users ORDER BY email");
        CPPUNIT_ASSERT(rows.size() == 2 && rows[0].integer(0) == 1 && rows[1].integer(0) == 0);
    }

    std::optional<ScratchDatabase> scratch_;
    std::unique_ptr<db::Connection> connection_;
};

REGISTER_ON_BOTH_ENGINES(MigratorTest);

}  // namespace db_migrator_test
}  // namespace otpgate::test
