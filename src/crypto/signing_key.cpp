#include "crypto/signing_key.h"

#include "otpgate/base/encoding.h"
#include "otpgate/crypto/hash.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>
#include <climits>
#include <utility>

namespace otpgate::crypto {
namespace {

constexpr int kNumberBytes = 32;  // of r, s, x and y
constexpr std::size_t kSignatureBytes = 64;
constexpr unsigned kRsaBits = 2048;  // RFC 7518, section 3.3, asks for as many at least
constexpr std::size_t kRsaBytes = kRsaBits / 8;
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

bool isRsa(const EVP_PKEY* key) {
    return EVP_PKEY_is_a(key, "RSA") == 1 && EVP_PKEY_get_bits(key) == static_cast<int>(kRsaBits);
}

// PKCS #1 v1.5 over SHA-256 (RFC 7518, section 3.3).
void useRs256(EVP_PKEY_CTX* context) {
    requireOpenSsl(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
                       EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1,
                   "the key cannot sign");
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

Number numberOf(const EVP_PKEY* key, const char* name) {
    BIGNUM* found = nullptr;
    requireOpenSsl(EVP_PKEY_get_bn_param(key, name, &found) == 1, "no public key");
    return Number(found);
}

std::string coordinate(const EVP_PKEY* key, const char* name) {
    const Number number = numberOf(key, name);
    std::string bytes(kNumberBytes, '\0');
    requireOpenSsl(BN_bn2binpad(number.get(), asBytes(bytes), kNumberBytes) == kNumberBytes, "no public key");
    return bytes;
}

// Without zeros before it (RFC 7518, section 2).
std::string wholeNumber(const EVP_PKEY* key, const char* name) {
    const Number number = numberOf(key, name);
    std::string bytes(static_cast<std::size_t>(BN_num_bytes(number.get())), '\0');
    requireOpenSsl(BN_bn2bin(number.get(), asBytes(bytes)) > 0, "no public key");
    return bytes;
}

}  // namespace

bool isKeyId(std::string_view text) {
    return !text.empty() && text.size() <= kMaxKeyIdLength &&
           text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
               std::string_view::npos;
}

std::string_view toString(SigningAlgorithm algorithm) {
    return algorithm == SigningAlgorithm::Es256 ? "ES256" : "RS256";
}

std::optional<SigningAlgorithm> parseSigningAlgorithm(std::string_view text) {
    for (const SigningAlgorithm algorithm : {SigningAlgorithm::Es256, SigningAlgorithm::Rs256}) {
        if (text == toString(algorithm)) return algorithm;
    }
    return std::nullopt;
}

std::string headerOf(SigningAlgorithm algorithm, std::string_view keyId, std::string_view typ) {
    return std::string(R"({"alg":")")
        .append(toString(algorithm))
        .append(R"(",)")
        .append(kKeyIdMember)
        .append(keyId)
        .append(R"(","typ":")")
        .append(typ)
        .append("\"}");
}

SigningKey::Keys::Keys(std::string keyId, PrivateKey pair, SigningAlgorithm how)
    : id(std::move(keyId)),
      algorithm(how),
      key(std::move(pair)),
      signing(requireOpenSsl(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr), "no key context")),
      verifying(requireOpenSsl(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr), "no key context")) {
    if (!isKeyId(id)) throw std::invalid_argument("a key id is 1 to 64 of A-Z a-z 0-9 . _ -");
    requireOpenSsl(EVP_PKEY_sign_init(signing.get()) == 1, "the key cannot sign");
    requireOpenSsl(EVP_PKEY_verify_init(verifying.get()) == 1, "the key cannot verify");
    if (algorithm == SigningAlgorithm::Rs256) {
        useRs256(signing.get());
        useRs256(verifying.get());
    }
    header = toBase64Url(headerOf(algorithm, id, kPlainType));
}

