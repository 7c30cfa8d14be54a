// otpgate import-users: users of any other service, one a line, with their passwords.
#include "cli/commands.h"
#include "cli/line_user.h"
#include "cli/user_import.h"

#include <stdexcept>

namespace otpgate::cli {

namespace {

constexpr std::size_t kMaxLineBytes = std::size_t{1} << 16U;

// Without the end of the line; nullopt after the last. One that is too long is cut: it is no object any more.
std::optional<std::string> readLine(std::istream& in) {
    std::string line;
    std::streambuf& buffer = *in.rdbuf();
    int c = buffer.sbumpc();
    if (c == std::char_traits<char>::eof()) return std::nullopt;
    for (; c != std::char_traits<char>::eof() && c != '\n'; c = buffer.sbumpc()) {
        if (line.size() < kMaxLineBytes) line += static_cast<char>(c);
    }
    return line;
}

std::set<std::string> namesOfGroups(db::Connection& connection) {
    std::set<std::string> names;
    for (const domain::UserGroup& group : store::makeUserGroupStore(connection)->list()) names.insert(group.name);
    return names;
}

bool isBlank(const std::string& line) {
    return line.find_first_not_of(" \t\r") == std::string::npos;
}

}  // namespace

int importUsers(const Invocation& invocation) {
    UserImport import(invocation, "line");
    const LineRules rules{.mayMakeAdmins = invocation.has("--admins"),
                          .validation = import.validation(),
                          .groups = namesOfGroups(import.connection())};
    std::size_t number = 0;
    const auto next = [&]() -> std::optional<UserImport::Row> {
        while (auto line = readLine(import.in())) {
            ++number;
            if (!isBlank(*line)) return UserImport::Row{number, std::move(*line)};
        }
        return std::nullopt;
    };
    return import.run(next, [&](const std::string& line, Timestamp now) { return parseLineUser(line, rules, now); });
}

}  // namespace otpgate::cli
