#include "crypto/signing_key.h"

#include "otpgate/base/encoding.h"
#include "otpgate/crypto/hash.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>

#include <array>
#include <climits>
#include <utility>

namespace otpgate::crypto {
namespace {

constexpr int kNumberBytes = 32;  // of r, s, x and y
constexpr std::size_t kSignatureBytes = 64;
constexpr std::size_t kMaxDerBytes = 72;  // a sequence of two integers of at most 33 bytes

using Bio = OpenSslOwner<BIO, BIO_free_all>;
using Number = OpenSslOwner<BIGNUM, BN_free>;
using Signature = OpenSslOwner<ECDSA_SIG, ECDSA_SIG_free>;

// Without it OpenSSL asks for the pass phrase of an encrypted key on the terminal.
int refusePassPhrase(char*, int, int, void*) {
    return -1;
}

bool isP256(const EVP_PKEY* key) {
    std::array<char, 32> group{};
    std::size_t length = 0;
    return EVP_PKEY_is_a(key, "EC") == 1 && EVP_PKEY_get_group_name(key, group.data(), group.size(), &length) == 1 &&
           std::string_view(group.data(), length) == "prime256v1";
}

// A damaged file may hold a private number that does not belong to its public point.
bool isConsistent(EVP_PKEY* key) {
    const PrivateKeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr));
    return context != nullptr && EVP_PKEY_check(context.get()) == 1;
}

PrivateKeyContext copyOf(const PrivateKeyContext& context) {
    return PrivateKeyContext(requireOpenSsl(EVP_PKEY_CTX_dup(context.get()), "no key context"));
}

// r and s as RFC 7518, section 3.4 wants them: 32 bytes each, where OpenSSL has DER.
std::string toRawSignature(std::string_view der) {
    const unsigned char* begin = asBytes(der);
    const Signature signature(
        requireOpenSsl(d2i_ECDSA_SIG(nullptr, &begin, static_cast<long>(der.size())), "a bad signature was made"));
    std::string raw(kSignatureBytes, '\0');
    const bool fits =
        BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), asBytes(raw), kNumberBytes) == kNumberBytes &&
        BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), asBytes(raw) + kNumberBytes, kNumberBytes) == kNumberBytes;
    requireOpenSsl(fits, "a bad signature was made");
    return raw;
}

// `raw` has kSignatureBytes.
std::string toDerSignature(std::string_view raw) {
    Number r(requireOpenSsl(BN_bin2bn(asBytes(raw), kNumberBytes, nullptr), "no memory"));
    Number s(requireOpenSsl(BN_bin2bn(asBytes(raw) + kNumberBytes, kNumberBytes, nullptr), "no memory"));
    const Signature signature(requireOpenSsl(ECDSA_SIG_new(), "no memory"));
    requireOpenSsl(ECDSA_SIG_set0(signature.get(), r.get(), s.get()) == 1, "no memory");
    // The signature owns them now.
    static_cast<void>(r.release());
    static_cast<void>(s.release());
    std::string der(kMaxDerBytes, '\0');
    unsigned char* end = asBytes(der);
    const int length = i2d_ECDSA_SIG(signature.get(), &end);
    requireOpenSsl(length > 0, "no memory");
    der.resize(static_cast<std::size_t>(length));
    return der;
}

std::string coordinate(const EVP_PKEY* key, const char* name) {
    BIGNUM* found = nullptr;
    requireOpenSsl(EVP_PKEY_get_bn_param(key, name, &found) == 1, "no public key");
    const Number number(found);
    std::string bytes(kNumberBytes, '\0');
    requireOpenSsl(BN_bn2binpad(number.get(), asBytes(bytes), kNumberBytes) == kNumberBytes, "no public key");
    return bytes;
}

}  // namespace

bool isKeyId(std::string_view text) {
    return !text.empty() && text.size() <= kMaxKeyIdLength &&
           text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
               std::string_view::npos;
}

