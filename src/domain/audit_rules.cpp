#include "otpgate/domain/audit_rules.h"

#include <algorithm>

namespace otpgate::domain {

std::optional<Uuid> rowToAddTo(std::span<const ToldChange> recent, std::string_view address) {
    const auto own =
        std::find_if(recent.begin(), recent.end(), [&](const ToldChange& told) { return told.address == address; });
    if (own != recent.end()) return own->id;
    if (recent.size() < kMostToldApart) return std::nullopt;
    return recent.front().id;
}

}  // namespace otpgate::domain
