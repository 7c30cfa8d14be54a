// Asks the service that checks visitors (Turnstile, hCaptcha) about the tokens that they bring. Each worker thread asks
// for itself and waits for the answer, so it is held to a few seconds, and to a few at once: where the service is dead,
// the other threads go on answering. One for the process; any thread.
#pragma once

#include "delivery/sms/http_client.h"
#include "otpgate/base/log.h"
#include "otpgate/domain/human_check.h"

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace otpgate {

// Throws ConfigurationError for settings by which no service can be asked.
void requireAskable(const domain::HumanCheckSettings& settings);

// One question, and what came of it, over a connection as the service is asked.
inline constexpr std::chrono::seconds kHumanCheckTimeout{3};
delivery::HttpSettings humanCheckConnection();
domain::HumanAnswer askHumanCheck(delivery::HttpClient& client, const domain::HumanCheckSettings& settings,
                                  const std::string& token, const std::string& address);

class HumanChecks final : public domain::HumanCheck {
public:
    // `threads`: of the process, of which most are to stay free. What it is given outlives it.
    HumanChecks(const domain::HumanCheckSettings& settings, unsigned threads, domain::HumanCheckCounts& counts,
                Logger& log);

    domain::HumanVerdict ask(const std::string& token, const std::string& address, const std::string& network) override;

private:
    // To the service, over a connection that is kept.
    using Line = std::unique_ptr<delivery::HttpClient>;
    class Turn;
    bool take(const std::string& network, Line& line);
    void giveBack(const std::string& network, Line line);
    domain::HumanVerdict judged(const std::string& token, const std::string& address, const std::string& network);

    const domain::HumanCheckSettings settings_;
    const std::size_t most_;  // questions at once
    domain::HumanCheckCounts& counts_;
    Logger& log_;
    std::mutex mutex_;
    std::vector<Line> lines_;                    // that nobody uses
    std::map<std::string, std::size_t> asking_;  // how many, by network
    std::size_t all_ = 0;                        // of them together
};

}  // namespace otpgate
