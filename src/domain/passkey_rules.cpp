#include "otpgate/domain/passkey_rules.h"

#include "otpgate/base/text.h"

#include <algorithm>

namespace otpgate::domain {

namespace {

// A domain name, as browsers take one for an RP ID: an address of four numbers is none.
bool isDomain(std::string_view host) {
    const bool isPlain = std::ranges::all_of(host, [](char c) { return isLetterOrDigit(c) || c == '-' || c == '.'; });
    const std::string_view last = host.substr(host.rfind('.') + 1);
    return isPlain && !last.empty() && !host.starts_with('.') && !std::ranges::all_of(last, isDigit);
}

}  // namespace

std::optional<std::string> rpIdOf(std::string_view publicUrl) {
    std::string host = toLower(hostOf(publicUrl));
    const bool isLocal = host == "localhost" || host.ends_with(".localhost");
    if (!isDomain(host) || !(publicUrl.starts_with("https://") || isLocal)) return std::nullopt;
    return host;
}

bool mayClaim(std::string_view publicUrl, std::string_view rpId) {
    const auto host = rpIdOf(publicUrl);
    if (!host || !isDomain(rpId)) return false;
    return *host == rpId || (rpId.find('.') != std::string_view::npos && host->ends_with("." + std::string{rpId}));
}

std::string originOf(std::string_view url) {
    const std::size_t scheme = std::min(url.find("://"), url.size() - std::min<std::size_t>(url.size(), 3)) + 3;
    std::string origin = toLower(url.substr(0, url.find('/', scheme)));
    for (const auto& [start, port] : {std::pair{"https://", ":443"}, std::pair{"http://", ":80"}}) {
        if (origin.starts_with(start) && origin.ends_with(port))
            origin.resize(origin.size() - std::string_view{port}.size());
    }
    return origin;
}

bool isAsAsked(const ClientData& data, Ceremony ceremony, std::string_view origin) {
    const std::string_view type = ceremony == Ceremony::Registration ? "webauthn.create" : "webauthn.get";
    return data.type == type && data.origin == origin && !data.isCrossOrigin;
}

bool countsOn(std::uint32_t stored, std::uint32_t shown) {
    return (stored == 0 && shown == 0) || shown > stored;
}

bool isSamePasskey(const Passkey& stored, const crypto::AuthenticatorFacts& facts) {
    return stored.backupEligible == facts.backupEligible;
}

std::string methodsOf(const crypto::AuthenticatorFacts& facts) {
    std::string methods = facts.backupEligible ? "swk user" : "hwk user";
    if (facts.userVerified) methods += " mfa";
    return methods;
}

}  // namespace otpgate::domain
