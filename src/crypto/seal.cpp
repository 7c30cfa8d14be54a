// seal() and open() of key_ring.h.
#include "crypto/openssl.h"
#include "otpgate/crypto/key_ring.h"

#include <openssl/evp.h>

#include <climits>
#include <cstdint>

namespace otpgate::crypto {
namespace {

constexpr char kVersion = '\x01';  // AES-256-GCM; another algorithm gets another byte
constexpr std::size_t kNonceBytes = 12;
constexpr std::size_t kTagBytes = 16;
constexpr std::size_t kHeadBytes = 1 + kNonceBytes;

using CipherContext = OpenSslOwner<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free>;

const EVP_CIPHER* algorithm() {
    static const OpenSslOwner<EVP_CIPHER, EVP_CIPHER_free> cipher(
        requireOpenSsl(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr), "no AES-256-GCM"));
    return cipher.get();
}

CipherContext makeContext() {
    return CipherContext(requireOpenSsl(EVP_CIPHER_CTX_new(), "no cipher context"));
}

// EVP counts in int.
bool isTooLong(std::string_view text) {
    return text.size() > INT_MAX / 2;
}

std::optional<std::string> openWith(const std::string& key, std::string_view sealed, std::string_view context) {
    const std::string_view nonce = sealed.substr(1, kNonceBytes);
    const std::string_view cipherText = sealed.substr(kHeadBytes, sealed.size() - kHeadBytes - kTagBytes);
    std::string tag(sealed.substr(sealed.size() - kTagBytes));
    std::string plain(cipherText.size(), '\0');
    const CipherContext cipher = makeContext();
    int length = 0;
    const bool started =
        EVP_DecryptInit_ex2(cipher.get(), algorithm(), asBytes(std::string_view(key)), asBytes(nonce), nullptr) == 1 &&
        EVP_DecryptUpdate(cipher.get(), nullptr, &length, asBytes(context), static_cast<int>(context.size())) == 1 &&
        EVP_DecryptUpdate(cipher.get(), asBytes(plain), &length, asBytes(cipherText),
                          static_cast<int>(cipherText.size())) == 1 &&
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag.size()), tag.data()) == 1;
    requireOpenSsl(started, "cannot decrypt");
    unsigned char none = 0;  // GCM has no last block
    if (EVP_DecryptFinal_ex(cipher.get(), &none, &length) != 1) {
        ERR_clear_error();
        return std::nullopt;
    }
    return plain;
}

}  // namespace

std::string seal(const KeyRing& ring, std::string_view plain, std::string_view context, Random& random, KeyUse use) {
    if (isTooLong(plain) || isTooLong(context)) throw std::length_error("too long to be sealed");
    const std::string& key = ring.keys(use).front();
    std::string sealed(kHeadBytes + plain.size() + kTagBytes, '\0');
    sealed[0] = kVersion;
    unsigned char* nonce = asBytes(sealed) + 1;
    unsigned char* cipherText = nonce + kNonceBytes;
    unsigned char* tag = cipherText + plain.size();
    random.fill({nonce, kNonceBytes});
    const CipherContext cipher = makeContext();
    int length = 0;
    const bool succeeded =
        EVP_EncryptInit_ex2(cipher.get(), algorithm(), asBytes(std::string_view(key)), nonce, nullptr) == 1 &&
        EVP_EncryptUpdate(cipher.get(), nullptr, &length, asBytes(context), static_cast<int>(context.size())) == 1 &&
        EVP_EncryptUpdate(cipher.get(), cipherText, &length, asBytes(plain), static_cast<int>(plain.size())) == 1 &&
        EVP_EncryptFinal_ex(cipher.get(), tag, &length) == 1 &&
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_GET_TAG, kTagBytes, tag) == 1;
    requireOpenSsl(succeeded, "cannot encrypt");
    return sealed;
}

std::optional<std::string> open(const KeyRing& ring, std::string_view sealed, std::string_view context, KeyUse use) {
    if (sealed.size() < kHeadBytes + kTagBytes || sealed.front() != kVersion) return std::nullopt;
    if (isTooLong(sealed) || isTooLong(context)) return std::nullopt;
    for (const std::string& key : ring.keys(use)) {
        if (auto plain = openWith(key, sealed, context)) return plain;
    }
    return std::nullopt;
}

}  // namespace otpgate::crypto
