#include "otpgate/crypto/password_hash.h"

#include "crypto/argon2_hash.h"
#include "crypto/hash_fields.h"
#include "crypto/openssl.h"
#include "otpgate/base/encoding.h"
#include "otpgate/crypto/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <climits>
#include <crypt.h>
#include <memory>
#include <stdexcept>

namespace otpgate::crypto {
namespace {

constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kMaxStoredHashBytes = 512;

// Overwrites the text when the scope is left, by an exception too.
class Wiper {
public:
    explicit Wiper(std::string& text) : text_(text) {}
    ~Wiper() { OPENSSL_cleanse(text_.data(), text_.size()); }
    Wiper(const Wiper&) = delete;
    Wiper& operator=(const Wiper&) = delete;

private:
    std::string& text_;
};

PasswordMatch matchOf(bool isRight) {
    return isRight ? PasswordMatch::Right : PasswordMatch::Wrong;
}

PasswordMatch verifyArgon2(std::string_view password, std::string_view text) {
    const auto stored = parseArgon2(text);
    if (!stored) return PasswordMatch::Unusable;
    return matchOf(equalInConstantTime(computeArgon2(password, *stored), stored->hash));
}

// `iterations$salt$hash`; the salt is the text itself.
PasswordMatch verifyPbkdf2(std::string_view password, std::string_view text, const EVP_MD* digest) {
    const auto parts = split(text, '$');
    if (parts.size() != 3 || parts[1].empty()) return PasswordMatch::Unusable;
    const auto iterations = parseNumber(parts[0], 1, kMaxPbkdf2Iterations);
    const auto stored = parseBase64(parts[2]);
    if (!iterations || !stored || stored->size() != static_cast<std::size_t>(EVP_MD_get_size(digest))) {
        return PasswordMatch::Unusable;
    }
    std::string hash(stored->size(), '\0');
    const bool succeeded = PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), asBytes(parts[1]),
                                             static_cast<int>(parts[1].size()), static_cast<int>(*iterations), digest,
                                             static_cast<int>(hash.size()), asBytes(hash)) == 1;
    requireOpenSsl(succeeded, "PBKDF2 failed");
    return matchOf(equalInConstantTime(hash, *stored));
}

// `$2b$12$`, 22 characters of salt, 31 of hash.
bool isBcrypt(std::string_view text) {
    constexpr std::size_t kLength = 60;
    constexpr std::string_view kDigits = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    return text.size() == kLength &&
           (text.starts_with("$2a$") || text.starts_with("$2b$") || text.starts_with("$2y$")) &&
           parseNumber(text.substr(4, 2), 4, kMaxBcryptCost) && text[6] == '$' &&
           text.substr(7).find_first_not_of(kDigits) == std::string_view::npos;
}

PasswordMatch verifyBcrypt(std::string_view password, std::string_view text) {
    constexpr std::size_t kHashLength = 31;
    constexpr std::size_t kMaxPasswordBytes = 72;  // what bcrypt reads; crypt_r refuses 512 and more
    if (!isBcrypt(text)) return PasswordMatch::Unusable;
    // It is wrong, but as slowly as any other.
    const bool hasNul = password.find('\0') != std::string_view::npos;
    std::string phrase(password.substr(0, kMaxPasswordBytes));
    const Wiper phraseWiper(phrase);
    // libcrypt's $2a$ guards against an old error of others and differs from everybody's for some passwords; $2b$ is
    // what the three mean.
    std::string setting(text);
    setting[2] = 'b';
    const auto data = std::make_unique<crypt_data>();
    const char* result = ::crypt_r(phrase.c_str(), setting.c_str(), data.get());
    const bool isDone = result != nullptr && *result != '*';
    const bool isRight = isDone && !hasNul &&
                         equalInConstantTime(std::string_view(result).substr(text.size() - kHashLength),
                                             text.substr(text.size() - kHashLength));
    OPENSSL_cleanse(data.get(), sizeof(crypt_data));
    return isDone ? matchOf(isRight) : PasswordMatch::Unusable;
}

PasswordMatch verifyBcryptSha256(std::string_view password, std::string_view text) {
    std::string hash = sha256(password);
    const Wiper hashWiper(hash);
    std::string hex = toHex(hash);
    const Wiper hexWiper(hex);
    return verifyBcrypt(hex, text);
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
    made.hash.resize(kHashBytes);
    fill(made.salt, random);
    return made;
}

}  // namespace

std::string hashPassword(std::string_view password, const PasswordCost& cost, Random& random) {
    Argon2Hash made = makeArgon2(cost, random);
    made.hash = computeArgon2(password, made);
    return formatArgon2(made);
}

std::string makeUnmatchableHash(const PasswordCost& cost, Random& random) {
    Argon2Hash made = makeArgon2(cost, random);
    fill(made.hash, random);
    return formatArgon2(made);
}

PasswordMatch verifyPassword(std::string_view password, std::string_view storedHash) {
    if (storedHash.size() > kMaxStoredHashBytes || password.size() > INT_MAX) return PasswordMatch::Unusable;
    if (storedHash.starts_with("$argon2")) return verifyArgon2(password, storedHash);
    if (storedHash.starts_with("$2")) return verifyBcrypt(password, storedHash);
    if (skip(storedHash, "pbkdf2_sha256$")) return verifyPbkdf2(password, storedHash, EVP_sha256());
    if (skip(storedHash, "pbkdf2_sha1$")) return verifyPbkdf2(password, storedHash, EVP_sha1());
    if (storedHash.starts_with("argon2$argon2")) return verifyArgon2(password, storedHash.substr(6));
    if (skip(storedHash, "bcrypt_sha256$")) return verifyBcryptSha256(password, storedHash);
    if (skip(storedHash, "bcrypt$")) return verifyBcrypt(password, storedHash);
    return PasswordMatch::Unusable;
}

bool needsUpgrade(std::string_view storedHash, const PasswordCost& cost) {
    const auto stored = parseArgon2(storedHash);
    return !stored || stored->type != Argon2_id || stored->version != ARGON2_VERSION_13 ||
           stored->cost.memoryKib != cost.memoryKib || stored->cost.iterations != cost.iterations ||
           stored->lanes != 1 || stored->salt.size() < kSaltBytes || stored->hash.size() < kHashBytes;
}

}  // namespace otpgate::crypto
