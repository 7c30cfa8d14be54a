// Unpredictable bytes from OpenSSL: ids, nonces, keys and tokens. One for the whole process, used by any thread.
#pragma once

#include "otpgate/base/random.h"

namespace otpgate::crypto {

// OpenSSL's generator (RAND_bytes), reseeded by the library in each process and thread.
class SystemRandom final : public Random {
public:
    void fill(std::span<std::uint8_t> bytes) override;
};

}  // namespace otpgate::crypto
