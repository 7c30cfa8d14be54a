#include "start_notes.h"

#include "otpgate/base/text.h"

namespace otpgate {

std::vector<std::string> startNotes(const Settings& settings) {
    std::vector<std::string> notes;
    notes.emplace_back(settings.apiKeyHolders == domain::ApiKeyHolders::Admins
                           ? "api_keys.allowed = admins: administrators alone have messages sent by API keys"
                           : "api_keys.allowed = everybody: whoever signs in has messages sent by API keys");
    if (settings.sms.transport != delivery::SmsTransportKind::None) {
        notes.push_back("sms.daily_budgets = " + settings.sms.rules.dailyBudgets.toText() +
                        ": so many SMS a day, and none beyond");
    }
    if (!settings.basePath.empty()) {
        notes.push_back("server.base_path = " + settings.basePath + ": everything is below " + settings.publicUrl +
                        "/");
    }
    return notes;
}

std::vector<std::string> doubtsAbout(const Settings& settings) {
    std::vector<std::string> doubts;
    if (settings.isDevelopment) return doubts;
    const std::string_view host = hostOf(settings.publicUrl);
    if (host == "localhost" || host.starts_with("127.") || host.starts_with("[")) {
        doubts.push_back("server.public_url is " + settings.publicUrl +
                         ": mails link to it, and elsewhere it leads nowhere");
    } else if (settings.publicUrl.starts_with("http://")) {
        doubts.push_back("server.public_url is " + settings.publicUrl +
                         ": without https codes go over the network in the clear, and browsers keep no session");
    }
    // NIST SP 800-63B-4, section 2.2.2: one that phishing does not reach shall be offered.
    if (settings.otp.signIn.factors.whom != domain::FactorRule::Whom::Nobody && !settings.passkeys.isOffered()) {
        doubts.emplace_back(
            "mfa.required asks for a second factor, and passkeys are not offered: an authenticator app is all "
            "that anybody can add");
    }
    return doubts;
}

std::vector<std::string> readAtTheStartOnly(const Settings& before, const Settings& after) {
    const http::ServerSettings& old = before.server;
    std::vector<std::string> names;
    if (after.server.listen != old.listen) names.emplace_back("server.listen");
    if (after.server.socketMode != old.socketMode) names.emplace_back("server.socket_mode");
    if (after.server.socketGroup != old.socketGroup) names.emplace_back("server.socket_group");
    if (after.server.processes != old.processes) names.emplace_back("server.processes");
    return names;
}

}  // namespace otpgate
