#include "db/database_url.h"
#include "otpgate/base/errors.h"
#include "otpgate/db/connection.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::db {
namespace db_url_test {

class DatabaseUrlTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(DatabaseUrlTest);
    CPPUNIT_TEST(takesAPathForSqlite);
    CPPUNIT_TEST(takesUserHostPortAndName);
    CPPUNIT_TEST(takesASocket);
    CPPUNIT_TEST(knowsTheDefaults);
    CPPUNIT_TEST(decodesPercentSigns);
    CPPUNIT_TEST(takesAnIpv6Address);
    CPPUNIT_TEST(takesSeveralHosts);
    CPPUNIT_TEST(namesHostsAsInAUrl);
    CPPUNIT_TEST(refusesWhatItCannotRead);
    CPPUNIT_TEST(refusesControlCharacters);
    CPPUNIT_TEST(neverRepeatsAPassword);
    CPPUNIT_TEST(opensWithoutTouchingAnything);
    CPPUNIT_TEST_SUITE_END();

    using Hosts = std::vector<MysqlHost>;
    static MysqlUrl mysql(const std::string& url) { return std::get<MysqlUrl>(parseDatabaseUrl(url)); }

    void takesAPathForSqlite() {
        const auto path = [](const char* url) { return std::get<SqliteUrl>(parseDatabaseUrl(url)).path; };
        CPPUNIT_ASSERT_EQUAL(std::string{"/var/lib/otpgate/otpgate.db"}, path("sqlite:/var/lib/otpgate/otpgate.db"));
        CPPUNIT_ASSERT_EQUAL(std::string{"var/otpgate.db"}, path("sqlite:var/otpgate.db"));
    }

    void takesUserHostPortAndName() {
        const MysqlUrl url = mysql("mysql://otpgate@db.example.org:3307/logins");
        CPPUNIT_ASSERT_EQUAL(std::string{"otpgate"}, url.user);
        CPPUNIT_ASSERT(url.hosts == Hosts({{"db.example.org", 3307}}));
        CPPUNIT_ASSERT_EQUAL(std::string{"logins"}, url.schema);
        CPPUNIT_ASSERT(url.socket.empty());
    }

    void takesASocket() {
        const std::string socket = "/run/mysqld/mysqld.sock";
        CPPUNIT_ASSERT_EQUAL(socket, mysql("mysql://otpgate@localhost/otpgate?socket=" + socket).socket);
        CPPUNIT_ASSERT_EQUAL(socket, mysql("mysql://otpgate@/otpgate?socket=" + socket).socket);
    }

    void knowsTheDefaults() {
        CPPUNIT_ASSERT(mysql("mysql://a@b/c").hosts == Hosts({{"b", 3306}}));
        CPPUNIT_ASSERT(mysql("mysql://a@/c").hosts == Hosts({{"localhost", 3306}}));
    }

    void decodesPercentSigns() {
        const MysqlUrl url = mysql("mysql://a%40b@c/d%20e?socket=/with%20blank");
        CPPUNIT_ASSERT_EQUAL(std::string{"a@b"}, url.user);
        CPPUNIT_ASSERT_EQUAL(std::string{"d e"}, url.schema);
        CPPUNIT_ASSERT_EQUAL(std::string{"/with blank"}, url.socket);
    }

    void takesAnIpv6Address() { CPPUNIT_ASSERT(mysql("mysql://a@[::1]:3306/c").hosts == Hosts({{"::1", 3306}})); }

    void takesSeveralHosts() {
        const MysqlUrl url = mysql("mysql://a%40b@one:3307,10.0.0.2,[::1]:3308,[fe80::1]/c%20d");
        CPPUNIT_ASSERT(url.hosts == Hosts({{"one", 3307}, {"10.0.0.2", 3306}, {"::1", 3308}, {"fe80::1", 3306}}));
        CPPUNIT_ASSERT_EQUAL(std::string{"a@b"}, url.user);
        CPPUNIT_ASSERT_EQUAL(std::string{"c d"}, url.schema);
    }

    void namesHostsAsInAUrl() {
        CPPUNIT_ASSERT_EQUAL(std::string{"one:3307"}, MysqlHost({"one", 3307}).toText());
        CPPUNIT_ASSERT_EQUAL(std::string{"[::1]:3306"}, MysqlHost({"::1", 3306}).toText());
    }

    void refusesWhatItCannotRead() {
        for (const char* url : {"",
                                "otpgate.db",
                                "sqlite:",
                                "sqlite::memory:",
                                "mysql:",
                                "mysql://",
                                "mysql://host/name",
                                "mysql://a@host",
                                "mysql://a@host/",
                                "mysql://a@host/b/c",
                                "mysql://a@host:port/b",
                                "mysql://a@host:99999/b",
                                "mysql://a@host/b?sockt=/x",
                                "mysql://a@host/b?socket=x",
                                "mysql://a@host/b?socket=",
                                "mysql://a:b@host/c",
                                "mysql://a@host/b#c",
                                "postgres://a@host/b",
                                "mysql://a@[::1/b",
                                "mysql://a@b,/c",
                                "mysql://a@,b/c",
                                "mysql://a@b,,c/d",
                                "mysql://a@b,b/c",
                                "mysql://a@b,b:3306/c",
                                "mysql://a@b,c:port/d",
                                "mysql://a@b,c/d?socket=/e",
                                "mysql://a:p@b,c/d",
                                "mysql://b,c/d"}) {
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
        for (const char* url :
             {"mysql://a:hunter2@host/b", "mysq://a:hunter2@host/b", "mysql://a:hunter2@host:x/b",
              "mysql://a:hunter2@host,b/c", "mysql://a@host/b?hunter2", "mysql://a@host/b?hunter2=1"}) {
            try {
                parseDatabaseUrl(url);
                CPPUNIT_FAIL(url);
            } catch (const ConfigurationError& error) {
                CPPUNIT_ASSERT_MESSAGE(error.what(), std::string{error.what()}.find("hunter2") == std::string::npos);
            }
        }
    }

    void opensWithoutTouchingAnything() {
        CPPUNIT_ASSERT_EQUAL(
            std::string{"one.invalid:3306"},
            openDatabase({.url = "mysql://a@one.invalid,two.invalid/b", .password = {}})->currentHost());
        const auto database = openDatabase({.url = "mysql://a@host.invalid/b", .password = "hunter2"});
        CPPUNIT_ASSERT(database->engine() == Engine::Mysql);
        CPPUNIT_ASSERT_EQUAL(std::string{"mysql://a@host.invalid/b"}, database->describe());
        CPPUNIT_ASSERT(database->connect() != nullptr);
        CPPUNIT_ASSERT(openDatabase({.url = "sqlite:/nowhere/x", .password = {}})->connect()->engine() ==
                       Engine::Sqlite);
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(DatabaseUrlTest);

}  // namespace db_url_test
}  // namespace otpgate::db
