#include "otpgate/crypto/password_hash.h"

#include "crypto/argon2_hash.h"
#include "crypto/hash_fields.h"
#include "crypto/openssl.h"
#include "crypto/stored_hash.h"
#include "crypto/wiper.h"
#include "otpgate/base/encoding.h"
#include "otpgate/base/errors.h"
#include "otpgate/base/unicode.h"
#include "otpgate/crypto/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <climits>
#include <crypt.h>
#include <memory>
#include <stdexcept>

namespace otpgate::crypto {
namespace {

constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kArgon2TagBytes = 32;
constexpr std::size_t kFirebaseKeyBytes = 32;

PasswordMatch matchOf(bool isRight) {
    return isRight ? PasswordMatch::Right : PasswordMatch::Wrong;
}

PasswordMatch verify(std::string_view password, const Argon2Hash& stored) {
    return matchOf(equalInConstantTime(computeArgon2(password, stored), stored.hash));
}

PasswordMatch verify(std::string_view password, const Pbkdf2Hash& stored) {
    std::string hash(stored.hash.size(), '\0');
    const bool succeeded =
        PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), asBytes(std::string_view{stored.salt}),
                          static_cast<int>(stored.salt.size()), static_cast<int>(stored.iterations), stored.digest,
                          static_cast<int>(hash.size()), asBytes(hash)) == 1;
    requireOpenSsl(succeeded, "PBKDF2 failed");
    return matchOf(equalInConstantTime(hash, stored.hash));
}

// AES-256 in counter mode from zero.
std::string encryptSignerKey(const std::string& key, std::string_view signerKey) {
    const OpenSslOwner<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free> cipher(
        requireOpenSsl(EVP_CIPHER_CTX_new(), "no memory for a cipher"));
    const std::array<unsigned char, 16> start{};
    std::string encrypted(signerKey.size(), '\0');
    int length = 0;
    const bool succeeded = EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_ctr(), nullptr, asBytes(std::string_view{key}),
                                              start.data()) == 1 &&
                           EVP_EncryptUpdate(cipher.get(), asBytes(encrypted), &length, asBytes(signerKey),
                                             static_cast<int>(signerKey.size())) == 1;
    requireOpenSsl(succeeded, "AES failed");
    return encrypted;
}

PasswordMatch verify(std::string_view password, const ScryptHash& stored) {
    std::string hash(stored.signerKey.empty() ? stored.hash.size() : kFirebaseKeyBytes, '\0');
    const Wiper hashWiper(hash);
    constexpr std::uint64_t kSlack = 1024 * 1024;
    const bool succeeded = EVP_PBE_scrypt(password.data(), password.size(), asBytes(std::string_view{stored.salt}),
                                          stored.salt.size(), stored.cost, stored.blockSize, stored.lanes,
                                          stored.memory() + kSlack, asBytes(hash), hash.size()) == 1;
    // All that can fail within the limits.
    if (!succeeded) throw ServiceUnavailable("no memory for a password hash");
    if (!stored.signerKey.empty()) hash = encryptSignerKey(hash, stored.signerKey);
    return matchOf(equalInConstantTime(hash, stored.hash));
}

// What libcrypt makes of it; empty where it refuses to. Its fields are wiped.
std::string computeCrypt(const std::string& phrase, const std::string& setting) {
    const auto data = std::make_unique<crypt_data>();
    const char* result = ::crypt_r(phrase.c_str(), setting.c_str(), data.get());
    std::string computed = result != nullptr && *result != '*' ? result : "";
    OPENSSL_cleanse(data.get(), sizeof(crypt_data));
    return computed;
}

