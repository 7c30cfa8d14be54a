#include "otpgate/crypto/password_hash.h"

#include "crypto/argon2_hash.h"
#include "crypto/hash_fields.h"
#include "crypto/openssl.h"
#include "crypto/wiper.h"
#include "otpgate/base/encoding.h"
#include "otpgate/base/errors.h"
#include "otpgate/base/unicode.h"
#include "otpgate/crypto/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <bit>
#include <climits>
#include <crypt.h>
#include <memory>
#include <stdexcept>
#include <variant>

namespace otpgate::crypto {
namespace {

constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kMaxStoredHashBytes = 512;
constexpr std::size_t kMinScryptHashBytes = 16;
constexpr std::size_t kMaxScryptHashBytes = 128;

PasswordMatch matchOf(bool isRight) {
    return isRight ? PasswordMatch::Right : PasswordMatch::Wrong;
}

PasswordMatch verify(std::string_view password, const Argon2Hash& stored) {
    return matchOf(equalInConstantTime(computeArgon2(password, stored), stored.hash));
}

struct Pbkdf2Hash {
    const EVP_MD* digest = nullptr;
    unsigned iterations = 0;
    std::string_view salt;
    std::string hash;
};

// `iterations$salt$hash`; the salt is the text itself.
std::optional<Pbkdf2Hash> parsePbkdf2(std::string_view text, const EVP_MD* digest) {
    const auto parts = split(text, '$');
    if (parts.size() != 3 || parts[1].empty()) return std::nullopt;
    const auto iterations = parseNumber(parts[0], 1, kMaxPbkdf2Iterations);
    auto hash = parseBase64(parts[2]);
    if (!iterations || !hash || hash->size() != static_cast<std::size_t>(EVP_MD_get_size(digest))) return std::nullopt;
    return Pbkdf2Hash{digest, *iterations, parts[1], std::move(*hash)};
}

PasswordMatch verify(std::string_view password, const Pbkdf2Hash& stored) {
    std::string hash(stored.hash.size(), '\0');
    const bool succeeded = PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), asBytes(stored.salt),
                                             static_cast<int>(stored.salt.size()), static_cast<int>(stored.iterations),
                                             stored.digest, static_cast<int>(hash.size()), asBytes(hash)) == 1;
    requireOpenSsl(succeeded, "PBKDF2 failed");
    return matchOf(equalInConstantTime(hash, stored.hash));
}

struct ScryptHash {
    std::uint64_t cost = 0;  // N of RFC 7914
    std::uint64_t blockSize = 0;
    std::uint64_t lanes = 0;
    std::string_view salt;
    std::string hash;

    std::uint64_t memory() const { return 128 * blockSize * (cost + lanes); }
};

// `N$salt$r$p$hash`; the salt is the text itself.
std::optional<ScryptHash> parseScrypt(std::string_view text) {
    constexpr unsigned kMaxMemory = kMaxPasswordMemoryKib * 1024;
    const auto parts = split(text, '$');
    if (parts.size() != 5 || parts[1].empty()) return std::nullopt;
    const auto cost = parseNumber(parts[0], 2, kMaxMemory / 128);
    const auto blockSize = parseNumber(parts[2], 1, 64);
    const auto lanes = parseNumber(parts[3], 1, kMaxScryptLanes);
    auto hash = parseBase64(parts[4]);
    if (!cost || !std::has_single_bit(*cost) || !blockSize || !lanes || !hash || hash->size() < kMinScryptHashBytes ||
        hash->size() > kMaxScryptHashBytes) {
        return std::nullopt;
    }
    ScryptHash stored{*cost, *blockSize, *lanes, parts[1], std::move(*hash)};
    if (stored.memory() > kMaxMemory) return std::nullopt;
    return stored;
}

