#include "db/database_url.h"

#include "otpgate/base/errors.h"

#include <Poco/Exception.h>
#include <Poco/URI.h>

#include <algorithm>
#include <string_view>

namespace otpgate::db {

namespace {

[[noreturn]] void refuse(const std::string& reason) {
    throw ConfigurationError("database.url: " + reason +
                             " (expected sqlite:PATH or mysql://USER@HOST:PORT/NAME?socket=PATH)");
}

bool isControl(unsigned char c) {
    return c < 0x20 || c == 0x7f;
}

MysqlUrl parseMysqlUrl(const std::string& url) {
    const Poco::URI uri(url);
    MysqlUrl out;
    if (uri.getUserInfo().find(':') != std::string::npos) refuse("the password belongs in database.password");
    Poco::URI::decode(uri.getUserInfo(), out.user);
    if (out.user.empty()) refuse("there is no user name");

    for (const auto& [name, value] : uri.getQueryParameters()) {
        if (name != "socket") refuse("there is another parameter than socket");
        if (value.empty() || value.front() != '/') refuse("socket must be an absolute path");
        out.socket = value;
    }
    out.host = uri.getHost().empty() ? "localhost" : uri.getHost();
    if (uri.getSpecifiedPort() != 0) out.port = uri.getSpecifiedPort();

    const std::string& path = uri.getPath();
    if (path.size() < 2 || path.find('/', 1) != std::string::npos) refuse("there is no database name");
    out.schema = path.substr(1);
    if (!uri.getFragment().empty()) refuse("a # in it must be written as %23");
    for (const std::string* part : {&out.user, &out.host, &out.schema, &out.socket}) {
        // The connector ends a text at its first NUL, and would ask for another user or database.
        if (std::ranges::any_of(*part, isControl)) refuse("it holds a control character");
    }
    return out;
}

}  // namespace

std::variant<SqliteUrl, MysqlUrl> parseDatabaseUrl(const std::string& url) {
    constexpr std::string_view kSqlite = "sqlite:";
    if (url.starts_with(kSqlite)) {
        const std::string path = url.substr(kSqlite.size());
        if (path.empty()) refuse("there is no path");
        // Each thread has its own connection, and each would see its own empty database.
        if (path.find(":memory:") != std::string::npos) refuse("a database in memory cannot be shared by threads");
        return SqliteUrl{path};
    }
    if (!url.starts_with("mysql://")) refuse("unknown kind of database");
    try {
        return parseMysqlUrl(url);
    } catch (const Poco::Exception&) {
        refuse("it is not a valid url");
    }
}

}  // namespace otpgate::db
