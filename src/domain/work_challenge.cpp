#include "otpgate/domain/work_challenge.h"

#include "otpgate/base/encoding.h"
#include "otpgate/base/numeric_date.h"
#include "otpgate/base/text.h"
#include "otpgate/crypto/hash.h"
#include "otpgate/domain/limits.h"

#include <array>
#include <span>

namespace otpgate::domain {

namespace {

constexpr std::size_t kSaltBytes = 12;
constexpr std::string_view kExpires = "?expires=";
// It ends what the hash is of but the number, so that no digit of a time can be taken for one of the number.
constexpr char kSaltEnd = '&';

std::string_view textOf(std::span<const std::uint8_t> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string hashOf(std::string_view salt, std::uint64_t number) {
    return toHex(crypto::sha256(std::string{salt} + std::to_string(number)));
}

// What is signed names the challenge, which is a hash of all the rest.
std::string signature(std::string_view key, std::string_view challenge, std::string_view subject) {
    return toHex(crypto::hmacSha256(key, std::string{challenge} + '.' + std::string{subject}));
}

// Of a salt as makeWorkChallenge() writes it.
std::optional<Timestamp> expiryOf(std::string_view salt) {
    constexpr std::size_t kBegin = 2 * kSaltBytes;
    if (salt.size() <= kBegin + kExpires.size() || salt.substr(kBegin, kExpires.size()) != kExpires)
        return std::nullopt;
    if (salt.back() != kSaltEnd) return std::nullopt;
    salt.remove_suffix(1);
    const auto seconds = parseNumber<std::uint32_t>(salt.substr(kBegin + kExpires.size()));
    if (!seconds) return std::nullopt;
    return Timestamp{std::chrono::seconds{*seconds}};
}

}  // namespace

std::string WorkChallenge::toJson() const {
    return R"({"algorithm":"SHA-256","challenge":")" + challenge + R"(","maxnumber":)" + std::to_string(steps) +
           R"(,"salt":")" + salt + R"(","signature":")" + signature + R"("})";
}

WorkChallenge makeWorkChallenge(const crypto::KeyRing& ring, std::string_view subject, unsigned steps, Timestamp now,
                                Random& random) {
    std::array<std::uint8_t, kSaltBytes> salt{};
    std::array<std::uint8_t, sizeof(std::uint64_t)> drawn{};
    random.fill(salt);
    random.fill(drawn);
    WorkChallenge made;
    made.salt = toHex(textOf(salt)) + std::string{kExpires} + std::to_string(numericDate(now + kWorkFor)) + kSaltEnd;
    // The remainder prefers no number so much that it could be noticed: 64 bits are far more than there are steps.
    made.challenge = hashOf(made.salt, fromBigEndian(textOf(drawn)) % (std::uint64_t{steps} + 1));
    made.signature = signature(ring.keys(crypto::KeyUse::WorkChallenge).front(), made.challenge, subject);
    made.steps = steps;
    return made;
}

std::optional<std::string> solvedWork(const crypto::KeyRing& ring, std::string_view subject,
                                      const WorkSolution& solution, Timestamp now) {
    const auto expiry = expiryOf(solution.salt);
    if (!expiry || *expiry <= now) return std::nullopt;
    bool isOurs = false;
    for (const std::string& key : ring.keys(crypto::KeyUse::WorkChallenge)) {
        isOurs = isOurs || crypto::equalInConstantTime(signature(key, solution.challenge, subject), solution.signature);
    }
    if (!isOurs || hashOf(solution.salt, solution.number) != solution.challenge) return std::nullopt;
    return limitBucket("work", solution.challenge);
}

}  // namespace otpgate::domain
