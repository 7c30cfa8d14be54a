#include "otpgate/base/findings.h"

#include <algorithm>
#include <utility>

namespace otpgate {

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

}  // namespace otpgate