std::string SigningKey::Keys::sign(std::string_view signingInput) const {
    const std::string hash = sha256(signingInput);
    const PrivateKeyContext context = copyOf(signing);
    const bool isRs256 = algorithm == SigningAlgorithm::Rs256;
    std::string signature(isRs256 ? kRsaBytes : kMaxDerBytes, '\0');
    std::size_t length = signature.size();
    requireOpenSsl(
        EVP_PKEY_sign(context.get(), asBytes(signature), &length, asBytes(std::string_view(hash)), hash.size()) == 1,
        "cannot sign");
    signature.resize(length);
    return isRs256 ? signature : toRawSignature(signature);
}

bool SigningKey::Keys::verify(std::string_view signingInput, std::string_view signature) const {
    const bool isRs256 = algorithm == SigningAlgorithm::Rs256;
    if (signature.size() != (isRs256 ? kRsaBytes : kSignatureBytes)) return false;
    const std::string der = isRs256 ? std::string{signature} : toDerSignature(signature);
    const std::string hash = sha256(signingInput);
    const PrivateKeyContext context = copyOf(verifying);
    const bool isGood = EVP_PKEY_verify(context.get(), asBytes(std::string_view(der)), der.size(),
                                        asBytes(std::string_view(hash)), hash.size()) == 1;
    if (!isGood) ERR_clear_error();
    return isGood;
}

// Shown by one signature: EVP_PKEY_check() looks for the primes of an RSA key once more, for 50 ms of each start.
bool SigningKey::Keys::isConsistent() const try {
    constexpr std::string_view kProbe = "probe";
    return verify(kProbe, sign(kProbe));
} catch (const std::runtime_error&) {
    ERR_clear_error();
    return false;
}

SigningKey::SigningKey(std::unique_ptr<Keys> keys) : keys_(std::move(keys)) {}
SigningKey::~SigningKey() = default;
SigningKey::SigningKey(SigningKey&&) noexcept = default;
SigningKey& SigningKey::operator=(SigningKey&&) noexcept = default;

SigningKey SigningKey::generate(std::string keyId, SigningAlgorithm algorithm) {
    PrivateKey key(requireOpenSsl(algorithm == SigningAlgorithm::Es256 ? EVP_EC_gen("P-256") : EVP_RSA_gen(kRsaBits),
                                  "cannot make a key"));
    return SigningKey(std::make_unique<Keys>(std::move(keyId), std::move(key), algorithm));
}

SigningKey SigningKey::fromPem(std::string keyId, std::string_view pem, SigningAlgorithm algorithm) {
    const bool isEs256 = algorithm == SigningAlgorithm::Es256;
    const char* const complaint =
        isEs256 ? "not a P-256 private key in PEM" : "not an RSA private key of 2048 bits in PEM";
    if (pem.empty() || pem.size() > INT_MAX) throw std::invalid_argument(complaint);
    const Bio bio(requireOpenSsl(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), "no memory"));
    PrivateKey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, refusePassPhrase, nullptr));
    const bool isOfItsKind = key != nullptr && (isEs256 ? isP256(key.get()) : isRsa(key.get()));
    ERR_clear_error();
    if (!isOfItsKind) throw std::invalid_argument(complaint);
    auto keys = std::make_unique<Keys>(std::move(keyId), std::move(key), algorithm);
    if (!keys->isConsistent()) throw std::invalid_argument(complaint);
    return SigningKey(std::move(keys));
}

SigningAlgorithm SigningKey::algorithm() const {
    return keys_->algorithm;
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
    if (algorithm() == SigningAlgorithm::Rs256) {
        return std::string(R"({"kty":"RSA","use":"sig","alg":"RS256","kid":")")
            .append(id())
            .append(R"(","n":")")
            .append(toBase64Url(wholeNumber(keys_->key.get(), OSSL_PKEY_PARAM_RSA_N)))
            .append(R"(","e":")")
            .append(toBase64Url(wholeNumber(keys_->key.get(), OSSL_PKEY_PARAM_RSA_E)))
            .append("\"}");
    }
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
