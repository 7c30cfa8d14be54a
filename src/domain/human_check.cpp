#include "otpgate/domain/human_check.h"

#include "otpgate/base/text.h"
#include "otpgate/crypto/hash.h"
#include "otpgate/domain/limits.h"

#include <algorithm>

namespace otpgate::domain {

namespace {

constexpr int kOk = 200;
constexpr std::size_t kMostWords = 5;
constexpr std::size_t kLongestWord = 60;

// What either service says of a token. Any other code is about us: our secret, our site key, our request.
bool isOfToken(const std::string& errorCode) {
    constexpr std::array<std::string_view, 6> kCodes{"invalid-input-response", "missing-input-response",
                                                     "timeout-or-duplicate",   "invalid-or-already-seen-response",
                                                     "expired-input-response", "already-seen-response"};
    return std::ranges::find(kCodes, errorCode) != kCodes.end();
}

bool isMadeHere(const HumanCheckSettings& settings, const HumanAnswer::Words& words) {
    const bool isOurHost = std::ranges::count(settings.hosts, toLower(words.hostname)) > 0;
    switch (settings.site.service) {
    case HumanCheckService::None: break;
    case HumanCheckService::Turnstile: return isOurHost && words.action == kHumanCheckAction;
    // It leaves the name out while a site is under attack, says its documentation, and that nothing may be built on it;
    // so it is asked with our site key, and takes no token of another.
    case HumanCheckService::HCaptcha: return isOurHost || words.hostname == "not-provided";
    }
    return false;
}

bool isWord(const std::string& text) {
    return text.size() <= kLongestWord &&
           std::ranges::all_of(text, [](char c) { return isLetterOrDigit(c) || c == '-' || c == '_'; });
}

}  // namespace

std::string_view toString(HumanCheckService service) {
    switch (service) {
    case HumanCheckService::None: break;
    case HumanCheckService::Turnstile: return "turnstile";
    case HumanCheckService::HCaptcha: return "hcaptcha";
    }
    return {};
}

std::string_view nameOf(HumanCheckService service) {
    switch (service) {
    case HumanCheckService::None: break;
    case HumanCheckService::Turnstile: return "Cloudflare Turnstile";
    case HumanCheckService::HCaptcha: return "hCaptcha";
    }
    return {};
}

std::string_view verifyUrlOf(HumanCheckService service) {
    switch (service) {
    case HumanCheckService::None: break;
    case HumanCheckService::Turnstile: return "https://challenges.cloudflare.com/turnstile/v0/siteverify";
    case HumanCheckService::HCaptcha: return "https://api.hcaptcha.com/siteverify";
    }
    return {};
}

std::string HumanCheckSite::toJson() const {
    // A site key has no character that JSON would escape: see the settings.
    return R"({"service":")" + std::string{toString(service)} + R"(","site_key":")" + siteKey + R"("})";
}

bool isHumanToken(std::string_view text) {
    return !text.empty() && text.size() <= kLongestHumanToken &&
           std::ranges::all_of(text, [](char c) { return c != ' ' && isPrintable(c); });
}

std::string_view toString(HumanVerdict verdict) {
    switch (verdict) {
    case HumanVerdict::Human: return "human";
    case HumanVerdict::Refused: return "refused";
    case HumanVerdict::Elsewhere: return "elsewhere";
    case HumanVerdict::NoAnswer: return "no_answer";
    case HumanVerdict::WrongAnswer: return "wrong_answer";
    case HumanVerdict::Busy: return "busy";
    }
    return {};
}

HumanVerdict judgeHuman(const HumanCheckSettings& settings, const HumanAnswer& answer) {
    if (answer.status == 0) return HumanVerdict::NoAnswer;
    if (!answer.words || !answer.words->success) return HumanVerdict::WrongAnswer;
    const HumanAnswer::Words& words = *answer.words;
    if (!*words.success) {
        const bool isTokens = !words.errorCodes.empty() && std::ranges::all_of(words.errorCodes, isOfToken);
        return isTokens ? HumanVerdict::Refused : HumanVerdict::WrongAnswer;
    }
    if (answer.status != kOk) return HumanVerdict::WrongAnswer;
    return isMadeHere(settings, words) ? HumanVerdict::Human : HumanVerdict::Elsewhere;
}

std::string describeAnswer(const HumanAnswer& answer) {
    if (answer.status == 0) return answer.fault;
    std::string text = "status " + std::to_string(answer.status);
    if (!answer.words) return text + ", not as expected";
    std::size_t told = 0;
    for (const std::string& code : answer.words->errorCodes) {
        if (told++ < kMostWords && isWord(code)) text += ", " + code;
    }
    return text;
}

std::string humanTokenBucket(std::string_view token) {
    return limitBucket("human", crypto::sha256(token));
}

void HumanCheckCounts::write(MetricsText& text) const {
    text.begin(MetricKind::Counter, "otpgate_human_checks_total",
               "Tokens of Turnstile or hCaptcha by what was made of them: human, refused, elsewhere (of another site),"
               " no_answer and wrong_answer (of the service), busy (not asked about). All but human are refused.");
    for (std::size_t verdict = 0; verdict < kVerdicts; ++verdict) {
        text.sample(counters_[verdict], {{"result", toString(static_cast<HumanVerdict>(verdict))}});
    }
}

}  // namespace otpgate::domain
