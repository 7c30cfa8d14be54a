#include "otpgate/crypto/totp.h"

#include "crypto/openssl.h"
#include "otpgate/base/encoding.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>

#include <algorithm>

namespace otpgate::crypto {
namespace {

constexpr std::size_t kSha1Bytes = 20;

std::string hmacSha1(std::string_view key, std::string_view data) {
    std::string mac(kSha1Bytes, '\0');
    std::size_t length = 0;
    const bool isDone = EVP_Q_mac(nullptr, OSSL_MAC_NAME_HMAC, nullptr, "SHA1", nullptr, key.data(), key.size(),
                                  asBytes(data), data.size(), asBytes(mac), mac.size(), &length) != nullptr;
    requireOpenSsl(isDone && length == mac.size(), "HMAC-SHA-1 failed");
    return mac;
}

}  // namespace

std::string hotp(std::string_view secret, std::uint64_t counter, unsigned digits) {
    const std::string mac = hmacSha1(secret, toBigEndian(counter));
    const std::size_t offset = static_cast<unsigned char>(mac.back()) & 0x0fU;
    const std::uint64_t number = fromBigEndian(std::string_view{mac}.substr(offset, 4)) & 0x7fffffffU;
    const std::string all = std::to_string(number);
    std::string code(digits - std::min<std::size_t>(digits, all.size()), '0');
    return code + all.substr(all.size() - std::min<std::size_t>(digits, all.size()));
}

}  // namespace otpgate::crypto
