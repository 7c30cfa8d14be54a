#include "otpgate/domain/key_holders.h"

#include <algorithm>
#include <set>

namespace otpgate::domain {

namespace {

template <typename Condition>
std::vector<std::string> hostsWhere(std::span<const KeyHolder> holders, Timestamp now, const Condition& condition) {
    std::set<std::string> hosts;
    for (const KeyHolder& holder : holders) {
        if (holder.seenAt > now - kHolderIsGoneAfter && condition(holder.fingerprints)) hosts.insert(holder.host);
    }
    return {hosts.begin(), hosts.end()};
}

}  // namespace

std::vector<std::string> whoLacks(std::string_view fingerprint, std::span<const KeyHolder> holders, Timestamp now) {
    return hostsWhere(holders, now, [&](const std::vector<std::string>& known) {
        return std::ranges::find(known, fingerprint) == known.end();
    });
}

std::vector<std::string> whoUses(std::string_view fingerprint, std::span<const KeyHolder> holders, Timestamp now) {
    return hostsWhere(holders, now, [&](const std::vector<std::string>& known) {
        return !known.empty() && known.front() == fingerprint;
    });
}

}  // namespace otpgate::domain
