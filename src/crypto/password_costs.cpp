#include "otpgate/crypto/password_costs.h"

#include "crypto/hash_fields.h"
#include "crypto/stored_hash.h"

#include <algorithm>
#include <array>
#include <variant>

namespace otpgate::crypto {
namespace {

constexpr std::string_view kBcrypt = "bcrypt";
constexpr std::string_view kDecoySalt = "decoydecoydecoydecoydecoydecoydecoy";

std::string named(std::string_view kind, unsigned amount) {
    return std::string{kind} + "$" + std::to_string(amount);
}

// Kinds whose time is that of their rounds, and what a hash of one looks like.
struct Rounds {
    std::string_view kind;
    unsigned most;
    unsigned fewest;
    std::string (*decoy)(std::string_view kind, unsigned rounds);
};

std::string pbkdf2Decoy(std::string_view kind, unsigned rounds) {
    std::size_t hashBytes = 32;
    if (kind == "pbkdf2_sha1") hashBytes = 20;
    if (kind == "pbkdf2_sha512") hashBytes = 64;
    return named(kind, rounds) + "$" + std::string{kDecoySalt.substr(0, 22)} + "$" +
           toBase64(std::string(hashBytes, '\0'));
}

std::string shaCryptDecoy(std::string_view kind, unsigned rounds) {
    const bool is512 = kind == "sha512crypt";
    return std::string{is512 ? "$6$" : "$5$"} + "rounds=" + std::to_string(rounds) + "$" +
           std::string{kDecoySalt.substr(0, 16)} + "$" + std::string(is512 ? 86 : 43, '.');
}

constexpr std::array<Rounds, 5> kRounds{{{"pbkdf2_sha256", kMaxPbkdf2Iterations, 1, pbkdf2Decoy},
                                         {"pbkdf2_sha1", kMaxPbkdf2Iterations, 1, pbkdf2Decoy},
                                         {"pbkdf2_sha512", kMaxPbkdf2Iterations, 1, pbkdf2Decoy},
                                         {"sha256crypt", kMaxShaCryptRounds, 1000, shaCryptDecoy},
                                         {"sha512crypt", kMaxShaCryptRounds, 1000, shaCryptDecoy}}};

std::optional<unsigned> amountOf(std::string_view cost, std::string_view kind, unsigned most) {
    if (!skip(cost, kind) || !skip(cost, "$")) return std::nullopt;
    return parseNumber(cost, 1, most);
}

std::string nameOf(const Argon2Hash& hash) {
    return std::string{hash.type == Argon2_id ? "argon2id$" : "argon2i$"} + std::to_string(hash.cost.memoryKib) + "," +
           std::to_string(hash.cost.iterations) + "," + std::to_string(hash.lanes);
}

std::string nameOf(const Pbkdf2Hash& hash) {
    return named(hash.kind, hash.iterations);
}
// "scrypt$16384,8,5": N, r and p.
std::string nameOf(const ScryptHash& hash) {
    return "scrypt$" + std::to_string(hash.cost) + "," + std::to_string(hash.blockSize) + "," +
           std::to_string(hash.lanes);
}
std::string nameOf(const BcryptHash& hash) {
    return named(kBcrypt, hash.cost);
}
std::string nameOf(const ShaCryptHash& hash) {
    return named(hash.kind, hash.rounds);
}

std::optional<std::string> argon2Decoy(std::string_view cost) {
    std::string decoy = "$argon2id";
    if (skip(cost, "argon2i$"))
        decoy = "$argon2i";
    else if (!skip(cost, "argon2id$"))
        return std::nullopt;
    const auto numbers = split(cost, ',');
    if (numbers.size() != 3) return std::nullopt;
    const auto memory = parseNumber(numbers[0], kMinPasswordMemoryKib, kMaxPasswordMemoryKib);
    const auto iterations = parseNumber(numbers[1], 1, kMaxPasswordIterations);
    const auto lanes = parseNumber(numbers[2], 1, 255);
    if (!memory || !iterations || !lanes) return std::nullopt;
    decoy += "$v=19$m=" + std::to_string(*memory) + ",t=" + std::to_string(*iterations) +
             ",p=" + std::to_string(*lanes) + "$" + toBase64(kDecoySalt.substr(0, 16)) + "$" +
             toBase64(std::string(32, '\0'));
    return decoy;
}

std::optional<std::string> scryptDecoy(std::string_view cost) {
    if (!skip(cost, "scrypt$")) return std::nullopt;
    const auto numbers = split(cost, ',');
    if (numbers.size() != 3) return std::nullopt;
    std::string decoy = "scrypt$" + std::string{numbers[0]} + "$" + std::string{kDecoySalt.substr(0, 16)} + "$" +
                        std::string{numbers[1]} + "$" + std::string{numbers[2]} + "$" + toBase64(std::string(64, '\0'));
    return isUsableHash(decoy) ? std::optional{std::move(decoy)} : std::nullopt;
}

std::string bcryptDecoy(unsigned cost) {
    return std::string{"$2b$"} + (cost < 10 ? "0" : "") + std::to_string(cost) + "$" + std::string(53, '.');
}

// The most of this kind among the costs; 0: none.
unsigned mostOf(const std::set<std::string>& costs, std::string_view kind, unsigned limit) {
    unsigned most = 0;
    for (const std::string& cost : costs) most = std::max(most, amountOf(cost, kind, limit).value_or(0));
    return most;
}

}  // namespace

std::optional<std::string> costOf(std::string_view storedHash) {
    const auto hash = parseStoredHash(storedHash);
    if (!hash) return std::nullopt;
    return std::visit([](const auto& kind) { return nameOf(kind); }, *hash);
}

std::string costOf(const PasswordCost& cost) {
    Argon2Hash own;
    own.cost = cost;
    return nameOf(own);
}

std::vector<std::string> decoysAfter(const std::optional<std::string>& done, const std::set<std::string>& costs) {
    std::vector<std::string> decoys;
    const std::string before = done.value_or("");
    for (const Rounds& rounds : kRounds) {
        const unsigned most = mostOf(costs, rounds.kind, rounds.most);
        const unsigned already = amountOf(before, rounds.kind, rounds.most).value_or(0);
        // The fewest of SHA-crypt take half a millisecond: nothing beside a hash of ours.
        if (already < most) decoys.push_back(rounds.decoy(rounds.kind, std::max(most - already, rounds.fewest)));
    }
    // Each costs twice the one before: 2^c and those from c up to below the most make 2^most.
    if (const unsigned most = mostOf(costs, kBcrypt, kMaxBcryptCost); most > 0) {
        const unsigned already = amountOf(before, kBcrypt, kMaxBcryptCost).value_or(0);
        if (already == 0) decoys.push_back(bcryptDecoy(most));
        for (unsigned cost = already; already > 0 && cost < most; ++cost) decoys.push_back(bcryptDecoy(cost));
    }
    for (const std::string& cost : costs) {
        if (cost == before) continue;
        if (auto decoy = argon2Decoy(cost)) decoys.push_back(std::move(*decoy));
        if (auto decoy = scryptDecoy(cost)) decoys.push_back(std::move(*decoy));
    }
    return decoys;
}

}  // namespace otpgate::crypto
