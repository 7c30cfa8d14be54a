// How often the audit trail tells of what one can do over and over.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/uuid.h"

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace otpgate::domain {

// A change of a profile that the trail tells of.
struct ToldChange {
    Uuid id;
    std::string address;  // of the client
};

// So long a row takes up what follows, and there are at most so many of an account in that time.
inline constexpr std::chrono::minutes kToldTogether{5};
inline constexpr std::size_t kMostToldApart = 5;

// The row that one more change is added to, where it gets none of its own: that of the same client, or where there are
// many, the newest. `recent`: of this account within kToldTogether, the newest first.
std::optional<Uuid> rowToAddTo(std::span<const ToldChange> recent, std::string_view address);

}  // namespace otpgate::domain
