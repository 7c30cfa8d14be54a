#include "delivery/base64.h"

#include <openssl/evp.h>

namespace otpgate::delivery {

std::string toBase64(std::string_view bytes) {
    std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock ends with a NUL
    const int length =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                        reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    out.resize(static_cast<std::size_t>(length));
    return out;
}

std::string fromBase64(std::string_view base64) {
    if (base64.empty() || base64.size() % 4 != 0 || base64.size() > 4096) return {};
    std::string out(base64.size() / 4 * 3, '\0');
    const int length =
        EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                        reinterpret_cast<const unsigned char*>(base64.data()), static_cast<int>(base64.size()));
    return length < 0 ? std::string() : out;
}

}  // namespace otpgate::delivery
