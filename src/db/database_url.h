// The text form of [database] url, taken apart. Used by openDatabase alone.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

namespace otpgate::db {

struct SqliteUrl {
    std::string path;
};

struct MysqlUrl {
    std::string user;
    std::string host;  // a name, an IPv4 or a bare IPv6 address
    std::uint16_t port = 3306;
    std::string schema;
    std::string socket;  // wins over host and port where it is given
};

// `sqlite:PATH` or `mysql://USER@HOST:PORT/NAME?socket=PATH`, parts percent-encoded as in RFC 3986. Throws
// ConfigurationError that says what is wrong and never quotes the url: somebody may have put a password into it.
std::variant<SqliteUrl, MysqlUrl> parseDatabaseUrl(const std::string& url);

}  // namespace otpgate::db
