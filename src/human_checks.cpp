#include "human_checks.h"

#include "delivery/secrets.h"
#include "delivery/sms/provider_settings.h"
#include "otpgate/base/errors.h"
#include "otpgate/base/text.h"
#include "otpgate/http/errors.h"
#include "otpgate/http/json.h"

#include <algorithm>
#include <utility>

namespace otpgate {

using domain::HumanAnswer;
using domain::HumanVerdict;

namespace {

constexpr std::size_t kMostAtOnce = 8;
constexpr std::size_t kMostOfOneNetwork = 2;

std::optional<HumanAnswer::Words> readWords(std::string body) {
    try {
        http::Request answer;
        answer.contentType = "application/json";
        answer.body = std::move(body);
        http::JsonBody json(answer);
        HumanAnswer::Words words{.success = json.boolean("success"),
                                 .hostname = json.string("hostname").value_or(""),
                                 .action = json.string("action").value_or(""),
                                 .errorCodes = json.strings("error-codes").value_or(std::vector<std::string>{})};
        json.rejectInvalid();
        return words;
    } catch (const http::ApiError&) {
        return std::nullopt;
    }
}

}  // namespace

void requireAskable(const domain::HumanCheckSettings& settings) {
    const std::string needs = "with abuse.challenge_by = " + std::string{toString(settings.site.service)};
    const std::string& key = settings.site.siteKey;
    const auto isOfKey = [](char c) { return isLetterOrDigit(c) || c == '-' || c == '_'; };
    if (key.empty()) throw ConfigurationError("abuse.challenge_site_key is needed " + needs);
    if (!std::ranges::all_of(key, isOfKey))
        throw ConfigurationError("abuse.challenge_site_key holds a character that no site key has");
    if (settings.secret.empty()) throw ConfigurationError("abuse.challenge_secret is needed " + needs);
    if (!delivery::isSafeOrigin(settings.verifyUrl))
        throw ConfigurationError("abuse.challenge_verify_url must begin with https:// and hold no login: " +
                                 settings.verifyUrl);
}

delivery::HttpSettings humanCheckConnection() {
    delivery::HttpSettings settings;
    settings.timeout = kHumanCheckTimeout;
    return settings;
}

HumanAnswer askHumanCheck(delivery::HttpClient& client, const domain::HumanCheckSettings& settings,
                          const std::string& token, const std::string& address) {
    delivery::HttpClient::Fields fields{{"secret", settings.secret}, {"response", token}};
    if (!address.empty()) fields.emplace_back("remoteip", address);
    // hCaptcha's, so that it takes no token of another site; Turnstile's secret belongs to one site key anyway.
    if (settings.site.service == domain::HumanCheckService::HCaptcha)
        fields.emplace_back("sitekey", settings.site.siteKey);
    try {
        delivery::HttpReply reply = client.post(settings.verifyUrl, fields);
        HumanAnswer answer{.status = reply.status, .words = std::nullopt};
        if (reply.isWhole) answer.words = readWords(std::move(reply.body));
        return answer;
    } catch (const delivery::HttpError& error) {
        delivery::Secrets secrets;
        secrets.add(settings.secret);
        secrets.add(token);
        return {.status = 0, .words = std::nullopt, .fault = secrets.strikeOut(error.what())};
    }
}

// A question's place among those that may be asked at once.
class HumanChecks::Turn {
public:
    Turn(HumanChecks& checks, const std::string& network)
        : checks_(checks),
          network_(network),
          isTaken_(checks.take(network, line_)) {}
    ~Turn() {
        if (isTaken_) checks_.giveBack(network_, std::move(line_));
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

    bool isTaken() const { return isTaken_; }
    delivery::HttpClient& line() {
        if (!line_) line_ = std::make_unique<delivery::HttpClient>(humanCheckConnection());
        return *line_;
    }

private:
    HumanChecks& checks_;
    const std::string& network_;
    Line line_;
    bool isTaken_;
};

HumanChecks::HumanChecks(const domain::HumanCheckSettings& settings, unsigned threads, domain::HumanCheckCounts& counts,
                         Logger& log)
    : settings_(settings),
      most_(std::clamp<std::size_t>(threads / 3, 1, kMostAtOnce)),
      counts_(counts),
      log_(log) {
    requireAskable(settings_);
}

HumanVerdict HumanChecks::ask(const std::string& token, const std::string& address, const std::string& network) {
    const HumanVerdict verdict = judged(token, address, network);
    counts_.count(verdict);
    return verdict;
}

HumanVerdict HumanChecks::judged(const std::string& token, const std::string& address, const std::string& network) {
    Turn turn(*this, network);
    if (!turn.isTaken()) return HumanVerdict::Busy;
    const HumanAnswer answer = askHumanCheck(turn.line(), settings_, token, address);
    const HumanVerdict verdict = judgeHuman(settings_, answer);
    if (verdict == HumanVerdict::Human) return verdict;
    const bool isServices = verdict == HumanVerdict::NoAnswer || verdict == HumanVerdict::WrongAnswer;
    log_.log(isServices ? LogLevel::Warning : LogLevel::Info, "a check of a visitor was not passed",
             {{"service", toString(settings_.site.service)},
              {"result", toString(verdict)},
              {"detail", describeAnswer(answer)}});
    return verdict;
}

bool HumanChecks::take(const std::string& network, Line& line) {
    const std::lock_guard lock(mutex_);
    std::size_t& ofNetwork = asking_[network];
    if (all_ >= most_ || ofNetwork >= kMostOfOneNetwork) {
        if (ofNetwork == 0) asking_.erase(network);
        return false;
    }
    ++all_;
    ++ofNetwork;
    if (lines_.empty()) return true;
    line = std::move(lines_.back());
    lines_.pop_back();
    return true;
}

void HumanChecks::giveBack(const std::string& network, Line line) {
    const std::lock_guard lock(mutex_);
    --all_;
    if (const auto at = asking_.find(network); at != asking_.end() && --at->second == 0) asking_.erase(at);
    if (line) lines_.push_back(std::move(line));
}

}  // namespace otpgate
