// Bytes that count up from a start: the same in each run, and different at each call.
#pragma once

#include "otpgate/base/random.h"

#include <atomic>

namespace otpgate::test {

class FakeRandom final : public Random {
public:
    explicit FakeRandom(std::uint8_t start = 0) : next_(start) {}

    void fill(std::span<std::uint8_t> bytes) override {
        for (std::uint8_t& byte : bytes) byte = next_++;
    }

private:
    std::atomic<std::uint8_t> next_;
};

}  // namespace otpgate::test