PasswordMatch verify(std::string_view password, const ScryptHash& stored) {
    std::string hash(stored.hash.size(), '\0');
    constexpr std::uint64_t kSlack = 1024 * 1024;
    const bool succeeded =
        EVP_PBE_scrypt(password.data(), password.size(), asBytes(stored.salt), stored.salt.size(), stored.cost,
                       stored.blockSize, stored.lanes, stored.memory() + kSlack, asBytes(hash), hash.size()) == 1;
    // All that can fail within the limits.
    if (!succeeded) throw ServiceUnavailable("no memory for a password hash");
    return matchOf(equalInConstantTime(hash, stored.hash));
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

struct BcryptHash {
    std::string_view text;
    bool isOfSha256 = false;  // in hex, Django's way to read whole passwords
};

std::optional<BcryptHash> parseBcrypt(std::string_view text, bool isOfSha256 = false) {
    return isBcrypt(text) ? std::optional{BcryptHash{text, isOfSha256}} : std::nullopt;
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
    const auto data = std::make_unique<crypt_data>();
    const char* result = ::crypt_r(phrase.c_str(), setting.c_str(), data.get());
    const bool isDone = result != nullptr && *result != '*';
    const bool isRight = isDone && !hasNul &&
                         equalInConstantTime(std::string_view(result).substr(text.size() - kHashLength),
                                             text.substr(text.size() - kHashLength));
    OPENSSL_cleanse(data.get(), sizeof(crypt_data));
    return isDone ? matchOf(isRight) : PasswordMatch::Unusable;
}

PasswordMatch verify(std::string_view password, const BcryptHash& stored) {
    if (!stored.isOfSha256) return verifyBcrypt(password, stored.text);
    std::string hash = sha256(password);
    const Wiper hashWiper(hash);
    std::string hex = toHex(hash);
    const Wiper hexWiper(hex);
    return verifyBcrypt(hex, stored.text);
}

using StoredHash = std::variant<Argon2Hash, Pbkdf2Hash, ScryptHash, BcryptHash>;

template <typename Parsed>
std::optional<StoredHash> stored(Parsed parsed) {
    if (!parsed) return std::nullopt;
    return std::move(*parsed);
}

// By its prefix; nullopt for what no password matches. Points into the text.
std::optional<StoredHash> parseStored(std::string_view text) {
    if (text.size() > kMaxStoredHashBytes) return std::nullopt;
    if (text.starts_with("$argon2")) return stored(parseArgon2(text));
    if (text.starts_with("argon2$argon2")) return stored(parseArgon2(text.substr(6)));
    if (text.starts_with("$2")) return stored(parseBcrypt(text));
    if (skip(text, "pbkdf2_sha256$")) return stored(parsePbkdf2(text, EVP_sha256()));
    if (skip(text, "pbkdf2_sha1$")) return stored(parsePbkdf2(text, EVP_sha1()));
    if (skip(text, "scrypt$")) return stored(parseScrypt(text));
    if (skip(text, "bcrypt_sha256$")) return stored(parseBcrypt(text, true));
    if (skip(text, "bcrypt$")) return stored(parseBcrypt(text));
    return std::nullopt;
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
    made.hash.resize(kHashBytes);
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
    const auto hash = parseStored(storedHash);
    if (!hash || password.size() > INT_MAX) return PasswordMatch::Unusable;
    std::string composed = toNfc(password);
    const Wiper wiper(composed);
    const PasswordMatch match = verifyBytes(composed, *hash);
    if (composed == password) return match;
    const bool isRightAsTyped = verifyBytes(password, *hash) == PasswordMatch::Right;
    return match != PasswordMatch::Right && isRightAsTyped ? PasswordMatch::RightAsTyped : match;
}

bool isUsableHash(std::string_view storedHash) {
    return parseStored(storedHash).has_value();
}

bool needsUpgrade(std::string_view storedHash, const PasswordCost& cost) {
    const auto stored = parseArgon2(storedHash);
    return !stored || stored->type != Argon2_id || stored->version != ARGON2_VERSION_13 ||
           stored->cost.memoryKib != cost.memoryKib || stored->cost.iterations != cost.iterations ||
           stored->lanes != 1 || stored->salt.size() < kSaltBytes || stored->hash.size() < kHashBytes;
}

}  // namespace otpgate::crypto
