// What setup writes: settings and site files.
#include "cli/settings_text.h"
#include "cli/site_file.h"
#include "otpgate/base/settings_reader.h"

#include <cppunit/extensions/HelperMacros.h>

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace otpgate::cli {

namespace cli_setup_test {

// Of the checkout.
std::string shipped(const std::string& path) {
    const std::string here = __FILE__;
    std::ifstream file(here.substr(0, here.rfind("tests/unit/")) + path);
    CPPUNIT_ASSERT_MESSAGE(path, file.good());
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

bool holds(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

const SiteNames kWhole{"login.example.org", Certificate{"/c.pem", "/k.pem"}, "/usr/share/otpgate/www", "/run/x.sock"};
const SiteNames kBare{"login.example.org", std::nullopt, "/usr/share/otpgate/www", "/run/otpgate/otpgate.sock"};

class SetupTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(SetupTest);
    CPPUNIT_TEST(aSettingTakesThePlaceOfItsLine);
    CPPUNIT_TEST(aCommentIsNoSetting);
    CPPUNIT_TEST(aNewSettingStandsAtTheEndOfItsSection);
    CPPUNIT_TEST(aNewSectionIsAdded);
    CPPUNIT_TEST(theShippedSettingsStayWhatTheyAre);
    CPPUNIT_TEST(nginxIsToldAllNames);
    CPPUNIT_TEST(apacheIsToldAllNames);
    CPPUNIT_TEST(withoutACertificatePort80AloneIsServed);
    CPPUNIT_TEST(aFileThatIsNotOursIsRefused);
    CPPUNIT_TEST_SUITE_END();

    void aSettingTakesThePlaceOfItsLine() {
        CPPUNIT_ASSERT_EQUAL(std::string{"# of a\n[a]\nx = 9\ny = 2\n[b]\nx = 3\n"},
                             withSetting("# of a\n[a]\nx=1\ny = 2\n[b]\nx = 3\n", "a.x", "9"));
        CPPUNIT_ASSERT_EQUAL(std::string{"[a]\nx = 1\n[b]\nx = 9\n"},
                             withSetting("[a]\nx = 1\n[b]\n  x =\n", "b.x", "9"));
        CPPUNIT_ASSERT_EQUAL(std::string{"x = 9\n[a]\nx = 1\n"}, withSetting("x = 0\n[a]\nx = 1", "x", "9"));
    }
    void aCommentIsNoSetting() {
        CPPUNIT_ASSERT_EQUAL(std::string{"[a]\n# x = 1\ny = 2\nx = 9\n"},
                             withSetting("[a]\n# x = 1\ny = 2\n", "a.x", "9"));
    }
    void aNewSettingStandsAtTheEndOfItsSection() {
        CPPUNIT_ASSERT_EQUAL(std::string{"[a]\ny = 2\nx = 9\n\n# of b\n[b]\nx = 3\n"},
                             withSetting("[a]\ny = 2\n\n# of b\n[b]\nx = 3\n", "a.x", "9"));
        CPPUNIT_ASSERT_EQUAL(std::string{"[a]\nx = 9\n"}, withSetting("[a]\n", "a.x", "9"));
        CPPUNIT_ASSERT_EQUAL(std::string{"x = 9\n[a]\n"}, withSetting("[a]\n", "x", "9"));
    }
    void aNewSectionIsAdded() {
        CPPUNIT_ASSERT_EQUAL(std::string{"[a]\nx = 1\n\n[b]\nx = 9\n"}, withSetting("[a]\nx = 1\n", "b.x", "9"));
        CPPUNIT_ASSERT_EQUAL(std::string{"[b]\nx = 9\n"}, withSetting("", "b.x", "9"));
    }
    void theShippedSettingsStayWhatTheyAre() {
        const std::string before = shipped("etc/otpgate.conf");
        const std::string after = withSetting(before, "server.public_url", "https://login.example.org");
        CPPUNIT_ASSERT(before != after);
        CPPUNIT_ASSERT_EQUAL(before, withSetting(after, "server.public_url", "http://localhost:8080"));
        SettingsReader reader("otpgate.conf", after, {});
        CPPUNIT_ASSERT_EQUAL(std::string{"https://login.example.org"}, reader.text("server.public_url", ""));
    }

    void nginxIsToldAllNames() {
        const std::string site = siteFile(WebServer::Nginx, shipped("etc/nginx/otpgate.conf"), kWhole);
        for (const char* line : {"    server unix:/run/x.sock max_fails=0;", "    server_name login.example.org;",
                                 "    ssl_certificate     /c.pem;", "    ssl_certificate_key /k.pem;",
                                 "    root /usr/share/otpgate/www;", "        root /var/www/html;"}) {
            CPPUNIT_ASSERT_MESSAGE(line, holds(site, std::string{"\n"} + line + "\n"));
        }
        CPPUNIT_ASSERT(!holds(site, "example.com"));
        CPPUNIT_ASSERT(!holds(site, "/usr/local"));
    }
    void apacheIsToldAllNames() {
        const std::string site = siteFile(WebServer::Apache, shipped("etc/apache/otpgate.conf"), kWhole);
        for (const char* line : {"Define OTPGATE_SOCKET /run/x.sock", "Define OTPGATE_WWW /usr/share/otpgate/www",
                                 "    ServerName login.example.org", "    SSLCertificateFile    /c.pem",
                                 "    SSLCertificateKeyFile /k.pem"}) {
            CPPUNIT_ASSERT_MESSAGE(line, holds(site, std::string{"\n"} + line + "\n"));
        }
        CPPUNIT_ASSERT(!holds(site, "login.example.com"));
    }
    void withoutACertificatePort80AloneIsServed() {
        const std::string nginx = siteFile(WebServer::Nginx, shipped("etc/nginx/otpgate.conf"), kBare);
        CPPUNIT_ASSERT(holds(nginx, "listen 80;") && !holds(nginx, "443") && !holds(nginx, "ssl_certificate"));
        const std::string apache = siteFile(WebServer::Apache, shipped("etc/apache/otpgate.conf"), kBare);
        CPPUNIT_ASSERT(holds(apache, "<VirtualHost *:80>") && !holds(apache, "<VirtualHost *:443>"));
    }
    void aFileThatIsNotOursIsRefused() {
        CPPUNIT_ASSERT_THROW(siteFile(WebServer::Nginx, "server {\n}\n", kWhole), std::runtime_error);
        CPPUNIT_ASSERT_THROW(siteFile(WebServer::Apache, "", kBare), std::runtime_error);
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SetupTest);

}  // namespace cli_setup_test
}  // namespace otpgate::cli