PasswordMatch verifyBcrypt(std::string_view password, std::string_view text) {
    constexpr std::size_t kHashLength = 31;
    constexpr std::size_t kMaxPasswordBytes = 72;  // what bcrypt reads; crypt_r refuses 512 and more
    // It is wrong, but as slowly as any other.
    const bool hasNul = password.find('\0') != std::string_view::npos;
    std::string phrase(password.substr(0, kMaxPasswordBytes));
    const Wiper phraseWiper(phrase);
    // libcrypt's $2a$ guards against an old error of others and differs from everybody's for some passwords; $2b$ is
    // what the three mean.
    std::string setting(text);
    setting[2] = 'b';
    const std::string computed = computeCrypt(phrase, setting);
    if (computed.size() != text.size()) return PasswordMatch::Unusable;
    const bool isRight = equalInConstantTime(std::string_view(computed).substr(text.size() - kHashLength),
                                             text.substr(text.size() - kHashLength));
    return matchOf(isRight && !hasNul);
}

PasswordMatch verify(std::string_view password, const BcryptHash& stored) {
    if (!stored.isOfSha256) return verifyBcrypt(password, stored.text);
    std::string hash = sha256(password);
    const Wiper hashWiper(hash);
    std::string hex = toHex(hash);
    const Wiper hexWiper(hex);
    return verifyBcrypt(hex, stored.text);
}

PasswordMatch verify(std::string_view password, const ShaCryptHash& stored) {
    constexpr std::size_t kMaxPasswordBytes = 511;  // of crypt_r, and far beyond what anybody may choose here
    // Longer ones and those with a NUL are wrong, but as slowly as any other.
    const bool isReadWhole = password.size() <= kMaxPasswordBytes && password.find('\0') == std::string_view::npos;
    std::string phrase(password.substr(0, kMaxPasswordBytes));
    const Wiper phraseWiper(phrase);
    const std::string computed = computeCrypt(phrase, stored.text);
    if (computed.size() != stored.text.size()) return PasswordMatch::Unusable;
    return matchOf(equalInConstantTime(computed, stored.text) && isReadWhole);
}

PasswordMatch verifyBytes(std::string_view password, const StoredHash& hash) {
    return std::visit([&](const auto& kind) { return verify(password, kind); }, hash);
}

void fill(std::string& text, Random& random) {
    random.fill({asBytes(text), text.size()});
}

// With a salt, and room for the hash.
Argon2Hash makeArgon2(const PasswordCost& cost, Random& random) {
    if (cost.memoryKib < kMinPasswordMemoryKib || cost.memoryKib > kMaxPasswordMemoryKib || cost.iterations < 1 ||
        cost.iterations > kMaxPasswordIterations) {
        throw std::invalid_argument("the cost of a password hash is outside of its limits");
    }
    Argon2Hash made;
    made.cost = cost;
    made.salt.resize(kSaltBytes);
    made.hash.resize(kArgon2TagBytes);
    fill(made.salt, random);
    return made;
}

}  // namespace

std::string hashPassword(std::string_view password, const PasswordCost& cost, Random& random) {
    Argon2Hash made = makeArgon2(cost, random);
    std::string composed = toNfc(password);
    const Wiper wiper(composed);
    made.hash = computeArgon2(composed, made);
    return formatArgon2(made);
}

std::string makeUnmatchableHash(const PasswordCost& cost, Random& random) {
    Argon2Hash made = makeArgon2(cost, random);
    fill(made.hash, random);
    return formatArgon2(made);
}

PasswordMatch verifyPassword(std::string_view password, std::string_view storedHash) {
    const auto hash = parseStoredHash(storedHash);
    if (!hash || password.size() > INT_MAX) return PasswordMatch::Unusable;
    std::string composed = toNfc(password);
    const Wiper wiper(composed);
    const PasswordMatch match = verifyBytes(composed, *hash);
    if (composed == password) return match;
    const bool isRightAsTyped = verifyBytes(password, *hash) == PasswordMatch::Right;
    return match != PasswordMatch::Right && isRightAsTyped ? PasswordMatch::RightAsTyped : match;
}

bool isUsableHash(std::string_view storedHash) {
    return parseStoredHash(storedHash).has_value();
}

