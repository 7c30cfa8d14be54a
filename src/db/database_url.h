// The text form of [database] url, taken apart. Used by openDatabase alone.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace otpgate::db {

struct SqliteUrl {
    std::string path;
};

struct MysqlHost {
    std::string name;  // a name, an IPv4 or a bare IPv6 address
    std::uint16_t port = 3306;

    std::string toText() const;  // as in a url
    bool operator==(const MysqlHost&) const = default;
};

struct MysqlUrl {
    std::string user;
    std::vector<MysqlHost> hosts;  // at least one; each is as good as the others, and the first is liked best
    std::string schema;
    std::string socket;  // wins over the host where it is given, and then there is one
};

// `sqlite:PATH`, `mysql://USER@HOST:PORT,HOST:PORT/NAME` with any number of hosts, or with one and `?socket=PATH`,
// parts percent-encoded as in RFC 3986. Throws ConfigurationError that says what is wrong and never quotes the url:
// somebody may have put a password into it.
std::variant<SqliteUrl, MysqlUrl> parseDatabaseUrl(const std::string& url);

}  // namespace otpgate::db
