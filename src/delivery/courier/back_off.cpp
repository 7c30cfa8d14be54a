#include "delivery/courier/back_off.h"

#include <algorithm>

namespace otpgate::delivery {

using std::chrono::milliseconds;

namespace {
constexpr milliseconds kFirst{2000};
constexpr milliseconds kLongest{60000};
constexpr unsigned kDoublings = 5;  // 64 s is beyond the longest already
}  // namespace

milliseconds backOff(unsigned failedAttempts, std::uint16_t noise) {
    const milliseconds whole = std::min(kFirst * (1U << std::min(failedAttempts, kDoublings)), kLongest);
    return whole - whole * noise / (4 * 65535);
}

}  // namespace otpgate::delivery
