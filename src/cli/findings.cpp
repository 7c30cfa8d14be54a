#include "cli/findings.h"

#include <algorithm>
#include <sstream>

namespace otpgate::cli {

namespace {

constexpr std::size_t kIndent = 10;

std::string padded(std::string_view text) {
    std::string out{text};
    out.resize(std::max(out.size(), kIndent), ' ');
    return out;
}

void print(std::ostream& out, const Finding& finding) {
    out << padded(toString(finding.level)) << finding.check << ": " << finding.what << "\n";
    if (!finding.why.empty()) out << std::string(kIndent, ' ') << "why it matters: " << finding.why << "\n";
    if (!finding.todo.empty()) out << std::string(kIndent, ' ') << "what to do: " << finding.todo << "\n";
}

}  // namespace

std::string toText(const Findings& findings) {
    std::ostringstream out;
    for (const auto level : {Finding::Level::Wrong, Finding::Level::Doubtful, Finding::Level::Good}) {
        for (const Finding& finding : findings.all()) {
            if (finding.level == level) print(out, finding);
        }
    }
    return out.str();
}

}  // namespace otpgate::cli
