// The migrations of sql/, embedded at build time by src/embed_files.sh, so that one binary is all there
// is to install. Used by `otpgate migrate` and the tests; constant data, safe on any thread.
#pragma once

#include <span>
#include <string_view>

namespace otpgate::db {

struct SqlFile {
    std::string_view path;  // below sql/, for example "mysql/0001_init.sql"
    std::string_view text;
};

// Every sql/**/*.sql, ordered by path (bytewise).
std::span<const SqlFile> sqlFiles();

}  // namespace otpgate::db
