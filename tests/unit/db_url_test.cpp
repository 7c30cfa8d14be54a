#include "db/database_url.h"
#include "otpgate/base/errors.h"
#include "otpgate/db/connection.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::db {
namespace {

class DatabaseUrlTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(DatabaseUrlTest);
    CPPUNIT_TEST(takesAPathForSqlite);
    CPPUNIT_TEST(takesUserHostPortAndName);
    CPPUNIT_TEST(takesASocket);
    CPPUNIT_TEST(knowsTheDefaults);
    CPPUNIT_TEST(decodesPercentSigns);
    CPPUNIT_TEST(takesAnIpv6Address);
    CPPUNIT_TEST(refusesWhatItCannotRead);
    CPPUNIT_TEST(refusesControlCharacters);
    CPPUNIT_TEST(neverRepeatsAPassword);
    CPPUNIT_TEST(opensWithoutTouchingAnything);
    CPPUNIT_TEST_SUITE_END();

    static MysqlUrl mysql(const std::string& url) { return std::get<MysqlUrl>(parseDatabaseUrl(url)); }

    void takesAPathForSqlite() {
        const auto path = [](const char* url) { return std::get<SqliteUrl>(parseDatabaseUrl(url)).path; };
        CPPUNIT_ASSERT_EQUAL(std::string{"/var/lib/otpgate/otpgate.db"}, path("sqlite:/var/lib/otpgate/otpgate.db"));
        CPPUNIT_ASSERT_EQUAL(std::string{"var/otpgate.db"}, path("sqlite:var/otpgate.db"));
    }

    void takesUserHostPortAndName() {
        const MysqlUrl url = mysql("mysql://otpgate@db.example.org:3307/logins");
        CPPUNIT_ASSERT_EQUAL(std::string{"otpgate"}, url.user);
        CPPUNIT_ASSERT_EQUAL(std::string{"db.example.org"}, url.host);
        CPPUNIT_ASSERT_EQUAL(std::uint16_t{3307}, url.port);
        CPPUNIT_ASSERT_EQUAL(std::string{"logins"}, url.schema);
        CPPUNIT_ASSERT(url.socket.empty());
    }

    void takesASocket() {
        const std::string socket = "/run/mysqld/mysqld.sock";
        CPPUNIT_ASSERT_EQUAL(socket, mysql("mysql://otpgate@localhost/otpgate?socket=" + socket).socket);
        CPPUNIT_ASSERT_EQUAL(socket, mysql("mysql://otpgate@/otpgate?socket=" + socket).socket);
    }

    void knowsTheDefaults() {
        CPPUNIT_ASSERT_EQUAL(std::uint16_t{3306}, mysql("mysql://a@b/c").port);
        CPPUNIT_ASSERT_EQUAL(std::string{"localhost"}, mysql("mysql://a@/c").host);
    }

    void decodesPercentSigns() {
        const MysqlUrl url = mysql("mysql://a%40b@c/d%20e?socket=/with%20blank");
        CPPUNIT_ASSERT_EQUAL(std::string{"a@b"}, url.user);
        CPPUNIT_ASSERT_EQUAL(std::string{"d e"}, url.schema);
        CPPUNIT_ASSERT_EQUAL(std::string{"/with blank"}, url.socket);
    }

    void takesAnIpv6Address() { CPPUNIT_ASSERT_EQUAL(std::string{"::1"}, mysql("mysql://a@[::1]:3306/c").host); }

    void refusesWhatItCannotRead() {
        for (const char* url : {"", "otpgate.db", "sqlite:", "sqlite::memory:", "mysql:", "mysql://",
                                "mysql://host/name", "mysql://a@host", "mysql://a@host/", "mysql://a@host/b/c",
                                "mysql://a@host:port/b", "mysql://a@host:99999/b", "mysql://a@host/b?sockt=/x",
                                "mysql://a@host/b?socket=x", "mysql://a@host/b?socket=", "mysql://a:b@host/c",
                                "mysql://a@host/b#c", "postgres://a@host/b", "mysql://a@[::1/b"}) {
            CPPUNIT_ASSERT_THROW_MESSAGE(url, parseDatabaseUrl(url), ConfigurationError);
        }
    }

    // The connector would end the text at a NUL, and log in as somebody else.
    void refusesControlCharacters() {
        for (const char* url : {"mysql://a%00b@host/c", "mysql://a@host/b%00c", "mysql://a@host/b?socket=/x%00",
                                "mysql://a%0a@host/b", "mysql://a@host/b%7f"}) {
            CPPUNIT_ASSERT_THROW_MESSAGE(url, parseDatabaseUrl(url), ConfigurationError);
        }
    }

    void neverRepeatsAPassword() {
        for (const char* url : {"mysql://a:hunter2@host/b", "mysq://a:hunter2@host/b", "mysql://a:hunter2@host:x/b",
                                "mysql://a@host/b?hunter2", "mysql://a@host/b?hunter2=1"}) {
            try {
                parseDatabaseUrl(url);
                CPPUNIT_FAIL(url);
            } catch (const ConfigurationError& error) {
                CPPUNIT_ASSERT_MESSAGE(error.what(), std::string{error.what()}.find("hunter2") == std::string::npos);
            }
        }
    }

    void opensWithoutTouchingAnything() {
        const auto database = openDatabase({.url = "mysql://a@host.invalid/b", .password = "hunter2"});
        CPPUNIT_ASSERT(database->engine() == Engine::Mysql);
        CPPUNIT_ASSERT_EQUAL(std::string{"mysql://a@host.invalid/b"}, database->describe());
        CPPUNIT_ASSERT(database->connect() != nullptr);
        CPPUNIT_ASSERT(openDatabase({.url = "sqlite:/nowhere/x", .password = {}})->connect()->engine() ==
                       Engine::Sqlite);
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(DatabaseUrlTest);

}  // namespace
}  // namespace otpgate::db
