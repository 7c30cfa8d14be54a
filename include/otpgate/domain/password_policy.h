// Which passwords a user may choose. A pure rule, safe to use from any thread; 20 us of work, at most a few ms.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

// Whose password it will be: what an attacker tries first. Empty where it is not known.
struct PasswordOwner {
    std::string_view email;
    std::string_view phoneNumber;  // E.164
    std::string_view username;
    std::string_view firstName;
    std::string_view lastName;
    std::string_view displayName;
};

class PasswordPolicy {
public:
    static constexpr std::size_t kMinCharacters = 8;
    static constexpr std::size_t kMaxCharacters = 128;

    // The lowest score that is good enough, as zxcvbn counts it: 0 for all, 1 from 10^3 guesses, 2 from 10^6, 3 from
    // 10^8, 4 from 10^10. `siteHost` is the name of the site that the users know.
    PasswordPolicy(unsigned minScore, std::string_view siteHost);

    // The sentence that says why not, for the user; empty where the password may be used. Characters are Unicode code
    // points of its composed form (NFC), as it is hashed.
    std::optional<std::string> reasonToRefuse(std::string_view typed, const PasswordOwner& owner) const;

private:
    double minBits_;
    std::vector<std::string> siteWords_;
};

}  // namespace otpgate::domain
