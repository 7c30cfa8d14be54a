#include "cli/setup_database.h"

#include "db/database_url.h"
#include "otpgate/base/encoding.h"
#include "otpgate/base/errors.h"
#include "otpgate/base/text.h"
#include "otpgate/crypto/random.h"
#include "otpgate/db/own_tables.h"

#include <algorithm>
#include <array>
#include <filesystem>

namespace otpgate::cli {

namespace {

constexpr const char* kDatabaseCheck = "database";
constexpr std::size_t kPasswordBytes = 24;
constexpr mode_t kSecretMode = 0640;

// Of names that become part of statements: those of every sensible database and user, and nothing to escape.
bool isPlainName(std::string_view name) {
    return !name.empty() && name.size() <= 32 &&
           std::ranges::all_of(name, [](char c) { return isLetterOrDigit(c) || c == '_' || c == '-'; });
}

// From where the user comes: as the server sees a socket or a loopback address, or from anywhere.
std::vector<std::string> sourcesOf(const db::MysqlUrl& url) {
    const std::string& host = url.hosts.front().name;
    const bool isHere = !url.socket.empty() || host == "localhost" || host == "::1" || host.starts_with("127.");
    return isHere ? std::vector<std::string>{"localhost", "127.0.0.1", "::1"} : std::vector<std::string>{"%"};
}

// The first line of the file, which is made where it is not there: for those who may read the settings.
std::string passwordOf(const std::string& path, const FileOwner& settings) {
    if (std::filesystem::exists(path)) {
        const std::string text = readWholeFile(path);
        return std::string{trim(text.substr(0, text.find('\n')), " \t\r")};
    }
    crypto::SystemRandom random;
    std::array<std::uint8_t, kPasswordBytes> bytes{};
    random.fill(bytes);
    std::string password = toBase64Url({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    replaceFile(path, password + "\n", {settings.user, settings.group, kSecretMode});
    return password;
}

// A password of ours has nothing to escape; one of people may.
std::string sqlQuoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'' || c == '\\') out += '\\';
        out += c;
    }
    return out + "'";
}

void letIn(db::Connection& admin, const std::string& user, const std::string& schema, const std::string& password) {
    admin.executeRaw("CREATE USER IF NOT EXISTS " + user + " IDENTIFIED BY " + sqlQuoted(password));
    admin.executeRaw("ALTER USER " + user + " IDENTIFIED BY " + sqlQuoted(password));
    // An underscore would stand for any character.
    std::string pattern = schema;
    for (auto at = pattern.find('_'); at != std::string::npos; at = pattern.find('_', at + 2)) pattern.insert(at, "\\");
    admin.executeRaw("GRANT ALL ON `" + pattern + "`.* TO " + user);
}

void makeDatabase(db::Connection& admin, const db::MysqlUrl& url, const std::string& password) {
    admin.executeRaw("CREATE DATABASE IF NOT EXISTS `" + url.schema + "` CHARACTER SET utf8mb4");
    for (const std::string& source : sourcesOf(url)) {
        std::string user = sqlQuoted(url.user);
        user.append("@").append(sqlQuoted(source));
        letIn(admin, user, url.schema, password);
    }
}

std::int64_t countUsers(const db::DatabaseSettings& settings) {
    const auto file = db::sqliteFileOf(settings.url);
    if (file && !std::filesystem::exists(*file)) return 0;
    const auto database = db::openDatabase(settings);
    const auto connection = database->connect();
    if (!db::presentTables(*connection).contains("users")) return 0;
    return connection->queryOne("SELECT COUNT(*) FROM users").value().integer(0);
}

}  // namespace

void setUpDatabase(const DatabaseSetup& setup, const Settings& settings, SettingsFile& file, Findings& findings) {
    const auto parsed = db::parseDatabaseUrl(setup.url);
    const auto* const url = std::get_if<db::MysqlUrl>(&parsed);
    if (url == nullptr || !isPlainName(url->user) || !isPlainName(url->schema)) {
        throw ConfigurationError(
            "the database is to be like mysql://otpgate@localhost/otpgate?socket=/run/mysqld/mysqld.sock");
    }
    db::DatabaseSettings wanted = settings.database;
    wanted.url = setup.url;
    wanted.password = passwordOf(setup.passwordFile, ownerOf(file.path()));
    std::int64_t usersThere = 0;
    std::string done = "answers";
    try {
        usersThere = countUsers(wanted);
    } catch (const ServiceUnavailable&) {
        db::DatabaseSettings admin = settings.database;
        admin.url = setup.adminUrl;
        admin.password = setup.adminPassword;
        try {
            makeDatabase(*db::openDatabase(admin)->connect(), *url, wanted.password);
            usersThere = countUsers(wanted);
            done = "was made, with the user " + url->user;
        } catch (const ServiceUnavailable& error) {
            findings.wrong(kDatabaseCheck, setup.url + " cannot be made: " + error.what(),
                           "otpgate goes on with " + settings.database.url,
                           "run setup as root, where the server trusts its socket, or name who may make databases by "
                           "--mysql-admin-url and --mysql-admin-password-file");
            return;
        }
    }
    const std::int64_t usersHere = settings.database.url == setup.url ? 0 : countUsers(settings.database);
    if (usersHere > 0 && usersThere == 0) {
        findings.doubtful(kDatabaseCheck,
                          setup.url + " " + done + "; " + settings.database.url + " holds " +
                              std::to_string(usersHere) + " users, and is used as before",
                          "with an empty database all of them would be strangers",
                          "stop otpgate, run `otpgate copy-data --to '" + setup.url + "' --to-password-file " +
                              setup.passwordFile + "`, then otpgate setup once more, which changes the settings");
        return;
    }
    const bool isChanged = file.set("database.url", setup.url);
    file.set("database.password", "");
    file.set("database.password_file", setup.passwordFile);
    findings.good(kDatabaseCheck,
                  setup.url + " " + done + (isChanged ? ", and the settings name it" : ", as the settings say"));
}

}  // namespace otpgate::cli
