#include "crypto/stored_hash.h"

#include "crypto/hash_fields.h"
#include "otpgate/base/encoding.h"
#include "otpgate/crypto/password_hash.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <utility>
#include <vector>

namespace otpgate::crypto {
namespace {

constexpr std::size_t kMaxStoredHashBytes = 512;
constexpr std::size_t kMinHashBytes = 16;
constexpr std::size_t kMaxScryptHashBytes = 128;
constexpr std::string_view kCryptDigits = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

bool isOfCryptDigits(std::string_view text) {
    return text.find_first_not_of(kCryptDigits) == std::string_view::npos;
}

struct Pbkdf2Kind {
    std::string_view kind;
    std::string_view digest;  // as the others call it
    const EVP_MD* (*get)();
};
constexpr std::array<Pbkdf2Kind, 3> kPbkdf2Kinds{{{"pbkdf2_sha256", "sha256", EVP_sha256},
                                                  {"pbkdf2_sha1", "sha1", EVP_sha1},
                                                  {"pbkdf2_sha512", "sha512", EVP_sha512}}};

const Pbkdf2Kind* findDigest(std::string_view name) {
    const auto* const found = std::ranges::find(kPbkdf2Kinds, name, &Pbkdf2Kind::digest);
    return found == kPbkdf2Kinds.end() ? nullptr : found;
}

// base64 with . in the place of +, as passlib writes it; the usual one as well.
std::optional<std::string> parseAnyBase64(std::string_view text) {
    std::string usual(text);
    std::ranges::replace(usual, '.', '+');
    return parseBase64(usual);
}

std::optional<StoredHash> makePbkdf2(const Pbkdf2Kind& kind, std::string_view iterations,
                                     std::optional<std::string> salt, std::optional<std::string> hash) {
    const EVP_MD* const digest = kind.get();
    const auto count = parseCost(iterations, 1);
    if (!count || !salt || salt->empty() || !hash || hash->size() < kMinHashBytes) return std::nullopt;
    hash->resize(std::min(hash->size(), static_cast<std::size_t>(EVP_MD_get_size(digest))));
    return Pbkdf2Hash{digest, kind.kind, *count, std::move(*salt), std::move(*hash)};
}

// Django: `iterations$salt$hash`; the salt is the text itself.
std::optional<StoredHash> readDjangosPbkdf2(std::string_view text, const Pbkdf2Kind& kind) {
    const auto parts = split(text, '$');
    if (parts.size() != 3) return std::nullopt;
    auto hash = parseBase64(parts[2]);
    if (!hash || hash->size() != static_cast<std::size_t>(EVP_MD_get_size(kind.get()))) return std::nullopt;
    return makePbkdf2(kind, parts[0], std::string{parts[1]}, std::move(hash));
}

// After `$pbkdf2-`: Kratos has `sha256$i=100000,l=32$salt$hash`, passlib `sha256$29000$salt$hash` and `29000$...` for
// SHA-1; salt and hash are base64.
std::optional<StoredHash> readPhcPbkdf2(std::string_view text) {
    auto parts = split(text, '$');
    if (parts.size() == 3) parts.insert(parts.begin(), "sha1");
    if (parts.size() != 4) return std::nullopt;
    const Pbkdf2Kind* const kind = findDigest(parts[0]);
    if (kind == nullptr) return std::nullopt;
    std::string_view iterations = parts[1];
    if (skip(iterations, "i=")) {
        std::string_view length = iterations;
        iterations = iterations.substr(0, iterations.find(','));
        length.remove_prefix(iterations.size());
        if (!length.empty() && (!skip(length, ",l=") || !parseCost(length, 1))) return std::nullopt;
    }
    return makePbkdf2(*kind, iterations, parseAnyBase64(parts[2]), parseAnyBase64(parts[3]));
}

// After `pbkdf2:`: Werkzeug's `sha256:600000$salt$hash`; the salt is the text itself, the hash in hex.
std::optional<StoredHash> readWerkzeugsPbkdf2(std::string_view text) {
    const auto parts = split(text, '$');
    if (parts.size() != 3) return std::nullopt;
    const auto method = split(parts[0], ':');
    if (method.size() != 2) return std::nullopt;
    const Pbkdf2Kind* const kind = findDigest(method[0]);
    if (kind == nullptr) return std::nullopt;
    return makePbkdf2(*kind, method[1], std::string{parts[1]}, parseHex(parts[2]));
}

struct ScryptCost {
    std::string_view cost;
    std::string_view blockSize;
    std::string_view lanes;
};

std::optional<ScryptHash> makeScrypt(const ScryptCost& written, std::optional<std::string> salt,
                                     std::optional<std::string> hash) {
    const auto cost = parseCost(written.cost, 2);
    const auto blockSize = parseCost(written.blockSize, 1);
    const auto lanes = parseCost(written.lanes, 1);
    if (!cost || !blockSize || !lanes || !salt || salt->empty() || !hash || hash->size() < kMinHashBytes ||
        hash->size() > kMaxScryptHashBytes) {
        return std::nullopt;
    }
    ScryptHash made{*cost, *blockSize, *lanes, std::move(*salt), std::move(*hash), {}};
    // What was too long to be read is too long for any limit as well.
    const bool isSaturated = *cost == std::numeric_limits<unsigned>::max();
    if (!std::has_single_bit(*cost) && !isSaturated) return std::nullopt;
    return made;
}

std::optional<StoredHash> stored(std::optional<ScryptHash> hash) {
    if (!hash) return std::nullopt;
    return std::move(*hash);
}

// Django: `N$salt$r$p$hash`; the salt is the text itself.
std::optional<StoredHash> readDjangosScrypt(std::string_view text) {
    const auto parts = split(text, '$');
    if (parts.size() != 5) return std::nullopt;
    return stored(makeScrypt({parts[0], parts[2], parts[3]}, std::string{parts[1]}, parseBase64(parts[4])));
}

// After `scrypt:`: Werkzeug's `32768:8:1$salt$hash`; the salt is the text itself, the hash in hex.
std::optional<StoredHash> readWerkzeugsScrypt(std::string_view text) {
    const auto parts = split(text, '$');
    if (parts.size() != 3) return std::nullopt;
    const auto cost = split(parts[0], ':');
    if (cost.size() != 3) return std::nullopt;
    return stored(makeScrypt({cost[0], cost[1], cost[2]}, std::string{parts[1]}, parseHex(parts[2])));
}

// `ln=16,r=8,p=1`, where ln is the logarithm of N as passlib and Firebase have it, or N itself as Kratos does: no N is
// as small as a logarithm.
std::optional<ScryptHash> readPhcScrypt(std::string_view cost, std::string_view salt, std::string_view hash) {
    constexpr unsigned kMostBits = 31;
    auto numbers = split(cost, ',');
    if (numbers.size() != 3 || !skip(numbers[0], "ln=") || !skip(numbers[1], "r=") || !skip(numbers[2], "p=")) {
        return std::nullopt;
    }
    const auto bits = parseNumber(numbers[0], 1, kMostBits);
    const std::string count = bits ? std::to_string(std::uint64_t{1} << *bits) : std::string{numbers[0]};
    return makeScrypt({count, numbers[1], numbers[2]}, parseBase64(salt), parseBase64(hash));
}

std::optional<StoredHash> readPhcScrypt(std::string_view text) {
    const auto parts = split(text, '$');
    if (parts.size() != 3) return std::nullopt;
    return stored(readPhcScrypt(parts[0], parts[1], parts[2]));
}

// After `$firescrypt$`: `ln=14,r=8,p=1$salt$hash$separator$key`, the last two being the project's, as Kratos has it.
std::optional<StoredHash> readFirebaseScrypt(std::string_view text) {
    const auto parts = split(text, '$');
    if (parts.size() != 5) return std::nullopt;
    auto read = readPhcScrypt(parts[0], parts[1], parts[2]);
    const auto separator = parseBase64(parts[3]);
    auto key = parseBase64(parts[4]);
    if (!read || !separator || !key || key->size() != read->hash.size()) return std::nullopt;
    read->salt += *separator;
    read->signerKey = std::move(*key);
    return stored(std::move(read));
}

// `$2b$12$`, 22 characters of salt, 31 of hash.
std::optional<StoredHash> readBcrypt(std::string_view text, bool isOfSha256 = false) {
    constexpr std::size_t kLength = 60;
    constexpr unsigned kMostCost = 31;
    const bool isOne = text.size() == kLength &&
                       (text.starts_with("$2a$") || text.starts_with("$2b$") || text.starts_with("$2y$")) &&
                       text[6] == '$' && isOfCryptDigits(text.substr(7));
    const auto cost = isOne ? parseNumber(text.substr(4, 2), 4, kMostCost) : std::nullopt;
    if (!cost) return std::nullopt;
    return BcryptHash{text, *cost, isOfSha256};
}

// After `$6$`: `rounds=5000$`, which may be left out, and `salt$hash`.
std::optional<StoredHash> readShaCrypt(std::string_view text, std::string_view kind, std::string_view prefix,
                                       std::size_t hashLength) {
    constexpr unsigned kStandardRounds = 5000;
    constexpr unsigned kFewestRounds = 1000;
    constexpr std::size_t kMaxSaltLength = 16;
    auto parts = split(text, '$');
    std::string setting(prefix);
    unsigned rounds = kStandardRounds;
    if (parts.size() == 3 && skip(parts[0], "rounds=")) {
        const auto count = parseCost(parts[0], kFewestRounds);
        if (!count || parts[0].front() == '0') return std::nullopt;
        rounds = *count;
        setting += "rounds=" + std::to_string(rounds) + "$";
        parts.erase(parts.begin());
    }
    if (parts.size() != 2 || parts[0].size() > kMaxSaltLength || parts[1].size() != hashLength ||
        !isOfCryptDigits(parts[0]) || !isOfCryptDigits(parts[1])) {
        return std::nullopt;
    }
    setting.append(parts[0]).append("$").append(parts[1]);
    return ShaCryptHash{kind, std::move(setting), rounds};
}

std::optional<StoredHash> readArgon2Text(std::string_view text) {
    auto read = readArgon2(text);
    if (!read) return std::nullopt;
    return std::move(*read);
}

bool exceeds(const Argon2Hash& hash) {
    return exceedsLimits(hash);
}
bool exceeds(const Pbkdf2Hash& hash) {
    return hash.iterations > kMaxPbkdf2Iterations;
}
bool exceeds(const ScryptHash& hash) {
    constexpr std::uint64_t kMaxMemory = std::uint64_t{kMaxPasswordMemoryKib} * 1024;
    // One by one before they are multiplied.
    return hash.cost > kMaxMemory / 128 || hash.blockSize > kMaxScryptBlockSize || hash.lanes > kMaxScryptLanes ||
           hash.memory() > kMaxMemory;
}
bool exceeds(const BcryptHash& hash) {
    return hash.cost > kMaxBcryptCost;
}
bool exceeds(const ShaCryptHash& hash) {
    return hash.rounds > kMaxShaCryptRounds;
}

}  // namespace

std::optional<StoredHash> readStoredHash(std::string_view text) {
    constexpr std::size_t kSha256CryptLength = 43;
    constexpr std::size_t kSha512CryptLength = 86;
    if (text.size() > kMaxStoredHashBytes) return std::nullopt;
    if (text.starts_with("$argon2")) return readArgon2Text(text);
    if (text.starts_with("argon2$argon2")) return readArgon2Text(text.substr(6));
    if (text.starts_with("$2")) return readBcrypt(text);
    for (const Pbkdf2Kind& kind : kPbkdf2Kinds) {
        std::string_view rest = text;
        if (skip(rest, kind.kind) && skip(rest, "$")) return readDjangosPbkdf2(rest, kind);
    }
    if (skip(text, "$pbkdf2-") || skip(text, "$pbkdf2$")) return readPhcPbkdf2(text);
    if (skip(text, "pbkdf2:")) return readWerkzeugsPbkdf2(text);
    if (skip(text, "scrypt$")) return readDjangosScrypt(text);
    if (skip(text, "$scrypt$")) return readPhcScrypt(text);
    if (skip(text, "scrypt:")) return readWerkzeugsScrypt(text);
    if (skip(text, "$firescrypt$")) return readFirebaseScrypt(text);
    if (skip(text, "bcrypt_sha256$")) return readBcrypt(text, true);
    if (skip(text, "bcrypt$")) return readBcrypt(text);
    if (skip(text, "$5$")) return readShaCrypt(text, "sha256crypt", "$5$", kSha256CryptLength);
    if (skip(text, "$6$")) return readShaCrypt(text, "sha512crypt", "$6$", kSha512CryptLength);
    return std::nullopt;
}

bool costsTooMuch(const StoredHash& hash) {
    return std::visit([](const auto& kind) { return exceeds(kind); }, hash);
}

std::optional<StoredHash> parseStoredHash(std::string_view text) {
    auto hash = readStoredHash(text);
    if (!hash || costsTooMuch(*hash)) return std::nullopt;
    return hash;
}

}  // namespace otpgate::crypto
