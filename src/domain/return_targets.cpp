#include "otpgate/domain/return_targets.h"

#include "otpgate/base/text.h"

#include <algorithm>

namespace otpgate::domain {

namespace {

constexpr std::size_t kMaxTargetBytes = 4000;

// What a URL consists of (RFC 3986, section 2). Browsers drop tabs and line ends, and read \ as /: neither is in it.
bool isOfAUrl(char c) {
    constexpr std::string_view kSigns = "-._~:/?#[]@!$&'()*+,;=%";
    return isLetterOrDigit(c) || kSigns.find(c) != std::string_view::npos;
}

// After the origin comes a path, a query, a fragment or nothing: no longer host, no port, no user name.
bool isWithin(std::string_view origin, std::string_view url) {
    if (!url.starts_with(origin)) return false;
    url.remove_prefix(origin.size());
    return url.empty() || url.front() == '/' || url.front() == '?' || url.front() == '#';
}

}  // namespace

ReturnTargets::ReturnTargets(Application own, std::vector<Application> others) : applications_{std::move(own)} {
    applications_.insert(applications_.end(), others.begin(), others.end());
}

std::optional<ReturnTarget> ReturnTargets::find(std::string_view text) const {
    if (text.empty() || text.size() > kMaxTargetBytes || !std::ranges::all_of(text, isOfAUrl)) return std::nullopt;
    const Application& own = applications_.front();
    // Two slashes begin a host.
    const bool isPath = text.front() == '/' && !text.starts_with("//");
    if (isPath) return ReturnTarget{own.origin + std::string{text}, own.name};
    const auto found = std::ranges::find_if(
        applications_, [&](const Application& application) { return isWithin(application.origin, text); });
    if (found == applications_.end()) return std::nullopt;
    return ReturnTarget{std::string{text}, found->name};
}

const Application* ReturnTargets::application(std::string_view origin) const {
    const auto found = std::ranges::find_if(
        applications_, [&](const Application& application) { return equalsIgnoringCase(application.origin, origin); });
    return found == applications_.end() ? nullptr : &*found;
}

}  // namespace otpgate::domain
