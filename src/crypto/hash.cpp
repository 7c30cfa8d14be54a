#include "otpgate/crypto/hash.h"

#include "crypto/openssl.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>

namespace otpgate::crypto {
namespace {

constexpr std::size_t kHashBytes = 32;

// Looking an algorithm up by name costs as much as hashing a short text, so it is done once.
const EVP_MD* sha256Algorithm() {
    static const OpenSslOwner<EVP_MD, EVP_MD_free> algorithm(
        requireOpenSsl(EVP_MD_fetch(nullptr, "SHA256", nullptr), "no SHA-256"));
    return algorithm.get();
}

// One context a thread, which keeps its digest from call to call and takes only a new key.
EVP_MAC_CTX* hmacContext() {
    using Context = OpenSslOwner<EVP_MAC_CTX, EVP_MAC_CTX_free>;
    thread_local const Context context = [] {
        const OpenSslOwner<EVP_MAC, EVP_MAC_free> algorithm(
            requireOpenSsl(EVP_MAC_fetch(nullptr, "HMAC", nullptr), "no HMAC"));
        Context made(requireOpenSsl(EVP_MAC_CTX_new(algorithm.get()), "no HMAC context"));
        std::array<char, 7> digest{"SHA256"};
        const std::array<OSSL_PARAM, 2> parameters{
            OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0), OSSL_PARAM_construct_end()};
        requireOpenSsl(EVP_MAC_CTX_set_params(made.get(), parameters.data()) == 1, "no HMAC with SHA-256");
        return made;
    }();
    return context.get();
}

}  // namespace

std::string sha256(std::string_view data) {
    std::string hash(kHashBytes, '\0');
    requireOpenSsl(EVP_Digest(data.data(), data.size(), asBytes(hash), nullptr, sha256Algorithm(), nullptr) == 1,
                   "SHA-256 failed");
    return hash;
}

std::string hmacSha256(std::string_view key, std::string_view data) {
    EVP_MAC_CTX* context = hmacContext();
    // A null pointer would mean "the key of the last call".
    if (key.data() == nullptr) key = "";
    std::string mac(kHashBytes, '\0');
    std::size_t length = 0;
    const bool succeeded = EVP_MAC_init(context, asBytes(key), key.size(), nullptr) == 1 &&
                           EVP_MAC_update(context, asBytes(data), data.size()) == 1 &&
                           EVP_MAC_final(context, asBytes(mac), &length, mac.size()) == 1 && length == mac.size();
    requireOpenSsl(succeeded, "HMAC failed");
    return mac;
}

// Extract with a salt of zeros (section 2.2), then the first block of expand (section 2.3): 32 bytes need no second.
std::string hkdfSha256(std::string_view secret, std::string_view info) {
    std::string extracted = hmacSha256(std::string(kHashBytes, '\0'), secret);
    std::string key = hmacSha256(extracted, std::string(info).append(1, '\x01'));
    OPENSSL_cleanse(extracted.data(), extracted.size());
    return key;
}

bool equalInConstantTime(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace otpgate::crypto