SigningKey::Keys::Keys(std::string keyId, PrivateKey pair)
    : id(std::move(keyId)),
      key(std::move(pair)),
      signing(requireOpenSsl(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr), "no key context")),
      verifying(requireOpenSsl(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr), "no key context")) {
    if (!isKeyId(id)) throw std::invalid_argument("a key id is 1 to 64 of A-Z a-z 0-9 . _ -");
    requireOpenSsl(EVP_PKEY_sign_init(signing.get()) == 1, "the key cannot sign");
    requireOpenSsl(EVP_PKEY_verify_init(verifying.get()) == 1, "the key cannot verify");
    header = toBase64Url(std::string(kHeaderBeforeKeyId).append(id).append(kHeaderAfterKeyId));
}

std::string SigningKey::Keys::sign(std::string_view signingInput) const {
    const std::string hash = sha256(signingInput);
    const PrivateKeyContext context = copyOf(signing);
    std::string der(kMaxDerBytes, '\0');
    std::size_t length = der.size();
    requireOpenSsl(
        EVP_PKEY_sign(context.get(), asBytes(der), &length, asBytes(std::string_view(hash)), hash.size()) == 1,
        "cannot sign");
    return toRawSignature(std::string_view(der).substr(0, length));
}

bool SigningKey::Keys::verify(std::string_view signingInput, std::string_view signature) const {
    if (signature.size() != kSignatureBytes) return false;
    const std::string der = toDerSignature(signature);
    const std::string hash = sha256(signingInput);
    const PrivateKeyContext context = copyOf(verifying);
    const bool isGood = EVP_PKEY_verify(context.get(), asBytes(std::string_view(der)), der.size(),
                                        asBytes(std::string_view(hash)), hash.size()) == 1;
    if (!isGood) ERR_clear_error();
    return isGood;
}

SigningKey::SigningKey(std::unique_ptr<Keys> keys) : keys_(std::move(keys)) {}
SigningKey::~SigningKey() = default;
SigningKey::SigningKey(SigningKey&&) noexcept = default;
SigningKey& SigningKey::operator=(SigningKey&&) noexcept = default;

SigningKey SigningKey::generate(std::string keyId) {
    PrivateKey key(requireOpenSsl(EVP_EC_gen("P-256"), "cannot make a key"));
    return SigningKey(std::make_unique<Keys>(std::move(keyId), std::move(key)));
}

SigningKey SigningKey::fromPem(std::string keyId, std::string_view pem) {
    if (pem.empty() || pem.size() > INT_MAX) throw std::invalid_argument("not a P-256 private key in PEM");
    const Bio bio(requireOpenSsl(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), "no memory"));
    PrivateKey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, refusePassPhrase, nullptr));
    const bool isGood = key != nullptr && isP256(key.get()) && isConsistent(key.get());
    ERR_clear_error();
    if (!isGood) throw std::invalid_argument("not a P-256 private key in PEM");
    return SigningKey(std::make_unique<Keys>(std::move(keyId), std::move(key)));
}

const std::string& SigningKey::id() const {
    return keys_->id;
}

std::string SigningKey::toPem() const {
    const Bio bio(requireOpenSsl(BIO_new(BIO_s_mem()), "no memory"));
    requireOpenSsl(
        PEM_write_bio_PKCS8PrivateKey(bio.get(), keys_->key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
        "cannot write a key");
    char* text = nullptr;
    const long length = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(length)};
}

std::string SigningKey::toJwk() const {
    return std::string(R"({"kty":"EC","crv":"P-256","use":"sig","alg":"ES256","kid":")")
        .append(id())
        .append(R"(","x":")")
        .append(toBase64Url(coordinate(keys_->key.get(), OSSL_PKEY_PARAM_EC_PUB_X)))
        .append(R"(","y":")")
        .append(toBase64Url(coordinate(keys_->key.get(), OSSL_PKEY_PARAM_EC_PUB_Y)))
        .append("\"}");
}

bool SigningKey::verify(std::string_view signingInput, std::string_view signature) const {
    return keys_->verify(signingInput, signature);
}

}  // namespace otpgate::crypto
