// otpgate doctor: what is wrong with this installation, why it matters, and what to do.
#include "api/finding_fields.h"
#include "cli/commands.h"
#include "cli/doctor_web.h"
#include "cli/findings.h"
#include "cli/installation.h"
#include "cli/service_user.h"
#include "cli/settings_check.h"
#include "examination.h"
#include "otpgate/base/errors.h"
#include "otpgate/crypto/random.h"
#include "otpgate/delivery/mail_test.h"

#include <iostream>
#include <sstream>
#include <sys/timex.h>
#include <unistd.h>

namespace otpgate::cli {

namespace {

void examineSettings(const Settings& settings, Findings& findings) {
    try {
        requireUsable(settings);
        findings.good("settings", "each is understood, and what they name can be read");
    } catch (const ConfigurationError& error) {
        findings.wrong("settings", error.what(), "otpgate does not start",
                       "correct it; otpgate check-config tells more");
    }
}

void examineReadiness(Installation& installation, Findings& findings) {
    for (const auto& [name, check] : installation.checks()) {
        try {
            tellCheck({name, {}, check()}, findings);
        } catch (const std::runtime_error& error) {
            tellCheck({name, error.what()}, findings);
        }
    }
}

// Whether some service keeps this machine's clock, which codes of other hosts and TOTP depend on: as the kernel knows.
void examineTimeService(Findings& findings) {
    timex state{};
    if (adjtimex(&state) == TIME_ERROR) {
        findings.doubtful("time service", "no time service keeps this machine's clock right",
                          "access tokens carry its time, and other machines check them by their own",
                          "apt install systemd-timesyncd (or chrony)");
    } else {
        findings.good("time service", "the clock is kept right");
    }
}

void sendMail(const Settings& settings, const domain::Destination& recipient, Findings& findings) {
    crypto::SystemRandom random;
    const Timestamp now = SystemClock{}.now();
    std::stringstream dialogue;
    const bool isSent = delivery::testMail(settings.mail, {recipient, Uuid::makeV7(now, random), now}, dialogue);
    if (isSent) {
        findings.good("test mail", "taken for " + recipient.value());
        return;
    }
    std::string fault;
    std::string advice = "otpgate mail-test shows the whole dialogue";
    for (std::string line; std::getline(dialogue, line);) {
        if (line.starts_with("failed: ")) fault = line.substr(8);
        if (line.starts_with("what to change: ")) advice = line.substr(16);
    }
    findings.wrong("test mail", fault.empty() ? "nothing was sent" : fault, "no code arrives", advice);
}

// Root sees what the service would not: so the service's files are looked at as its user.
template <class Look>
auto asService(const std::optional<SystemUser>& user, Look&& look) {
    std::optional<ActingAs> acting;
    if (user && geteuid() == 0) acting.emplace(*user);
    return look();
}

void examineAll(const Settings& settings, const std::optional<SystemUser>& user,
                const std::optional<domain::Destination>& recipient, Findings& findings) {
    asService(user, [&] {
        examineSettings(settings, findings);
        Installation installation(settings);
        examineReadiness(installation, findings);
        examineService(settings, installation.connection(), installation.clock().now(), findings);
        if (recipient) examine("test mail", findings, [&] { sendMail(settings, *recipient, findings); });
    });
    examineTimeService(findings);
    examineSocket(settings, findings);
    examine("web server", findings, [&] { examineWay(settings, SystemClock{}.now(), findings); });
}

}  // namespace

int doctor(const Invocation& invocation) {
    std::optional<domain::Destination> recipient;
    if (const auto address = invocation.value("--send-mail")) {
        recipient = domain::Destination::parseEmail(*address, domain::EmailValidation::International);
        if (!recipient) throw UsageError("not an e-mail address: " + *address);
    }
    const auto user = serviceUser(invocation.value("--as"));
    Findings findings;
    try {
        const Settings settings = asService(user, [&] { return invocation.settings(); });
        examineAll(settings, user, recipient, findings);
    } catch (const ConfigurationError& error) {
        findings.wrong("settings", error.what(), "otpgate does not start",
                       "correct it; otpgate check-config tells more");
    }
    if (invocation.has("--json")) {
        http::JsonWriter json;
        api::writeFindings(json, findings);
        std::cout << json.take() << "\n";
    } else {
        std::cout << toText(findings) << (findings.areWell() ? "nothing is wrong\n" : "something is wrong\n");
    }
    return findings.areWell() ? 0 : 1;
}

}  // namespace otpgate::cli
