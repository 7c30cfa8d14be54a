#include "otpgate/domain/password_costs.h"

#include "otpgate/crypto/password_costs.h"

#include <algorithm>
#include <set>
#include <string>

namespace otpgate::domain {

namespace {

// The name of no cost: it says that all hashes have been looked at.
const std::string kLookedThrough = "all";
// A short statement each, among the logins.
constexpr unsigned kBatch = 1000;

}  // namespace

void PasswordCosts::reload() {
    auto costs = store_.passwordCosts();
    if (std::find(costs.begin(), costs.end(), kLookedThrough) == costs.end()) {
        lookThrough();
        costs = store_.passwordCosts();
    }
    gate_.learn(costs);
}

void PasswordCosts::lookThrough() {
    std::set<std::string> found;
    Uuid last;
    while (true) {
        const auto hashes = store_.passwordHashes(last, kBatch);
        for (const auto& [id, hash] : hashes) {
            if (auto cost = crypto::costOf(hash)) found.insert(std::move(*cost));
        }
        if (hashes.size() < kBatch) break;
        last = hashes.back().first;
    }
    found.insert(kLookedThrough);
    store_.notePasswordCosts({found.begin(), found.end()});
}

}  // namespace otpgate::domain
