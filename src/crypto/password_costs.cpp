#include "otpgate/crypto/password_costs.h"

#include "crypto/argon2_hash.h"
#include "crypto/hash_fields.h"

#include <algorithm>
#include <array>

namespace otpgate::crypto {
namespace {

constexpr std::string_view kBcrypt = "bcrypt";
constexpr std::string_view kDecoySalt = "decoydecoydecoydecoydecoydecoydecoy";

// A hash whose time is that of its rounds.
struct Rounds {
    std::string_view kind;
    unsigned most;
    std::size_t hashBytes;  // of PBKDF2
};
constexpr std::array<Rounds, 2> kPbkdf2{
    {{"pbkdf2_sha256", kMaxPbkdf2Iterations, 32}, {"pbkdf2_sha1", kMaxPbkdf2Iterations, 20}}};

std::string named(std::string_view kind, unsigned amount) {
    return std::string{kind} + "$" + std::to_string(amount);
}

std::optional<unsigned> amountOf(std::string_view cost, std::string_view kind, unsigned most) {
    if (!skip(cost, kind) || !skip(cost, "$")) return std::nullopt;
    return parseNumber(cost, 1, most);
}

std::string argon2Name(const Argon2Hash& hash) {
    return std::string{hash.type == Argon2_id ? "argon2id$" : "argon2i$"} + std::to_string(hash.cost.memoryKib) + "," +
           std::to_string(hash.cost.iterations) + "," + std::to_string(hash.lanes);
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

// "scrypt$16384,8,5": N, r and p of RFC 7914, of `N$salt$r$p$hash`.
std::optional<std::string> scryptName(std::string_view fields) {
    const auto parts = split(fields, '$');
    if (parts.size() != 5) return std::nullopt;
    return "scrypt$" + std::string{parts[0]} + "," + std::string{parts[2]} + "," + std::string{parts[3]};
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
    for (const Rounds& rounds : kPbkdf2) {
        std::string_view rest = storedHash;
        if (!skip(rest, rounds.kind) || !skip(rest, "$")) continue;
        const auto iterations = parseNumber(rest.substr(0, rest.find('$')), 1, rounds.most);
        return iterations ? std::optional{named(rounds.kind, *iterations)} : std::nullopt;
    }
    if (std::string_view rest = storedHash; skip(rest, "scrypt$")) {
        return isUsableHash(storedHash) ? scryptName(rest) : std::nullopt;
    }
    if (storedHash.starts_with("argon2$argon2")) storedHash.remove_prefix(6);
    if (const auto argon2 = parseArgon2(storedHash)) return argon2Name(*argon2);
    if (!skip(storedHash, "bcrypt_sha256$")) skip(storedHash, "bcrypt$");
    // "$2b$12$"
    if (!storedHash.starts_with("$2") || storedHash.size() < 7) return std::nullopt;
    const auto cost = parseNumber(storedHash.substr(4, 2), 4, kMaxBcryptCost);
    return cost ? std::optional{named(kBcrypt, *cost)} : std::nullopt;
}

std::string costOf(const PasswordCost& cost) {
    Argon2Hash own;
    own.cost = cost;
    return argon2Name(own);
}

std::vector<std::string> decoysAfter(const std::optional<std::string>& done, const std::set<std::string>& costs) {
    std::vector<std::string> decoys;
    const std::string before = done.value_or("");
    for (const Rounds& rounds : kPbkdf2) {
        const unsigned most = mostOf(costs, rounds.kind, rounds.most);
        const unsigned already = amountOf(before, rounds.kind, rounds.most).value_or(0);
        if (already >= most) continue;
        decoys.push_back(named(rounds.kind, most - already) + "$" + std::string{kDecoySalt.substr(0, 22)} + "$" +
                         toBase64(std::string(rounds.hashBytes, '\0')));
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
