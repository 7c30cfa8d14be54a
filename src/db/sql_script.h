// Takes a migration apart into its statements.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace otpgate::db {

// A statement ends with `;` at the end of a line (blanks may follow); the last one may go without. Lines that begin
// with `--` are comments and left out. Statements come without the `;`, empty ones not at all.
std::vector<std::string> splitSqlScript(std::string_view script);

}  // namespace otpgate::db
