#include "db/database_url.h"

#include "otpgate/base/errors.h"
#include "otpgate/base/text.h"
#include "otpgate/db/connection.h"

#include <Poco/Exception.h>
#include <Poco/URI.h>

#include <algorithm>
#include <string_view>

namespace otpgate::db {

namespace {

[[noreturn]] void refuse(const std::string& reason) {
    throw ConfigurationError(
        "database.url: " + reason +
        " (expected sqlite:PATH, mysql://USER@HOST:PORT,.../NAME or mysql://USER@HOST:PORT/NAME?socket=PATH)");
}

constexpr std::string_view kMysql = "mysql://";

// All but the hosts, and the one host of `url`.
MysqlHost parseOneHost(const std::string& url, MysqlUrl& out) {
    const Poco::URI uri(url);
    if (uri.getUserInfo().find(':') != std::string::npos) refuse("the password belongs in database.password");
    out.user.clear();
    Poco::URI::decode(uri.getUserInfo(), out.user);
    if (out.user.empty()) refuse("there is no user name");

    for (const auto& [name, value] : uri.getQueryParameters()) {
        if (name != "socket") refuse("there is another parameter than socket");
        if (value.empty() || value.front() != '/') refuse("socket must be an absolute path");
        out.socket = value;
    }
    const std::string& path = uri.getPath();
    if (path.size() < 2 || path.find('/', 1) != std::string::npos) refuse("there is no database name");
    out.schema = path.substr(1);
    if (!uri.getFragment().empty()) refuse("a # in it must be written as %23");

    MysqlHost host{uri.getHost().empty() ? "localhost" : uri.getHost()};
    if (uri.getSpecifiedPort() != 0) host.port = uri.getSpecifiedPort();
    return host;
}

// RFC 3986 knows one host, so each is read as if it were the only one.
MysqlUrl parseMysqlUrl(const std::string& url) {
    const std::size_t end = std::min(url.find_first_of("/?#", kMysql.size()), url.size());
    const std::size_t at = url.rfind('@', end);
    if (at == std::string::npos || at < kMysql.size()) refuse("there is no user name");

    MysqlUrl out;
    std::string_view hosts = std::string_view{url}.substr(at + 1, end - at - 1);
    const bool hasSeveral = hosts.find(',') != std::string_view::npos;
    for (;;) {
        const std::size_t comma = hosts.find(',');
        const std::string_view host = hosts.substr(0, comma);
        if (hasSeveral && host.empty()) refuse("one of its hosts is empty");
        out.hosts.push_back(parseOneHost(url.substr(0, at + 1) + std::string{host} + url.substr(end), out));
        if (comma == std::string_view::npos) break;
        hosts.remove_prefix(comma + 1);
    }
    if (hasSeveral && !out.socket.empty()) refuse("a socket goes with one host");
    for (auto host = out.hosts.begin(); host != out.hosts.end(); ++host) {
        if (std::find(out.hosts.begin(), host, *host) != host) refuse("it names a host twice");
        if (std::ranges::any_of(host->name, isControl)) refuse("it holds a control character");
    }
    for (const std::string* part : {&out.user, &out.schema, &out.socket}) {
        // The connector ends a text at its first NUL, and would ask for another user or database.
        if (std::ranges::any_of(*part, isControl)) refuse("it holds a control character");
    }
    return out;
}

}  // namespace

std::string MysqlHost::toText() const {
    const bool isIpv6 = name.find(':') != std::string::npos;
    return (isIpv6 ? "[" + name + "]" : name) + ":" + std::to_string(port);
}

std::optional<std::string> sqliteFileOf(std::string_view url) {
    constexpr std::string_view kSqlite = "sqlite:";
    if (!url.starts_with(kSqlite)) return std::nullopt;
    return std::string{url.substr(kSqlite.size())};
}

std::variant<SqliteUrl, MysqlUrl> parseDatabaseUrl(const std::string& url) {
    if (const auto path = sqliteFileOf(url)) {
        if (path->empty()) refuse("there is no path");
        // Each thread has its own connection, and each would see its own empty database.
        if (path->find(":memory:") != std::string::npos) refuse("a database in memory cannot be shared by threads");
        return SqliteUrl{*path};
    }
    if (!url.starts_with(kMysql)) refuse("unknown kind of database");
    try {
        return parseMysqlUrl(url);
    } catch (const Poco::Exception&) {
        refuse("it is not a valid url");
    }
}

}  // namespace otpgate::db
