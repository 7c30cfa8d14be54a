// How long a message rests after a sending that failed. Used by the courier.
#pragma once

#include <chrono>
#include <cstdint>

namespace otpgate::delivery {

// 2 s, 4 s, 8 s and so on up to 60 s, less up to a quarter that `noise` chooses (0: nothing, 65535: the whole quarter),
// so that messages which failed together do not come back together.
std::chrono::milliseconds backOff(unsigned failedAttempts, std::uint16_t noise);

}  // namespace otpgate::delivery
