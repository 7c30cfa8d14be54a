// A number that grows with each call, at the end of the bytes: the same in each run, never the same twice, and UUIDs of
// one moment in their order.
#pragma once

#include "otpgate/base/random.h"

#include <atomic>
#include <cstddef>

namespace otpgate::test {

class CountingRandom final : public Random {
public:
    void fill(std::span<std::uint8_t> bytes) override {
        std::uint64_t number = ++last_;
        for (std::size_t position = bytes.size(); position > 0; number >>= 8U) {
            bytes[--position] = static_cast<std::uint8_t>(number & 0xffU);
        }
    }

private:
    std::atomic<std::uint64_t> last_{0};
};

}  // namespace otpgate::test
