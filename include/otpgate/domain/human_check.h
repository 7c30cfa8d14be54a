// A check by a service of somebody else that a visitor is no program (Turnstile, hCaptcha), asked for in place of the
// proof of work: the visitor's browser gets a token there, and that service tells us whether it is good. What we make
// of what it tells; it is asked by whoever implements HumanCheck. Whatever is not a clear yes is a no.
#pragma once

#include "otpgate/base/metrics.h"

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::domain {

enum class HumanCheckService {
    None,  // there is our own proof of work alone
    Turnstile,
    HCaptcha
};
std::string_view toString(HumanCheckService service);
std::string_view nameOf(HumanCheckService service);  // as people know it
// Where its tokens are shown, unless a setting says otherwise.
std::string_view verifyUrlOf(HumanCheckService service);

// What everybody may know of it.
struct HumanCheckSite {
    HumanCheckService service = HumanCheckService::None;
    std::string siteKey{};

    bool isUsed() const { return service != HumanCheckService::None; }
    // {"service":...,"site_key":...}
    std::string toJson() const;
};

struct HumanCheckSettings {
    HumanCheckSite site;
    std::string secret{};
    std::string verifyUrl{};
    std::vector<std::string> hosts{};  // on whose pages the check may be made, in lower case
};

// What our page names its check, so that a token of another form of the same host is none of ours. Turnstile tells it.
inline constexpr std::string_view kHumanCheckAction = "otpgate";
inline constexpr std::size_t kLongestHumanToken = 2048;
// Whether it can be a token at all: printable, without blanks, of at most that length.
bool isHumanToken(std::string_view text);

// What the service said, as far as it can be read.
struct HumanAnswer {
    struct Words {
        std::optional<bool> success{};
        std::string hostname{};
        std::string action{};
        std::vector<std::string> errorCodes{};
    };
    int status = 0;                // of HTTP; 0: there was no answer
    std::optional<Words> words{};  // nullopt: it was no object of JSON as the service writes it
    std::string fault{};           // why there was no answer
};

enum class HumanVerdict {
    Human,
    Refused,      // the token is wrong, too old, or was shown before
    Elsewhere,    // it is good, and was got on a page that is none of ours
    NoAnswer,     // not in time, or none
    WrongAnswer,  // none that says anything of the token: an error of the service, or of our settings
    Busy          // too many are being asked about: it was not asked
};
std::string_view toString(HumanVerdict verdict);

HumanVerdict judgeHuman(const HumanCheckSettings& settings, const HumanAnswer& answer);
// For the log: what it said, without anything that a visitor has written.
std::string describeAnswer(const HumanAnswer& answer);

// Asks the service. Any thread; takes a few seconds at most.
class HumanCheck {
public:
    virtual ~HumanCheck() = default;
    // `network`: whose share of what may be asked at once it is.
    virtual HumanVerdict ask(const std::string& token, const std::string& address, const std::string& network) = 0;
};

// The bucket under which a token is spent, as limitBucket() has it.
std::string humanTokenBucket(std::string_view token);

// What the checks came to. One for the process; any thread.
class HumanCheckCounts {
public:
    void count(HumanVerdict verdict) { counters_[static_cast<std::size_t>(verdict)].add(); }
    void write(MetricsText& text) const;

private:
    static constexpr std::size_t kVerdicts = static_cast<std::size_t>(HumanVerdict::Busy) + 1;
    std::array<Counter, kVerdicts> counters_;
};

}  // namespace otpgate::domain
