#include "otpgate/domain/sign_up_rule.h"

#include <algorithm>

namespace otpgate::domain {

namespace {

// `*.example.com` begins at its dot: what ends so has at least one label more.
bool covers(std::string_view allowed, std::string_view domain) {
    if (!allowed.starts_with("*.")) return allowed == domain;
    allowed.remove_prefix(1);
    return domain.size() > allowed.size() && domain.ends_with(allowed);
}

}  // namespace

bool SignUpRule::allows(const Destination& destination) const {
    if (isClosed) return false;
    if (domains.empty() && addresses.empty()) return true;
    if (std::ranges::find(addresses, destination.value()) != addresses.end()) return true;
    if (destination.channel() != Channel::Email) return false;
    // The last @: a quoted local part may have others.
    const std::string_view value = destination.value();
    const std::string_view domain = value.substr(value.rfind('@') + 1);
    return std::ranges::any_of(domains, [&](const std::string& allowed) { return covers(allowed, domain); });
}

}  // namespace otpgate::domain
