// All tables from one database into another and into a file: whatever the migrations make, on either engine.
#include "contract/engines.h"
#include "otpgate/base/errors.h"
#include "otpgate/db/backup_file.h"
#include "otpgate/db/own_tables.h"
#include "otpgate/db/table_rows.h"

#include <cppunit/extensions/HelperMacros.h>

#include <fstream>
#include <sstream>
#include <vector>

namespace otpgate::test {
namespace db_table_rows_test {

using db::CellKind;
using db::Existing;
using db::Table;

void quiet(std::uint64_t) {}

// What its column on MySQL takes no other letters in.
bool isAscii(const std::string& column) {
    return column == "fingerprints";
}

// Rows of every kind in every table, so that a new one is copied, or fails here.
void fillEveryTable(db::Connection& connection, int rows) {
    for (const Table& table : db::describeTables(connection, db::sqlFiles())) {
        std::string names;
        std::string marks;
        for (const auto& column : table.columns) {
            names.append(names.empty() ? "" : ", ").append(column.name);
            marks.append(marks.empty() ? "?" : ", ?");
        }
        for (int i = 0; i < rows; ++i) {
            // As long as BINARY columns are, which would be filled up otherwise; with bytes that are no text.
            std::string id = std::string(15, '\0') + static_cast<char>(0x80 + i);
            const std::string hash = id + id;
            const std::string text = "\xc3\xa4 \xf0\x9f\x94\x91 " + std::to_string(i);
            const std::string ascii = "a" + std::to_string(i);
            std::vector<db::Param> values;
            for (const auto& column : table.columns) {
                switch (column.kind) {
                case CellKind::Integer: values.emplace_back(i - 1); break;
                case CellKind::Text: values.emplace_back(isAscii(column.name) ? ascii : text); break;
                case CellKind::Blob:
                    values.push_back(db::Param::blob(column.name.ends_with("_hash") ? hash : id));
                    break;
                }
            }
            connection.execute("INSERT INTO " + table.name + " (" + names + ") VALUES (" + marks + ")",
                               db::Connection::Params{values});
        }
    }
}

// A source that breaks off after its first table that has rows.
class HalfSource final : public db::RowSource {
public:
    explicit HalfSource(db::RowSource& whole) : whole_(whole) {}
    unsigned schemaVersion() const override { return whole_.schemaVersion(); }
    std::uint64_t rowCount() const override { return whole_.rowCount(); }
    void read(const db::TakeRows& take) override {
        int tables = 0;
        whole_.read([&](const Table& table, std::span<const db::Row> rows) {
            if (++tables > 3) throw ServiceUnavailable("the source has gone");
            take(table, rows);
        });
    }

private:
    db::RowSource& whole_;
};

std::string digestOf(db::Connection& connection) {
    db::RowDigest digest;
    db::readTables(connection, db::sqlFiles(),
                   [&](const Table& table, std::span<const db::Row> rows) { digest.add(table, rows); });
    return digest.hex();
}

std::string read(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

template <class Engine>
class TableRowsTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(TableRowsTest);
    CPPUNIT_TEST(bothEnginesHaveTheSameColumns);
    CPPUNIT_TEST(copiesEveryTableToEitherEngine);
    CPPUNIT_TEST(aBackupHoldsEveryTable);
    CPPUNIT_TEST(refusesADatabaseThatHoldsRows);
    CPPUNIT_TEST(refusesTheDatabaseThatItReads);
    CPPUNIT_TEST(saysThatADatabaseIsHalfFull);
    CPPUNIT_TEST(refusesWhatIsNoBackupOrAPartOfOne);
    CPPUNIT_TEST(doesNotWriteOverABackup);
    CPPUNIT_TEST(aTableThatIsNotOursIsRefused);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override {
        scratch_.emplace(Engine::kEngine);
        scratch_->migrate();
        connection_ = scratch_->connect();
    }

private:
    void bothEnginesHaveTheSameColumns() {
        ScratchDatabase other(Engine::kEngine == db::Engine::Mysql ? db::Engine::Sqlite : db::Engine::Mysql);
        other.migrate();
        const auto here = db::describeTables(*connection_, db::sqlFiles());
        const auto there = db::describeTables(*other.connect(), db::sqlFiles());
        CPPUNIT_ASSERT_EQUAL(there.size(), here.size());
        for (std::size_t i = 0; i < here.size(); ++i) CPPUNIT_ASSERT_MESSAGE(here[i].name, here[i] == there[i]);
    }

    void copiesEveryTableToEitherEngine() {
        fillEveryTable(*connection_, 3);
        for (const auto engine : {db::Engine::Sqlite, db::Engine::Mysql}) {
            ScratchDatabase other(engine);
            const auto to = other.connect();
            const auto source = db::readDatabase(*connection_, db::sqlFiles());
            const auto tables = db::describeTables(*connection_, db::sqlFiles()).size();
            CPPUNIT_ASSERT_EQUAL(std::uint64_t{3 * tables}, source->rowCount());
            CPPUNIT_ASSERT_EQUAL(std::uint64_t{3 * tables},
                                 db::fillDatabase(*to, db::sqlFiles(), *source, Existing::Refuse, quiet));
            CPPUNIT_ASSERT_EQUAL(digestOf(*connection_), digestOf(*to));
            CPPUNIT_ASSERT(db::pendingMigrations(*to, db::sqlFiles()).empty());
            CPPUNIT_ASSERT(db::missingTables(*to, db::sqlFiles()).empty());
        }
    }

    void aBackupHoldsEveryTable() {
        fillEveryTable(*connection_, 2);
        const TemporaryDirectory folder;
        const std::string path = folder.path("backup");
        db::writeBackup(path, {{"by", "a test"}}, *db::readDatabase(*connection_, db::sqlFiles()), quiet);

        db::BackupFile file(path);
        CPPUNIT_ASSERT_EQUAL(std::string{"a test"}, file.notes().at("by"));
        CPPUNIT_ASSERT_EQUAL(db::lastVersion(db::sqlFiles()), file.schemaVersion());
        for (const auto engine : {db::Engine::Sqlite, db::Engine::Mysql}) {
            ScratchDatabase other(engine);
            const auto to = other.connect();
            CPPUNIT_ASSERT_EQUAL(file.rowCount(), db::fillDatabase(*to, db::sqlFiles(), file, Existing::Refuse, quiet));
            CPPUNIT_ASSERT_EQUAL(digestOf(*connection_), digestOf(*to));
        }
    }

    void refusesADatabaseThatHoldsRows() {
        fillEveryTable(*connection_, 1);
        ScratchDatabase other(Engine::kEngine);
        other.migrate();
        const auto to = other.connect();
        to->execute("INSERT INTO password_costs (cost) VALUES ('here before')", {});
        const std::string before = digestOf(*to);
        const auto source = db::readDatabase(*connection_, db::sqlFiles());
        CPPUNIT_ASSERT_THROW(db::fillDatabase(*to, db::sqlFiles(), *source, Existing::Refuse, quiet),
                             ConfigurationError);
        CPPUNIT_ASSERT_EQUAL(before, digestOf(*to));
        CPPUNIT_ASSERT(db::missingTables(*to, db::sqlFiles()).empty());

        db::fillDatabase(*to, db::sqlFiles(), *source, Existing::Replace, quiet);
        CPPUNIT_ASSERT_EQUAL(digestOf(*connection_), digestOf(*to));
    }

    // By whatever name it was opened twice.
    void refusesTheDatabaseThatItReads() {
        fillEveryTable(*connection_, 1);
        const std::string before = digestOf(*connection_);
        const auto source = db::readDatabase(*connection_, db::sqlFiles());
        const auto same = scratch_->connect();
        CPPUNIT_ASSERT_THROW(db::fillDatabase(*same, db::sqlFiles(), *source, Existing::Replace, quiet),
                             ConfigurationError);
        CPPUNIT_ASSERT_EQUAL(before, digestOf(*connection_));
        CPPUNIT_ASSERT(db::missingTables(*connection_, db::sqlFiles()).empty());
    }

    void saysThatADatabaseIsHalfFull() {
        fillEveryTable(*connection_, 1);
        ScratchDatabase other(Engine::kEngine);
        const auto to = other.connect();
        const auto source = db::readDatabase(*connection_, db::sqlFiles());
        HalfSource half(*source);
        CPPUNIT_ASSERT_THROW(db::fillDatabase(*to, db::sqlFiles(), half, Existing::Refuse, quiet), ServiceUnavailable);
        CPPUNIT_ASSERT_THROW(db::missingTables(*to, db::sqlFiles()), ServiceUnavailable);

        // What is half full holds nothing that anybody would miss.
        db::fillDatabase(*to, db::sqlFiles(), *source, Existing::Refuse, quiet);
        CPPUNIT_ASSERT_EQUAL(digestOf(*connection_), digestOf(*to));
        CPPUNIT_ASSERT(db::missingTables(*to, db::sqlFiles()).empty());
    }

    void refusesWhatIsNoBackupOrAPartOfOne() {
        fillEveryTable(*connection_, 1);
        const TemporaryDirectory folder;
        const std::string path = folder.path("backup");
        db::writeBackup(path, {}, *db::readDatabase(*connection_, db::sqlFiles()), quiet);
        const std::string whole = read(path);
        const auto isRefused = [&](const std::string& content) {
            std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
            try {
                db::BackupFile{path};
                return false;
            } catch (const ConfigurationError&) {
                return true;
            }
        };
        CPPUNIT_ASSERT(!isRefused(whole));
        for (std::size_t length = 0; length < whole.size(); length += 1 + whole.size() / 500) {
            CPPUNIT_ASSERT(isRefused(whole.substr(0, length)));
        }
        for (std::size_t at = 0; at < whole.size(); at += 1 + whole.size() / 500) {
            std::string bent = whole;
            bent[at] = static_cast<char>(bent[at] ^ 1);
            CPPUNIT_ASSERT(isRefused(bent));
        }
        CPPUNIT_ASSERT(isRefused(whole + "x"));
        CPPUNIT_ASSERT_THROW(db::BackupFile{folder.path("nothing")}, ConfigurationError);
    }

    void doesNotWriteOverABackup() {
        const TemporaryDirectory folder;
        const std::string path = folder.path("backup");
        std::ofstream(path) << "the only one";
        CPPUNIT_ASSERT_THROW(db::writeBackup(path, {}, *db::readDatabase(*connection_, db::sqlFiles()), quiet),
                             ConfigurationError);
        CPPUNIT_ASSERT_EQUAL(std::string{"the only one"}, read(path));
    }

    // Whatever a file with the right checksum names, it becomes a part of no statement.
    void aTableThatIsNotOursIsRefused() {
        class Stranger final : public db::RowSource {
        public:
            unsigned schemaVersion() const override { return db::lastVersion(db::sqlFiles()); }
            std::uint64_t rowCount() const override { return 1; }
            void read(const db::TakeRows& take) override {
                const Table table{"users; DROP TABLE users", {{"id", CellKind::Integer}}};
                take(table, std::vector<db::Row>{db::Row{{std::int64_t{1}}}});
            }
        } stranger;
        ScratchDatabase other(Engine::kEngine);
        const auto to = other.connect();
        CPPUNIT_ASSERT_THROW(db::fillDatabase(*to, db::sqlFiles(), stranger, Existing::Refuse, quiet),
                             ConfigurationError);
    }

    std::optional<ScratchDatabase> scratch_;
    std::unique_ptr<db::Connection> connection_;
};

REGISTER_ON_BOTH_ENGINES(TableRowsTest);

}  // namespace db_table_rows_test
}  // namespace otpgate::test