HashInspection inspectHash(std::string_view storedHash) {
    struct Prefix {
        std::string_view prefix;
        std::string_view kind;
        HashFault fault;  // at worst
    };
    // What is too weak is a matter of minutes for whoever gets hold of the database, wrapped in a better one or not,
    // because most of them are in lists already.
    static constexpr auto kPrefixes = std::to_array<Prefix>({
        {"pbkdf2_sha256$", "pbkdf2_sha256", HashFault::Damaged},
        {"pbkdf2_sha1$", "pbkdf2_sha1", HashFault::Damaged},
        {"pbkdf2_sha512$", "pbkdf2_sha512", HashFault::Damaged},
        {"$pbkdf2", "pbkdf2", HashFault::Damaged},
        {"pbkdf2:", "pbkdf2", HashFault::Damaged},
        {"bcrypt$", "bcrypt", HashFault::Damaged},
        {"bcrypt_sha256$", "bcrypt_sha256", HashFault::Damaged},
        {"$2a$", "bcrypt", HashFault::Damaged},
        {"$2b$", "bcrypt", HashFault::Damaged},
        {"$2y$", "bcrypt", HashFault::Damaged},
        {"argon2$", "argon2", HashFault::Damaged},
        {"$argon2id$", "argon2", HashFault::Damaged},
        {"$argon2i$", "argon2", HashFault::Damaged},
        {"scrypt$", "scrypt", HashFault::Damaged},
        {"$scrypt$", "scrypt", HashFault::Damaged},
        {"scrypt:", "scrypt", HashFault::Damaged},
        {"$firescrypt$", "firescrypt", HashFault::Damaged},
        {"$5$", "sha256-crypt", HashFault::Damaged},
        {"$6$", "sha512-crypt", HashFault::Damaged},
        {"md5$", "md5", HashFault::TooWeak},
        {"unsalted_md5$", "unsalted_md5", HashFault::TooWeak},
        {"sha1$", "sha1", HashFault::TooWeak},
        {"unsalted_sha1$", "unsalted_sha1", HashFault::TooWeak},
        {"crypt$", "crypt", HashFault::TooWeak},
        {"$1$", "md5-crypt", HashFault::TooWeak},
        {"$apr1$", "md5-crypt", HashFault::TooWeak},
        {"$md5", "md5", HashFault::TooWeak},
        {"$P$", "phpass", HashFault::TooWeak},
        {"$H$", "phpass", HashFault::TooWeak},
        {"$sha1$", "sha1", HashFault::TooWeak},
        {"$sha256$", "sha256", HashFault::TooWeak},
        {"$sha512$", "sha512", HashFault::TooWeak},
        {"$hmac-", "hmac", HashFault::TooWeak},
        {"{SSHA", "salted sha", HashFault::TooWeak},
        {"{SHA", "sha", HashFault::TooWeak},
        {"{SMD5}", "md5", HashFault::TooWeak},
        {"{MD5}", "md5", HashFault::TooWeak},
        {"{PLAIN}", "plain text", HashFault::TooWeak},
        {"{CLEARTEXT}", "plain text", HashFault::TooWeak},
    });
    const auto hash = readStoredHash(storedHash);
    if (hash && !costsTooMuch(*hash)) return {HashFault::None, {}};
    const bool isHex = storedHash.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
    if (isHex && storedHash.size() == 32) return {HashFault::TooWeak, "unsalted_md5"};
    if (isHex && storedHash.size() == 40) return {HashFault::TooWeak, "unsalted_sha1"};
    if (isHex && (storedHash.size() == 64 || storedHash.size() == 128)) return {HashFault::TooWeak, "unsalted_sha2"};
    const auto* const known =
        std::ranges::find_if(kPrefixes, [&](const Prefix& each) { return storedHash.starts_with(each.prefix); });
    if (known == kPrefixes.end()) return {HashFault::Unknown, {}};
    return {hash ? HashFault::TooCostly : known->fault, known->kind};
}

bool needsUpgrade(std::string_view storedHash, const PasswordCost& cost) {
    const auto stored = readArgon2(storedHash);
    return !stored || stored->type != Argon2_id || stored->version != ARGON2_VERSION_13 ||
           stored->cost.memoryKib != cost.memoryKib || stored->cost.iterations != cost.iterations ||
           stored->lanes != 1 || stored->salt.size() < kSaltBytes || stored->hash.size() < kArgon2TagBytes;
}

}  // namespace otpgate::crypto
