#include "otpgate/domain/totp_rules.h"

#include "otpgate/base/encoding.h"
#include "otpgate/base/numeric_date.h"
#include "otpgate/base/text.h"
#include "otpgate/crypto/hash.h"
#include "otpgate/crypto/totp.h"
#include "otpgate/domain/assurance.h"

#include <algorithm>
#include <vector>

namespace otpgate::domain {

std::int64_t totpStepAt(Timestamp time) {
    return std::chrono::seconds{numericDate(time)} / kTotpStep;
}

std::optional<std::int64_t> matchTotp(std::string_view secret, std::string_view typed, Timestamp now,
                                      std::int64_t lastStep) {
    const std::int64_t present = totpStepAt(now);
    std::optional<std::int64_t> matched;
    for (std::int64_t step = present - 1; step <= present + 1; ++step) {
        const bool isRight = crypto::equalInConstantTime(crypto::hotp(secret, static_cast<std::uint64_t>(step)), typed);
        if (isRight && step > lastStep) matched = step;
    }
    return matched;
}

std::string totpUri(std::string_view secret, std::string_view issuer, std::string_view account) {
    // A colon would part issuer and account.
    std::string site{issuer};
    std::ranges::replace(site, ':', ' ');
    site = percentEncoded(site);
    return "otpauth://totp/" + site + ":" + percentEncoded(account) + "?secret=" + toBase32(secret) + "&issuer=" + site;
}

std::string withTotp(std::string_view methods) {
    if (assuranceOf(methods) == AssuranceLevel::Two) return std::string{methods};
    std::vector<std::string> words;
    bool hasPassword = false;
    for (const std::string_view word : split(methods, ' ')) {
        hasPassword = hasPassword || word == "pwd";
        // A recovery code has brought its owner here, and is no part of what he shows.
        if (!word.empty() && word != "totp" && word != "rc") words.emplace_back(word);
    }
    words.emplace_back("totp");
    if (hasPassword) words.emplace_back("mfa");
    return joined(words, " ");
}

}  // namespace otpgate::domain
