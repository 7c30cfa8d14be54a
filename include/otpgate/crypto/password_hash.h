// Password hashes: ours are Argon2id (RFC 9106), and what users of other services bring along is verified too. Any
// thread may call; each call takes many milliseconds of a core on purpose, so request threads go through PasswordGate.
#pragma once

#include "otpgate/base/random.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace otpgate::crypto {

// What one hash costs. One lane: a server has other logins for its other cores.
struct PasswordCost {
    unsigned memoryKib = 19456;
    unsigned iterations = 2;
};

// The limits of a cost, for the setting and for hashes that were imported: a bad row must not hang a thread.
inline constexpr unsigned kMinPasswordMemoryKib = 8;
inline constexpr unsigned kMaxPasswordMemoryKib = 256 * 1024;
inline constexpr unsigned kMaxPasswordIterations = 10;
inline constexpr unsigned kMaxPbkdf2Iterations = 5'000'000;
inline constexpr unsigned kMaxBcryptCost = 15;
inline constexpr unsigned kMaxScryptBlockSize = 64;
inline constexpr unsigned kMaxScryptLanes = 16;
inline constexpr unsigned kMaxShaCryptRounds = 1'000'000;

// RightAsTyped: only the password's own bytes match, not its form C: hash it anew, so that every keyboard matches.
// Unusable: no password matches this text, because it is empty, begins with '!' (Django's "no password set"), is of an
// unknown kind, is damaged, or costs more than the limits above.
enum class PasswordMatch { Right, RightAsTyped, Wrong, Unusable };

// `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>`, 16 bytes of salt and 32 of hash: the PHC string format. The password
// is any bytes, NUL among them; what is UTF-8 is hashed in normalisation form C, because one keyboard composes what
// another does not. Throws std::invalid_argument for a cost outside of the limits
// and ServiceUnavailable where there is no memory.
std::string hashPassword(std::string_view password, const PasswordCost& cost, Random& random);

// Reads the kinds below, by the text alone. A password that is not in form C is compared in that form and as it is, for
// the sake of hashes that were made elsewhere or earlier; both always, so its time tells nothing of the hash. Throws
// ServiceUnavailable where there is no memory.
//   $argon2id$, $argon2i$               PHC strings, with Django's prefix `argon2` too
//   pbkdf2_sha256$, pbkdf2_sha1$        Django
//   pbkdf2_sha512$                      the same of SHA-512, which some sites of Django add
//   $pbkdf2-sha256$i=100000,l=32$       Kratos, of SHA-1 and SHA-512 too; of a longer hash the digest's length counts
//   $pbkdf2-sha256$29000$, $pbkdf2$     passlib
//   pbkdf2:sha256:600000$salt$hex       Werkzeug
//   scrypt$                             Django: N$salt$r$p$hash
//   $scrypt$ln=16,r=8,p=1$              passlib; Kratos, which writes N itself in ln
//   scrypt:32768:8:1$salt$hex           Werkzeug
//   $firescrypt$ln=14,r=8,p=1$          Firebase as Kratos writes it: salt, hash, the project's salt separator and key
//   $5$, $6$                            SHA-crypt. A password with a NUL, or of more than 511 bytes, is always wrong
//   $2a$, $2b$, $2y$                    bcrypt, which ends at 72 bytes; with Django's prefix `bcrypt$` too. A password
//                                       with a NUL is always wrong here: bcrypt would stop at it
//   bcrypt_sha256$                      Django: bcrypt of the SHA-256 in hex
PasswordMatch verifyPassword(std::string_view password, std::string_view storedHash);

// Whether such a hash is of a kind above, whole, and within the limits. Costs nothing.
bool isUsableHash(std::string_view storedHash);

// Why no password is to be compared with such a hash.
enum class HashFault {
    None,
    TooWeak,    // of a kind that is guessed in no time
    TooCostly,  // whole, but beyond the limits above
    Damaged,
    Unknown
};
struct HashInspection {
    HashFault fault = HashFault::Unknown;
    std::string_view kind;  // "scrypt"; empty where it is Unknown or None
};
// Costs nothing.
HashInspection inspectHash(std::string_view storedHash);

// Whether to hash anew when the password is next seen: anything but our own Argon2id string at exactly this cost.
bool needsUpgrade(std::string_view storedHash, const PasswordCost& cost);

// A stored hash at this cost that no password matches: to verify against where there is no user, so that it takes as
// long. Costs nothing to make.
std::string makeUnmatchableHash(const PasswordCost& cost, Random& random);

// While it lives, Argon2 in this thread works in memory that is kept from hash to hash (each wipes it after use): new
// pages for each cost 10 % more time, and 50 % where there are no huge pages. Without one, every hash maps and unmaps
// its own. One a thread.
class HashMemory {
public:
    // Keeps at most so much; what an imported hash wants beyond is given back at once.
    explicit HashMemory(unsigned maxKeptKib);
    ~HashMemory();
    HashMemory(const HashMemory&) = delete;
    HashMemory& operator=(const HashMemory&) = delete;

    std::size_t heldBytes() const { return bytes_; }
    void release();

private:
    friend struct HashMemoryCallbacks;
    std::size_t maxKept_;
    void* memory_ = nullptr;
    std::size_t bytes_ = 0;
};

}  // namespace otpgate::crypto
