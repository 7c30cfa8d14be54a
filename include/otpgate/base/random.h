// The one seam for randomness. The real one is crypto::SystemRandom; tests bring their own. Safe to use from any
// thread.
#pragma once

#include <cstdint>
#include <span>

namespace otpgate {

class Random {
public:
    virtual ~Random() = default;
    // Fills the whole span with unpredictable bytes, or throws std::runtime_error.
    virtual void fill(std::span<std::uint8_t> bytes) = 0;
};

}  // namespace otpgate
