#include "otpgate/crypto/random.h"

#include "crypto/openssl.h"

#include <openssl/rand.h>

#include <algorithm>
#include <climits>

namespace otpgate::crypto {

void SystemRandom::fill(std::span<std::uint8_t> bytes) {
    while (!bytes.empty()) {
        const std::size_t count = std::min<std::size_t>(bytes.size(), INT_MAX);
        requireOpenSsl(RAND_bytes(bytes.data(), static_cast<int>(count)) == 1, "no random bytes");
        bytes = bytes.subspan(count);
    }
}

}  // namespace otpgate::crypto
