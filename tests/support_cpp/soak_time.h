// How long the tests of a mixed load run: OTPGATE_SOAK_SECONDS, or a few seconds.
#pragma once

#include <chrono>
#include <cstdlib>

namespace otpgate::test {

inline std::chrono::seconds soakTime() {
    const char* const seconds = std::getenv("OTPGATE_SOAK_SECONDS");
    return std::chrono::seconds{seconds == nullptr ? 4 : std::atoi(seconds)};
}

}  // namespace otpgate::test
