// [database] url: taken apart, or refused without a word of what may be a password ($P).
#include "db/database_url.h"
#include "fuzz/fuzz.h"
#include "otpgate/base/errors.h"

#include <algorithm>

namespace {

bool isPlain(std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

}  // namespace

FUZZ_TARGET(database_url) {
    using namespace otpgate;
    constexpr std::string_view kPassword = "Hunter-2";
    const std::string url = fuzz::filled(input, {{'P', kPassword}});
    try {
        const auto parsed = db::parseDatabaseUrl(url);
        if (const auto* mysql = std::get_if<db::MysqlUrl>(&parsed)) {
            REQUIRE(!mysql->user.empty() && !mysql->hosts.empty() && !mysql->schema.empty());
            REQUIRE(mysql->socket.empty() || mysql->socket.front() == '/');
            // They go to a library that ends a text at its first NUL, and into lines of the log.
            for (const std::string* part : {&mysql->user, &mysql->schema, &mysql->socket}) REQUIRE(isPlain(*part));
            for (const auto& host : mysql->hosts) REQUIRE(!host.name.empty() && host.port != 0 && isPlain(host.name));
        } else {
            REQUIRE("sqlite:" + std::get<db::SqliteUrl>(parsed).path == url);
        }
    } catch (const ConfigurationError& error) {
        const std::string_view what = error.what();
        REQUIRE(what.starts_with("database.url: ") && isPlain(what) && what.size() < 200);
        REQUIRE(what.find(kPassword) == std::string_view::npos);
    }
}
