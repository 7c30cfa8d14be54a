// A limit as the procedures of MySQL take it: worked out here, where it costs next to nothing.
#pragma once

#include "otpgate/domain/limits.h"

#include <array>
#include <cstdint>
#include <string>

namespace otpgate::store {

struct BucketRule {
    BucketRule(const domain::LimitRule& rule, Timestamp now);

    std::int64_t keep = 0;  // bytes of hits that a bucket keeps; 0: no limit
    Timestamp expiresAt;
    // A window is full while the hit at its place (counted from 1, in bytes) is younger than its since. A window that
    // is not there has a place that no bucket reaches.
    std::array<std::int64_t, 2> places{};
    std::array<std::string, 2> since;
};

}  // namespace otpgate::store
