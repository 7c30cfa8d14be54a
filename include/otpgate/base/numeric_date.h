// Times in JSON Web Tokens (NumericDate: RFC 7519, section 2).
#pragma once

#include "otpgate/base/clock.h"

#include <chrono>
#include <cstdint>

namespace otpgate {

// Whole seconds since 1970, rounded down.
inline std::int64_t numericDate(Timestamp time) {
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

}  // namespace otpgate
