#include "db/sql_script.h"

#include "otpgate/base/text.h"

namespace otpgate::db {

namespace {

constexpr std::string_view kBlanks = " \t\r\n";

}  // namespace

std::vector<std::string> splitSqlScript(std::string_view script) {
    std::vector<std::string> statements;
    std::string current;
    const auto finish = [&] {
        if (const auto statement = trim(current, kBlanks); !statement.empty()) statements.emplace_back(statement);
        current.clear();
    };
    while (!script.empty()) {
        const auto end = script.find('\n');
        const auto line = script.substr(0, end);
        script.remove_prefix(end == std::string_view::npos ? script.size() : end + 1);

        const auto content = trim(line, kBlanks);
        if (content.starts_with("--")) continue;
        if (content.ends_with(';')) {
            current += line.substr(0, line.rfind(';'));
            finish();
        } else {
            current.append(line).append("\n");
        }
    }
    finish();
    return statements;
}

}  // namespace otpgate::db
