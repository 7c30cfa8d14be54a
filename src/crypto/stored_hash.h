// What the text of a password hash says: ours, and those that other services made. Reading costs nothing; computing one
// is in password_hash.cpp. Thread-safe.
#pragma once

#include "crypto/argon2_hash.h"

#include <openssl/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace otpgate::crypto {

struct Pbkdf2Hash {
    const EVP_MD* digest = nullptr;
    std::string_view kind;  // "pbkdf2_sha256"
    unsigned iterations = 0;
    std::string salt;
    // At most as long as the digest: where it was longer it began with the same bytes, and those of one block cost the
    // same for everybody.
    std::string hash;
};

struct ScryptHash {
    std::uint64_t cost = 0;  // N of RFC 7914
    std::uint64_t blockSize = 0;
    std::uint64_t lanes = 0;
    std::string salt;
    std::string hash;
    std::string signerKey;  // Firebase's, which its key encrypts to the hash; empty for everybody else's

    std::uint64_t memory() const { return 128 * blockSize * (cost + lanes); }
};

struct BcryptHash {
    std::string_view text;    // "$2b$12$...", of 60 characters; `a` and `y` too
    unsigned cost = 0;        // 2^cost rounds
    bool isOfSha256 = false;  // in hex, Django's way to read whole passwords
};

// SHA-crypt (Ulrich Drepper's), which Linux keeps in /etc/shadow.
struct ShaCryptHash {
    std::string_view kind;  // "sha512crypt"
    std::string text;       // "$6$rounds=5000$salt$..."
    unsigned rounds = 0;
};

using StoredHash = std::variant<Argon2Hash, Pbkdf2Hash, ScryptHash, BcryptHash, ShaCryptHash>;

// Whole, whatever it costs; nullopt for what no password matches. Points into the text.
std::optional<StoredHash> readStoredHash(std::string_view text);
// By the limits of password_hash.h.
bool costsTooMuch(const StoredHash& hash);
// Whole, and within the limits.
std::optional<StoredHash> parseStoredHash(std::string_view text);

}  // namespace otpgate::crypto
