#include "cli/findings.h"

#include "otpgate/http/json.h"

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

std::string_view toString(Finding::Level level) {
    switch (level) {
    case Finding::Level::Good: return "good";
    case Finding::Level::Doubtful: return "doubtful";
    case Finding::Level::Wrong: return "wrong";
    }
    return {};
}

void Findings::good(std::string_view check, std::string what) {
    findings_.push_back({std::string{check}, Finding::Level::Good, std::move(what), {}, {}});
}

void Findings::doubtful(std::string_view check, std::string what, std::string why, std::string todo) {
    findings_.push_back(
        {std::string{check}, Finding::Level::Doubtful, std::move(what), std::move(why), std::move(todo)});
}

void Findings::wrong(std::string_view check, std::string what, std::string why, std::string todo) {
    findings_.push_back({std::string{check}, Finding::Level::Wrong, std::move(what), std::move(why), std::move(todo)});
}

bool Findings::areWell() const {
    return std::ranges::none_of(findings_,
                                [](const Finding& finding) { return finding.level == Finding::Level::Wrong; });
}

std::string Findings::toText() const {
    std::ostringstream out;
    for (const auto level : {Finding::Level::Wrong, Finding::Level::Doubtful, Finding::Level::Good}) {
        for (const Finding& finding : findings_) {
            if (finding.level == level) print(out, finding);
        }
    }
    return out.str();
}

std::string Findings::toJson() const {
    http::JsonWriter json;
    json.beginObject().member("well", areWell()).key("findings").beginArray();
    for (const Finding& finding : findings_) {
        json.beginObject()
            .member("check", finding.check)
            .member("level", toString(finding.level))
            .member("what", finding.what)
            .member("why", finding.why)
            .member("todo", finding.todo)
            .endObject();
    }
    json.endArray().endObject();
    return json.take();
}

}  // namespace otpgate::cli
