#include "examination.h"

#include "human_checks.h"
#include "otpgate/base/text.h"
#include "otpgate/crypto/key_ring.h"
#include "otpgate/delivery/mail_test.h"
#include "otpgate/store/outbox_levels.h"
#include "otpgate/store/stores.h"
#include "passkey_site.h"
#include "start_notes.h"

#include <chrono>
#include <functional>
#include <map>
#include <utility>

namespace otpgate {

namespace {

using std::chrono::days;
using std::chrono::minutes;

constexpr days kKeyGrowsOld{366};
constexpr minutes kMailIsLate{10};

// What each check of the installation is for, in the order that it is told.
struct Meaning {
    const char* good;
    const char* why;
    const char* todo;
};
const std::map<std::string, Meaning> kMeanings{
    {"database",
     {"it answers", "nobody can sign in",
      "see that the server runs, and that database.url and its password are right (otpgate setup --database)"}},
    {"clock",
     {"it agrees with the database's", "limits and the ends of codes are decided by it",
      "let a time service (chrony, systemd-timesyncd) set both"}},
    {"migrations", {"all are applied", "otpgate does not start", "run otpgate migrate, or restore a whole backup"}},
    {"keys",
     {"they open with the master key", "tokens and codes of one host are not good at another",
      "copy the master key file, keys.master_file, to every host, and restart otpgate there"}},
    {"login", {"one was tried and taken back", "nobody can sign in", "see above what the database says"}},
};

// What they allow and hardly mean.
void examineDoubts(const Settings& settings, Findings& findings) {
    for (const std::string& doubt : doubtsAbout(settings)) {
        const auto colon = doubt.find(": ");
        findings.doubtful("settings", doubt.substr(0, colon), doubt.substr(colon + 2),
                          "set server.public_url to the https:// address that visitors use");
    }
    const bool isPublic = settings.publicUrl.starts_with("https://");
    if (settings.isDevelopment && isPublic) {
        findings.wrong("settings", "environment is development, and server.public_url is " + settings.publicUrl,
                       "what development allows is not for the public: a fixed code lets anybody in",
                       "set environment = production");
    }
}

void examineKeyAge(const Settings& settings, db::Connection& connection, Timestamp now, Findings& findings) {
    const auto ring = crypto::KeyRing::load(settings.masterKeyFile);
    if (ring.fingerprints().size() > 1) {
        findings.doubtful("master key",
                          settings.masterKeyFile + " holds " + std::to_string(ring.fingerprints().size()) + " keys",
                          "a replacement was begun, and what the old key made stays good until it is ended",
                          "otpgate keys promote, and a week later otpgate keys drop");
    } else {
        findings.good("master key", settings.masterKeyFile + " holds one key; keep a copy of it elsewhere");
    }
    const auto keys = store::makeSigningKeyStore(connection)->list();
    if (keys.empty()) return;
    const Timestamp made = keys.back().createdAt;
    const std::string since = "the newest key of access tokens was made at " + formatRfc3339(made);
    if (now - made > kKeyGrowsOld) {
        findings.doubtful("signing key", since, "the longer a key is used, the more is lost with it",
                          "otpgate keys rotate: nobody notices");
    } else {
        findings.good("signing key", since);
    }
}

void examinePasskeys(const Settings& settings, db::Connection& connection, Findings& findings) {
    const std::string fault = strayedFromPasskeys(connection, settings);
    if (!fault.empty()) {
        findings.wrong(
            "passkeys", fault, "browsers find none of them, and nobody can add one",
            "give server.public_url its old host again, or set passkeys.rp_id where that is above the new one");
    } else if (!settings.passkeys.isOffered() && store::makePasskeyStore(connection)->rpId()) {
        findings.doubtful("passkeys", "off, and some were made here",
                          "whoever has one cannot sign in: a code does not do",
                          "set passkeys.enabled = true, or let them in by codes again: otpgate user reset-factors WHO");
    } else {
        findings.good("passkeys", settings.passkeys.isOffered() ? "for " + settings.passkeys.rpId : "off");
    }
}

void examineOutbox(db::Connection& connection, Timestamp now, Findings& findings) {
    const auto levels = store::readOutboxLevels(connection);
    const auto age = levels.oldest ? now - *levels.oldest : std::chrono::microseconds{0};
    const std::string waiting = std::to_string(levels.waiting) + " messages wait";
    if (age > kMailIsLate) {
        findings.wrong("outbox",
                       waiting + ", the oldest for " +
                           std::to_string(std::chrono::duration_cast<minutes>(age).count()) + " minutes",
                       "codes do not arrive while they are good",
                       "otpgate outbox list shows the mail server's words; with delivery.mode = outbox, see that "
                       "otpgate deliver runs");
    } else {
        findings.good("outbox", waiting);
    }
    if (levels.dead > 0) {
        findings.doubtful("dead letters", std::to_string(levels.dead) + " messages were given up",
                          "somebody waited for them in vain",
                          "otpgate outbox list --dead says why; otpgate outbox retry or purge clears them");
    } else {
        findings.good("dead letters", "none");
    }
}

void examineWebhooks(db::Connection& connection, Findings& findings) {
    const auto webhooks = store::makeWebhookStore(connection)->list();
    bool areWell = true;
    for (const domain::Webhook& webhook : webhooks) {
        if (domain::stateOf(webhook) == domain::WebhookState::Active) continue;
        areWell = false;
        const bool isDisabled = webhook.disabledAt.has_value();
        findings.doubtful("webhooks",
                          webhook.id.toString() + (isDisabled ? " is disabled" : " fails") + ": " + webhook.lastFault,
                          isDisabled ? "its receiver is told of nothing" : "what its receiver is to be told waits",
                          "look at the receiver; otpgate webhook retry sends what waits and was given up");
    }
    if (areWell && !webhooks.empty()) findings.good("webhooks", "all receivers take what they are told");
}

void examineRequiredFactors(const Settings& settings, db::Connection& connection, Findings& findings) {
    const domain::FactorRule& rule = settings.otp.signIn.factors;
    if (rule.whom != domain::FactorRule::Whom::Group) return;
    if (store::makeUserGroupStore(connection)->find(rule.group)) {
        findings.good("second factor", "needed by whoever is in the group " + rule.group);
    } else {
        findings.wrong(
            "second factor", "mfa.required names the group " + rule.group + ", which does not exist",
            "nobody must have a second factor",
            "otpgate group list shows those that there are; correct the name, or otpgate group create " + rule.group);
    }
}

// With a token that is none: whoever calls it wrong, and nothing else, knows our secret.
void examineHumanCheck(const Settings& settings, Findings& findings) {
    const domain::HumanCheckSettings& check = settings.humanCheck;
    constexpr const char* kCheck = "human check";
    if (!check.site.isUsed()) return;
    if (!settings.otp.humanCheck.isUsed()) {
        findings.doubtful(kCheck, "abuse.challenge_by is set, and abuse.challenge is off", "no visitor is checked",
                          "set abuse.challenge to limits, sms or always");
        return;
    }
    requireAskable(check);
    delivery::HttpClient client(humanCheckConnection());
    const domain::HumanAnswer answer = askHumanCheck(client, check, "otpgate-doctor", {});
    const std::string who = std::string{nameOf(check.site.service)} + " at " + std::string{hostOf(check.verifyUrl)};
    const char* const why = "whoever is asked for a check is refused";
    switch (judgeHuman(check, answer)) {
    case domain::HumanVerdict::Refused: findings.good(kCheck, who + " answers, and knows the secret"); break;
    case domain::HumanVerdict::NoAnswer:
        findings.wrong(kCheck, who + " is not reached: " + describeAnswer(answer), why,
                       "let this host connect to it, by https_proxy where it must; or set abuse.challenge_by = work");
        break;
    case domain::HumanVerdict::WrongAnswer:
        findings.wrong(kCheck, who + " does not take our question: " + describeAnswer(answer), why,
                       "see that abuse.challenge_secret belongs to abuse.challenge_site_key, and that "
                       "abuse.challenge_verify_url is right");
        break;
    case domain::HumanVerdict::Human:
    case domain::HumanVerdict::Elsewhere:
    case domain::HumanVerdict::Busy:
        findings.wrong(kCheck, who + " says yes to anything", "it keeps no program away",
                       "these are keys for tests: use those of your site");
        break;
    }
}

void examineMail(const Settings& settings, Findings& findings) {
    using delivery::MailTransportKind;
    if (settings.mail.transport != MailTransportKind::Smtp) {
        const bool isFile = settings.mail.transport == MailTransportKind::File;
        const std::string what = isFile ? "mails are written to " + settings.mail.directory : "mails are thrown away";
        if (settings.isDevelopment) {
            findings.good("mail", what);
        } else {
            findings.wrong("mail", what, "no code arrives", "set mail.transport = smtp; otpgate setup --smtp asks it");
        }
        return;
    }
    for (const delivery::MailProbe& probe : delivery::probeMail(settings.mail)) {
        const std::string which = probe.section + ": " + probe.server;
        if (probe.fault.empty()) {
            findings.good("mail", which + " would take mail" + (probe.isSecured ? ", over TLS" : ""));
        } else {
            findings.wrong(
                "mail", probe.fault, "no code leaves by it",
                probe.advice.empty() ? "otpgate mail-test YOU@EXAMPLE shows the whole dialogue" : probe.advice);
        }
        if (probe.fault.empty() && probe.isRemoteInClear) {
            findings.doubtful("mail", which + " is spoken to without TLS", "codes go over the network in the clear",
                              "set " + probe.section + ".smtp_security = starttls");
        }
    }
}

void examineSms(const Settings& settings, Findings& findings) {
    using delivery::SmsTransportKind;
    const delivery::SmsSettings& sms = settings.sms;
    switch (sms.transport) {
    case SmsTransportKind::None: findings.good("sms", "off: telephone numbers are refused"); return;
    case SmsTransportKind::File:
    case SmsTransportKind::Mock:
        if (!settings.isDevelopment) {
            findings.wrong("sms", "sms.transport sends nothing: it is for tests", "no code arrives by SMS",
                           "set sms.transport to twilio, vonage or http, or to none");
            return;
        }
        break;
    case SmsTransportKind::Twilio:
    case SmsTransportKind::Vonage:
    case SmsTransportKind::Http: break;
    }
    findings.good("sms", delivery::describeProvider(sms) + "; a day at most " + sms.rules.dailyBudgets.toText() +
                             "; otpgate sms-test tries it");
    if (sms.rules.allowedPrefixes.prefixes().empty() && !settings.isDevelopment) {
        findings.doubtful("sms", "sms.allowed_prefixes is empty: SMS go to every country",
                          "some numbers cost a hundred times more, and people earn by that",
                          "name the countries of your users, such as +49, +43");
    }
}

void examineLimits(const Settings& settings, Findings& findings) {
    const std::pair<const char*, const domain::LimitRule*> limits[] = {
        {"limits.request_per_destination", &settings.otp.requestsPerDestination},
        {"limits.request_per_client", &settings.otp.requestsPerClient},
        {"limits.changes_per_account", &settings.otp.changesPerAccount},
        {"limits.guesses_per_destination", &settings.otp.guessesPerDestination},
        {"limits.passwords_per_client", &settings.passwordsPerClient},
        {"limits.passkeys_per_account", &settings.passkeysPerAccount},
        {"limits.notices_per_destination", &settings.notices.perDestination},
        {"limits.verifications_per_account", &settings.verificationsPerAccount},
    };
    std::vector<std::string> off;
    for (const auto& [name, rule] : limits) {
        if (rule->isUnlimited()) off.emplace_back(name);
    }
    if (off.empty()) {
        findings.good("limits", "all are on");
    } else {
        findings.doubtful("limits", joined(off, ", ") + (off.size() == 1 ? " is off" : " are off"),
                          "whoever wants may guess codes, or have messages sent, as fast as he can",
                          "leave the line out for the default, or set COUNT/WINDOW such as 10/1h");
    }
}

}  // namespace

void examine(const char* check, Findings& findings, const std::function<void()>& look) {
    try {
        look();
    } catch (const std::runtime_error& error) {
        findings.wrong(check, error.what(), "it cannot be looked at", "see what else is wrong, and then ask again");
    }
}

void tellCheck(const api::ReadinessCheck& check, Findings& findings) {
    const auto meaning = kMeanings.find(check.name);
    if (meaning == kMeanings.end()) return;  // the service: the socket says more of it
    if (check.fault.empty()) {
        findings.good(check.name, meaning->second.good + (check.detail.empty() ? "" : ", at " + check.detail));
    } else {
        findings.wrong(check.name, check.fault, meaning->second.why, meaning->second.todo);
    }
}

void examineService(const Settings& settings, db::Connection& connection, Timestamp now, Findings& findings) {
    examineDoubts(settings, findings);
    examine("master key", findings, [&] { examineKeyAge(settings, connection, now, findings); });
    examine("passkeys", findings, [&] { examinePasskeys(settings, connection, findings); });
    examine("outbox", findings, [&] { examineOutbox(connection, now, findings); });
    examine("webhooks", findings, [&] { examineWebhooks(connection, findings); });
    examine("second factor", findings, [&] { examineRequiredFactors(settings, connection, findings); });
    examine("human check", findings, [&] { examineHumanCheck(settings, findings); });
    examine("mail", findings, [&] { examineMail(settings, findings); });
    examineSms(settings, findings);
    examineLimits(settings, findings);
}

std::optional<Findings> Examiner::look(db::Connection& connection) {
    const std::unique_lock turn(examining_, std::try_to_lock);
    if (turn.owns_lock() && SteadyClock::now() - seenAt_ >= kSeenFor) {
        Findings findings;
        for (const auto& check : readiness_.look()) tellCheck(check, findings);
        examineService(settings_, connection, clock_.now(), findings);
        const std::lock_guard lock(mutex_);
        seen_ = std::move(findings);
        seenAt_ = SteadyClock::now();
    }
    const std::lock_guard lock(mutex_);
    return seen_;
}

}  // namespace otpgate
