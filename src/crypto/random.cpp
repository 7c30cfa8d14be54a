#include "otpgate/crypto/random.h"

#include "crypto/openssl.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <climits>

namespace otpgate::crypto {

namespace {

void fillFromOpenSsl(std::span<std::uint8_t> bytes) {
    while (!bytes.empty()) {
        const std::size_t count = std::min<std::size_t>(bytes.size(), INT_MAX);
        requireOpenSsl(RAND_bytes(bytes.data(), static_cast<int>(count)) == 1, "no random bytes");
        bytes = bytes.subspan(count);
    }
}

// A request takes ten bytes half a dozen times, and each call of RAND_bytes costs the same whatever it is asked for: a
// thread draws ahead. What is handed out is wiped, so that nothing is handed out twice or can be read later.
class Reserve {
public:
    void take(std::span<std::uint8_t> bytes) {
        if (bytes.size() > left_) {
            fillFromOpenSsl(block_);
            left_ = block_.size();
        }
        std::uint8_t* const source = block_.data() + (block_.size() - left_);
        std::copy_n(source, bytes.size(), bytes.begin());
        OPENSSL_cleanse(source, bytes.size());
        left_ -= bytes.size();
    }

private:
    std::array<std::uint8_t, 512> block_{};
    std::size_t left_ = 0;
};

constexpr std::size_t kSmall = 16;

}  // namespace

void SystemRandom::fill(std::span<std::uint8_t> bytes) {
    // Keys come straight from OpenSSL.
    if (bytes.size() > kSmall) return fillFromOpenSsl(bytes);
    static thread_local Reserve reserve;
    reserve.take(bytes);
}

}  // namespace otpgate::crypto
