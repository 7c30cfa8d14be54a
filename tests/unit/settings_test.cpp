// Holds src/settings*.cpp and etc/otpgate.conf together: neither may know a setting or a default that the other does
// not.
#include "settings.h"

#include "otpgate/base/errors.h"
#include "support_cpp/temporary_directory.h"

#include <Poco/RegularExpression.h>
#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

namespace otpgate {
namespace settings_test {

using namespace std::string_literals;
using Environment = std::map<std::string, std::string>;

// A value other than the default for each setting. Whoever adds a setting adds one here, and its field to describe().
const std::map<std::string, std::string> kOtherValues{
    {"environment", "development"},
    {"server.listen", "fd:0"},
    {"server.socket_mode", "0600"},
    {"server.socket_group", "www-data"},
    {"server.processes", "4"},
    {"server.threads", "17"},
    {"server.trusted_proxies", "127.0.0.1, ::1"},
    {"server.public_url", "https://login.example.org"},
    {"server.base_path", "/login"},
    {"log.format", "json"},
    {"log.level", "debug"},
    {"keys.master_file", "/other/master.key"},
    {"database.url", "sqlite:/other.db"},
    {"database.password", "secret"},
    {"database.password_file", "SECRET FILE"},
    {"database.connect_timeout", "2s"},
    {"database.answer_timeout", "3s"},
    {"otp.length", "8"},
    {"otp.alphabet", "letters"},
    {"otp.email_lifetime", "5m"},
    {"otp.sms_lifetime", "6m"},
    {"otp.on_resend", "repeat"},
    {"otp.link", "beside"},
    {"otp.auto_register", "false"},
    {"otp.max_attempts", "4"},
    {"otp.resend_after", "1m"},
    {"otp.fixed_code", "000042"},
    {"email.validation", "lenient"},
    {"phone.validation", "strict"},
    {"accounts.reveal", "true"},
    {"accounts.change_within", "16m"},
    {"api_keys.allowed", "everybody"},
    {"notices.new_sign_in", "false"},
    {"notices.password_changed", "false"},
    {"notices.address_changed", "false"},
    {"notices.many_failures", "false"},
    {"notices.passkeys_changed", "false"},
    {"notices.factors_changed", "false"},
    {"passkeys.enabled", "false"},
    {"passkeys.rp_id", "example.org"},
    {"mfa.required", "group:Staff"},
    {"mfa.grace_days", "14"},
    {"mfa.trusted_device_days", "7"},
    {"notices.by_sms", "true"},
    {"notices.lifetime", "23h"},
    {"limits.request_per_destination", "6/1h"},
    {"limits.request_per_client", "0"},
    {"abuse.challenge", "sms"},
    {"abuse.challenge_steps", "2000"},
    {"abuse.challenge_by", "hcaptcha"},
    {"abuse.challenge_site_key", "0x4AAA"},
    {"abuse.challenge_secret", "secret"},
    {"abuse.challenge_secret_file", "SECRET FILE"},
    {"abuse.challenge_verify_url", "https://check.example.org/siteverify"},
    {"limits.guesses_per_destination", "9/1h"},
    {"limits.passwords_per_client", "31/1h"},
    {"limits.passkeys_per_account", "61/1h"},
    {"limits.notices_per_destination", "11/1h"},
    {"limits.verifications_per_account", "7/1h"},
    {"limits.changes_per_account", "8/1h"},
    {"passwords.memory_kib", "65536"},
    {"passwords.iterations", "3"},
    {"passwords.slots", "7"},
    {"passwords.queue", "8"},
    {"passwords.min_score", "3"},
    {"mail.transport", "file"},
    {"mail.directory", "/other/mail"},
    {"mail.from", "login@example.org"},
    {"mail.smtp_host", "mail.example.org"},
    {"mail.smtp_port", "587"},
    {"mail.smtp_security", "starttls"},
    {"mail.smtp_ca_file", "/other/ca.pem"},
    {"mail.smtp_username", "otpgate"},
    {"mail.smtp_password", "secret"},
    {"mail.smtp_password_file", "SECRET FILE"},
    {"mail.smtp_auth", "login"},
    {"mail.smtp_oauth_token_file", "/other/token"},
    {"mail.smtp_allow_plaintext_auth", "true"},
    {"mail.smtp_connect_timeout", "6s"},
    {"mail.smtp_timeout", "11s"},
    {"mail.concurrency", "2"},
    {"mail.smtp_data_timeout", "31s"},
    {"mail_fallback.smtp_host", "backup.example.org"},
    {"mail_fallback.smtp_port", "465"},
    {"mail_fallback.smtp_security", "tls"},
    {"mail_fallback.smtp_ca_file", "/other/ca.pem"},
    {"mail_fallback.smtp_username", "otpgate"},
    {"mail_fallback.smtp_password", "secret"},
    {"mail_fallback.smtp_password_file", "SECRET FILE"},
    {"mail_fallback.smtp_auth", "xoauth2"},
    {"mail_fallback.smtp_oauth_token_file", "/other/token"},
    {"sms.transport", "file"},
    {"sms.directory", "/other/sms"},
    {"sms.from", "+15550001111"},
    {"sms.twilio_account_sid", "AC0123"},
    {"sms.twilio_auth_token", "secret"},
    {"sms.twilio_auth_token_file", "SECRET FILE"},
    {"sms.twilio_api_key_sid", "SK0123"},
    {"sms.twilio_api_key_secret", "secret"},
    {"sms.twilio_api_key_secret_file", "SECRET FILE"},
    {"sms.twilio_url", "http://127.0.0.1:1"},
    {"sms.vonage_api_key", "0123abcd"},
    {"sms.vonage_api_secret", "secret"},
    {"sms.vonage_api_secret_file", "SECRET FILE"},
    {"sms.vonage_url", "http://127.0.0.1:2"},
    {"sms.http_method", "PUT"},
    {"sms.http_url", "https://sms.example.org/send?to={to}"},
    {"sms.http_headers", "Authorization: Bearer {secret}, X-Sender: {from}"},
    {"sms.http_content_type", "text/xml"},
    {"sms.http_body", "<sms to=\"{to}\">{text}</sms>"},
    {"sms.http_secret", "secret"},
    {"sms.http_secret_file", "SECRET FILE"},
    {"sms.http_success_status", "200, 202"},
    {"sms.http_success_body", "OK"},
    {"sms.ca_file", "/other/ca.pem"},
    {"sms.failure_rate", "0.25"},
    {"sms.timeout", "12s"},
    {"sms.concurrency", "3"},
    {"sms.allowed_prefixes", "+49, +1242"},
    {"sms.daily_budgets", "+49:1000, *:5"},
    {"cors.allowed_origins", "https://app.example.com, https://www.example.com"},
    {"cors.allowed_headers", "X-Trace"},
    {"templates.directory", "/other/templates"},
    {"templates.default_locale", "de"},
    {"metrics.allowed_addresses", "127.0.0.1, 10.0.0.0/8"},
    {"admin.allowed_addresses", "192.0.2.7, 10.1.0.0/16"},
    {"security.contacts", "mailto:security@example.org, https://example.org/report"},
    {"security.policy", "https://example.org/policy"},
    {"page.name", "Example"},
    {"page.accent", "#123456"},
    {"page.logo", "logo.svg"},
    {"page.stylesheet", "own.css"},
    {"page.privacy_url", "https://example.org/privacy"},
    {"page.imprint_url", "https://example.org/imprint"},
    {"page.support_url", "mailto:help@example.org"},
    {"page.return_to", "The wiki https://Wiki.example.org, http://intra:8080"},
    {"authz.headers", "remote"},
    {"authz.remote_user", "email"},
    {"session.cookie_domain", "localhost"},
    {"accounts.allowed_domains", "Example.org, *.müller.example"},
    {"accounts.allowed_addresses", "Guest@example.com, +49 30 123456"},
    {"accounts.allowed_groups", "Staff, editors"},
    {"tokens.format", "opaque"},
    {"tokens.audience", "shop"},
    {"tokens.access_lifetime", "5m"},
    {"tokens.refresh_lifetime", "20d"},
    {"tokens.session_lifetime", "60d"},
    {"tokens.aal2_refresh_lifetime", "2h"},
    {"tokens.aal2_session_lifetime", "12h"},
    {"delivery.mode", "sync"},
    {"delivery.queue_length", "99"},
    {"webhooks.receivers", "any"},
    {"retention.otp_requests", "2d"},
    {"retention.sessions", "60d"},
    {"retention.devices", "90d"},
    {"retention.audit", "10d"},
    {"retention.dead_letters", "3d"},
};

std::string describe(const domain::LimitRule& rule) {
    std::string text;
    for (const auto& window : rule.windows()) {
        text += std::to_string(window.count) + "/" + std::to_string(window.window.count()) + "s ";
    }
    return text;
}

// Every field, a line each.
std::string describe(const Settings& s) {
    std::ostringstream out;
    const auto line = [&](std::string_view name, const auto& value) { out << name << " = " << value << '\n'; };
    line("logFormat", static_cast<int>(s.logFormat));
    line("logLevel", static_cast<int>(s.logLevel));
    line("masterKeyFile", s.masterKeyFile);
    line("publicUrl", s.publicUrl);
    line("basePath", s.basePath);
    line("server.listen", s.server.listen);
    line("server.socketMode", s.server.socketMode);
    line("server.socketGroup", s.server.socketGroup);
    line("server.processes", s.server.processes);
    line("server.threads", s.server.threads);
    for (const auto& proxy : s.trustedProxies) line("trustedProxies", proxy);
    line("database.url", s.database.url);
    line("database.password", s.database.password);
    line("database.connectTimeout", s.database.connectTimeout.count());
    line("database.answerTimeout", s.database.answerTimeout.count());
    for (const auto& origin : s.corsOrigins) line("corsOrigins", origin);
    for (const auto& header : s.corsHeaders) line("corsHeaders", header);
    for (const auto& reader : s.metricsReaders) line("metricsReaders", reader);
    for (const auto& address : s.adminAddresses) line("adminAddresses", address);
    for (const auto& contact : s.securityContacts) line("securityContacts", contact);
    line("securityPolicy", s.securityPolicy);
    line("page.name", s.page.name);
    line("page.accent", s.page.accent);
    line("page.logo", s.page.logo);
    line("page.stylesheet", s.page.stylesheet);
    line("page.privacyUrl", s.page.privacyUrl);
    line("page.imprintUrl", s.page.imprintUrl);
    line("page.supportUrl", s.page.supportUrl);
    for (const auto& application : s.page.applications) line("page." + application.name, application.origin);
    line("authz.headers", static_cast<int>(s.authz.headers));
    line("authz.remoteUser", static_cast<int>(s.authz.remoteUser));
    line("authz.cookieDomain", s.authz.cookieDomain);
    for (const auto& domain : s.otp.signUp.domains) line("otp.signUp.domains", domain);
    for (const auto& address : s.otp.signUp.addresses) line("otp.signUp.addresses", address);
    line("otp.signUp.isClosed", s.otp.signUp.isClosed);
    for (const auto* rule : {&s.otp.signIn, &s.tokens.signIn, &s.passkeys.signIn}) {
        for (const auto& group : rule->groups) line("signIn.groups", group);
    }
    line("otp.format.length", s.otp.format.length);
    line("otp.format.alphabet", toString(s.otp.format.alphabet));
    line("otp.emailLifetime", s.otp.emailLifetime.count());
    line("otp.smsLifetime", s.otp.smsLifetime.count());
    line("otp.onResend", static_cast<int>(s.otp.onResend));
    line("otp.linkUse", static_cast<int>(s.otp.linkUse));
    line("otp.autoRegister", s.otp.autoRegister);
    line("otp.disclosure", static_cast<int>(s.otp.disclosure));
    line("changeWithin", s.changeWithin.count());
    line("apiKeyHolders", static_cast<int>(s.apiKeyHolders));
    line("passwordsPerClient", describe(s.passwordsPerClient));
    line("passkeysPerAccount", describe(s.passkeysPerAccount));
    line("notices.perDestination", describe(s.notices.perDestination));
    line("verificationsPerAccount", describe(s.verificationsPerAccount));
    line("otp.changesPerAccount", describe(s.otp.changesPerAccount));
    line("notices.newSignIn", s.notices.newSignIn);
    line("notices.passwordChanged", s.notices.passwordChanged);
    line("notices.addressChanged", s.notices.addressChanged);
    line("notices.manyFailures", s.notices.manyFailures);
    line("notices.passkeysChanged", s.notices.passkeysChanged);
    line("notices.factorsChanged", s.notices.factorsChanged);
    line("passkeys.rpId", s.passkeys.rpId);
    line("passkeys.origin", s.passkeys.origin);
    line("notices.bySms", static_cast<int>(s.notices.bySms));
    line("notices.lifetime", s.notices.lifetime.count());
    line("otp.maxAttempts", s.otp.maxAttempts);
    line("otp.resendAfter", s.otp.resendAfter.count());
    line("otp.fixedCode", s.otp.fixedCode);
    line("otp.requestsPerDestination", describe(s.otp.requestsPerDestination));
    line("otp.requestsPerClient", describe(s.otp.requestsPerClient));
    line("otp.work.when", int(s.otp.work.when));
    line("otp.work.steps", s.otp.work.steps);
    line("humanCheck.service", toString(s.humanCheck.site.service));
    line("humanCheck.siteKey", s.humanCheck.site.siteKey);
    line("otp.humanCheck", s.otp.humanCheck.toJson());
    line("humanCheck.secret", s.humanCheck.secret);
    line("humanCheck.verifyUrl", s.humanCheck.verifyUrl);
    for (const auto& host : s.humanCheck.hosts) line("humanCheck.hosts", host);
    line("otp.guessesPerDestination", describe(s.otp.guessesPerDestination));
    line("emailValidation", static_cast<int>(s.emailValidation));
    line("phoneValidation", static_cast<int>(s.phoneValidation));
    line("passwords.cost.memoryKib", s.passwords.cost.memoryKib);
    line("passwords.cost.iterations", s.passwords.cost.iterations);
    line("passwords.slots", s.passwords.slots);
    line("passwords.queue", s.passwords.queue);
    line("passwordMinScore", s.passwordMinScore);
    line("tokens.format", static_cast<int>(s.tokens.format));
    line("tokens.issuer", s.tokens.issuer);
    line("tokens.audience", s.tokens.audience);
    line("tokens.accessLifetime", s.tokens.accessLifetime.count());
    line("tokens.sessions.idle", s.tokens.sessions.idle.count());
    line("tokens.sessions.total", s.tokens.sessions.total.count());
    line("tokens.sessions.aal2Idle", s.tokens.sessions.aal2Idle.count());
    line("tokens.sessions.aal2Total", s.tokens.sessions.aal2Total.count());
    line("otp.signIn.factors.whom", static_cast<int>(s.otp.signIn.factors.whom));
    line("otp.signIn.factors.group", s.otp.signIn.factors.group);
    line("otp.signIn.factors.grace", s.otp.signIn.factors.grace.count());
    line("otp.deviceTrust", s.otp.deviceTrust.value_or(std::chrono::seconds{0}).count());
    line("mail.transport", static_cast<int>(s.mail.transport));
    line("mail.directory", s.mail.directory);
    line("mail.from", s.mail.from);
    for (const auto* server : {&s.mail.smtp, &s.mail.fallback}) {
        line(server->section + ".host", server->host);
        line(server->section + ".port", server->port);
        line(server->section + ".security", static_cast<int>(server->security));
        line(server->section + ".caFile", server->caFile);
        line(server->section + ".username", server->username);
        line(server->section + ".password", server->password);
        line(server->section + ".auth", static_cast<int>(server->auth));
        line(server->section + ".oauthTokenFile", server->oauthTokenFile);
    }
    line("mail.smtpManners.plaintextAuth", static_cast<int>(s.mail.smtpManners.plaintextAuth));
    line("mail.smtpManners.timeouts.connect", s.mail.smtpManners.timeouts.connect.count());
    line("mail.smtpManners.timeouts.answer", s.mail.smtpManners.timeouts.answer.count());
    line("mail.smtpManners.timeouts.data", s.mail.smtpManners.timeouts.data.count());
    line("sms.transport", static_cast<int>(s.sms.transport));
    line("sms.directory", s.sms.directory);
    line("sms.from", s.sms.from);
    line("sms.twilioAccountSid", s.sms.twilioAccountSid);
    line("sms.twilioAuthToken", s.sms.twilioAuthToken);
    line("sms.twilioApiKeySid", s.sms.twilioApiKeySid);
    line("sms.twilioApiKeySecret", s.sms.twilioApiKeySecret);
    line("sms.twilioUrl", s.sms.twilioUrl);
    line("sms.vonageApiKey", s.sms.vonageApiKey);
    line("sms.vonageApiSecret", s.sms.vonageApiSecret);
    line("sms.vonageUrl", s.sms.vonageUrl);
    line("sms.http.method", static_cast<int>(s.sms.http.method));
    line("sms.http.url", s.sms.http.url);
    for (const auto& header : s.sms.http.headers) line("sms.http.headers", header);
    line("sms.http.bodyType", static_cast<int>(s.sms.http.bodyType));
    line("sms.http.body", s.sms.http.body);
    line("sms.http.secret", s.sms.http.secret);
    for (const auto& status : s.sms.http.successStatus) line("sms.http.successStatus", status);
    line("sms.http.successBody", s.sms.http.successBody);
    line("sms.caFile", s.sms.caFile);
    line("sms.mockFailureRate", s.sms.mockFailureRate);
    line("sms.timeout", s.sms.timeout.count());
    line("templates.directory", s.templates.directory);
    line("templates.defaultLocale", s.templates.defaultLocale);
    for (const auto& prefix : s.sms.rules.allowedPrefixes.prefixes()) line("sms.allowedPrefixes", prefix);
    line("sms.dailyBudgets", s.sms.rules.dailyBudgets.toText());
    line("courier.mode", static_cast<int>(s.courier.mode));
    line("courier.queueLength", s.courier.queueLength);
    line("courier.mailSenders", s.courier.mailSenders);
    line("courier.smsSenders", s.courier.smsSenders);
    line("courier.lookEvery", s.courier.lookEvery.count());
    line("retention.otpRequests", s.retention.otpRequests.count());
    line("retention.sessions", s.retention.sessions.count());
    line("retention.devices", s.retention.devices.count());
    line("retention.audit", s.retention.audit.count());
    line("webhookReceivers", int(s.webhookReceivers));
    line("retention.deadLetters", s.retention.deadLetters.count());
    return out.str();
}

// A file of the checkout that this test was compiled from.
std::string checkoutPath(std::string_view path) {
    return (std::filesystem::path(__FILE__).parent_path() / "../.." / path).string();
}
std::string contentOf(const std::string& path) {
    std::ifstream file(path);
    CPPUNIT_ASSERT_MESSAGE("cannot read " + path + "; run the tests from the top of the checkout", file.is_open());
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// section.name -> value
std::map<std::string, std::string> documented() {
    std::map<std::string, std::string> settings;
    std::istringstream text(contentOf(checkoutPath("etc/otpgate.conf")));
    std::string section;
    for (std::string line; std::getline(text, line);) {
        if (line.empty() || line[0] == '#') continue;
        const auto equals = line.find(" =");
        if (line[0] == '[')
            section = line.substr(1, line.find(']') - 1) + ".";
        else if (equals != std::string::npos)
            settings[section + line.substr(0, equals)] = line.substr(equals + 2);
    }
    return settings;
}

// What src/settings*.cpp ask their reader for: reader.integer("server.threads", or limit(reader, "limits.notices",
std::set<std::string> askedFor() {
    std::string code;
    for (const char* file : {"src/settings.cpp", "src/settings_delivery.cpp", "src/settings_page.cpp"})
        code += contentOf(checkoutPath(file));
    const Poco::RegularExpression getter(R"re((?:reader\.(\w+)\(|\(reader,)\s*"([a-z0-9_.]+)")re");
    std::set<std::string> keys;
    Poco::RegularExpression::MatchVec found;
    for (std::size_t at = 0; getter.match(code, at, found) > 0; at = found[0].offset + found[0].length) {
        const std::string key = code.substr(found[2].offset, found[2].length);
        keys.insert(key);
        if (found[1].offset != std::string::npos && code.substr(found[1].offset, found[1].length) == "secret") {
            keys.insert(key + "_file");
        }
    }
    return keys;
}

class SettingsTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(SettingsTest);
    CPPUNIT_TEST(documentsEverySetting);
    CPPUNIT_TEST(knowsEverySettingThatIsDocumented);
    CPPUNIT_TEST(documentsTheDefaults);
    CPPUNIT_TEST(putsEverySettingIntoAField);
    CPPUNIT_TEST(takesEverySettingFromTheEnvironment);
    CPPUNIT_TEST(readsSecretsFromFiles);
    CPPUNIT_TEST(allowsAFixedCodeInDevelopmentOnly);
    CPPUNIT_TEST(asksForAHumanWhereAnyChallengeIsAsked);
    CPPUNIT_TEST(cutsTheSlashOfThePublicUrl);
    CPPUNIT_TEST(putsTheBasePathAtTheEndOfThePublicUrl);
    CPPUNIT_TEST(namesBadValues);
    CPPUNIT_TEST(namesAnUnknownSetting);
    CPPUNIT_TEST(namesAFileThatIsNotThere);
    CPPUNIT_TEST(refusesADirectory);
    CPPUNIT_TEST_SUITE_END();

    Settings load(const std::string& text, const Environment& environment = {}) const {
        return loadSettings(directory_.write("otpgate.conf", text), environment);
    }
    // section.name = value as a file.
    static std::string fileWith(const std::string& key, const std::string& value) {
        const auto dot = key.find('.');
        if (dot == std::string::npos) return key + " = " + value + "\n";
        return "[" + key.substr(0, dot) + "]\n" + key.substr(dot + 1) + " = " + value + "\n";
    }
    static std::string variableOf(std::string key) {
        for (char& c : key) c = c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        return "OTPGATE_" + key;
    }
    std::string otherValue(const std::string& key) const {
        const auto other = kOtherValues.find(key);
        CPPUNIT_ASSERT_MESSAGE("kOtherValues has no value for " + key, other != kOtherValues.end());
        return other->second == "SECRET FILE" ? directory_.write("secret", "from a file\n") : other->second;
    }
    template <typename Action>
    static std::string mistakeOf(Action action) {
        try {
            action();
        } catch (const ConfigurationError& error) {
            return error.what();
        }
        return "no mistake";
    }
    void assertMistake(const std::string& expected, const std::string& text) {
        const std::string mistake = mistakeOf([&] { load(text); });
        CPPUNIT_ASSERT_MESSAGE(text + mistake, mistake.find(directory_.path("otpgate.conf")) == 0);
        CPPUNIT_ASSERT_MESSAGE(text + mistake, mistake.find(expected) != std::string::npos);
    }

    void documentsEverySetting() {
        const auto asked = askedFor();
        CPPUNIT_ASSERT(asked.size() > 30 && asked.contains("environment") && asked.contains("mail.smtp_password_file"));
        const auto inTheFile = documented();
        for (const std::string& key : asked) CPPUNIT_ASSERT_MESSAGE(key, inTheFile.contains(key));
    }

    void knowsEverySettingThatIsDocumented() {
        loadSettings(checkoutPath("etc/otpgate.conf"), {});
        const auto asked = askedFor();
        for (const auto& [key, value] : documented()) CPPUNIT_ASSERT_MESSAGE(key, asked.contains(key));
    }

    void documentsTheDefaults() {
        CPPUNIT_ASSERT_EQUAL(describe(load("")), describe(loadSettings(checkoutPath("etc/otpgate.conf"), {})));
    }

    void putsEverySettingIntoAField() {
        const std::string standard = describe(load(""));
        for (const std::string& key : askedFor()) {
            if (key == "environment" || key == "otp.fixed_code") continue;  // see allowsAFixedCodeInDevelopmentOnly
            CPPUNIT_ASSERT_MESSAGE(key, describe(load(fileWith(key, otherValue(key)))) != standard);
        }
    }

    void takesEverySettingFromTheEnvironment() {
        for (const std::string& key : askedFor()) {
            if (key == "environment" || key == "otp.fixed_code") continue;
            CPPUNIT_ASSERT_EQUAL(describe(load(fileWith(key, otherValue(key)))),
                                 describe(load("", {{variableOf(key), otherValue(key)}})));
        }
        CPPUNIT_ASSERT_EQUAL(7U, load("[server]\nthreads = 5\n", {{"OTPGATE_SERVER_THREADS", "7"}}).server.threads);
    }

    void readsSecretsFromFiles() {
        const std::string file = directory_.write("secret", "from a file\nsecond line\n");
        const Settings settings =
            load("[database]\npassword_file = " + file + "\n[mail]\nsmtp_password_file = " + file +
                 "\n[sms]\ntwilio_auth_token_file = " + file + "\ntwilio_api_key_secret_file = " + file +
                 "\nvonage_api_secret_file = " + file + "\nhttp_secret_file = " + file + "\n");
        CPPUNIT_ASSERT_EQUAL("from a file"s, settings.database.password);
        CPPUNIT_ASSERT_EQUAL("from a file"s, settings.mail.smtp.password);
        CPPUNIT_ASSERT_EQUAL("from a file"s, settings.sms.twilioAuthToken);
        CPPUNIT_ASSERT_EQUAL("from a file"s, settings.sms.twilioApiKeySecret);
        CPPUNIT_ASSERT_EQUAL("from a file"s, settings.sms.vonageApiSecret);
        CPPUNIT_ASSERT_EQUAL("from a file"s, settings.sms.http.secret);
    }

    void allowsAFixedCodeInDevelopmentOnly() {
        CPPUNIT_ASSERT_EQUAL("000042"s, load("environment = development\n[otp]\nfixed_code = 000042\n").otp.fixedCode);
        assertMistake("otp.fixed_code: is allowed with environment = development only", "[otp]\nfixed_code = 000042\n");
        assertMistake("otp.fixed_code", "environment = production\n[otp]\nfixed_code = 000042\n");
        for (const char* code : {"42", "0000042", "00004x", "-00042", " 0042", "\u0660\u0660\u0660"}) {
            assertMistake("otp.fixed_code: must be otp.length digits",
                          "environment = development\n[otp]\nfixed_code = "s + code + "\n");
        }
        CPPUNIT_ASSERT_EQUAL("0042"s,
                             load("environment = development\n[otp]\nlength = 4\nfixed_code = 0042\n").otp.fixedCode);
    }

    void asksForAHumanWhereAnyChallengeIsAsked() {
        const std::string site =
            "[server]\npublic_url = https://Login.example.org:8443\n[cors]\n"
            "allowed_origins = https://app.example.org\n[abuse]\nchallenge_by = turnstile\n";
        CPPUNIT_ASSERT(!load(site).otp.humanCheck.isUsed());
        const Settings settings = load(site + "challenge = sms\n");
        CPPUNIT_ASSERT(settings.otp.humanCheck.service == domain::HumanCheckService::Turnstile);
        CPPUNIT_ASSERT((settings.humanCheck.hosts == std::vector{"login.example.org"s, "app.example.org"s}));
        CPPUNIT_ASSERT_EQUAL("https://challenges.cloudflare.com/turnstile/v0/siteverify"s,
                             settings.humanCheck.verifyUrl);
    }

    void cutsTheSlashOfThePublicUrl() {
        const Settings settings = load("[server]\npublic_url = https://login.example.org/\n");
        CPPUNIT_ASSERT_EQUAL("https://login.example.org"s, settings.publicUrl);
        CPPUNIT_ASSERT_EQUAL("https://login.example.org"s, settings.tokens.issuer);
    }

    void putsTheBasePathAtTheEndOfThePublicUrl() {
        for (const char* url : {"https://example.org", "https://example.org/", "https://example.org/a/login/"}) {
            const Settings settings = load("[server]\nbase_path = /a/login/\npublic_url = "s + url + "\n");
            CPPUNIT_ASSERT_EQUAL("/a/login"s, settings.basePath);
            CPPUNIT_ASSERT_EQUAL("https://example.org/a/login"s, settings.publicUrl);
            CPPUNIT_ASSERT_EQUAL("https://example.org/a/login"s, settings.tokens.issuer);
        }
        CPPUNIT_ASSERT_EQUAL(""s, load("[server]\nbase_path = /\n").basePath);
        assertMistake("server.public_url: has the path /login, which server.base_path must be",
                      "[server]\npublic_url = https://example.org/login\n");
        for (const char* path : {"login", "/a//b", "/../a", "/a/.", "/a b", "/a?b", "/a%20", "/\"a"}) {
            assertMistake("server.base_path: must be a path such as /login", "[server]\nbase_path = "s + path + "\n");
        }
    }

    void namesBadValues() {
        const std::pair<const char*, const char*> kBad[] = {
            {"environment", "test"},
            {"server.threads", "0"},
            {"server.threads", "257"},
            {"server.threads", "many"},
            {"server.socket_mode", "888"},
            {"server.socket_mode", "01777"},
            {"server.public_url", "login.example.org"},
            {"server.public_url", "https://"},
            {"server.public_url", ""},
            {"security.contacts", "security@example.org"},
            {"security.contacts", "mailto:security@example.org, http://example.org/report"},
            {"security.policy", "http://example.org/policy"},
            {"page.accent", "blue"},
            {"page.accent", "#12345g"},
            {"page.logo", "../logo.svg"},
            {"page.logo", ".svg"},
            {"page.logo", "logo.exe"},
            {"page.stylesheet", "own.js"},
            {"page.privacy_url", "javascript:alert(1)"},
            {"page.imprint_url", "www.example.org"},
            {"page.support_url", "help@example.org"},
            {"page.return_to", "Wiki"},
            {"page.return_to", "https://wiki.example.org/path"},
            {"page.return_to", "https://user@wiki.example.org"},
            {"page.return_to", "javascript:alert(1)"},
            {"authz.headers", "X-Auth"},
            {"authz.remote_user", "username"},
            {"session.cookie_domain", "example.org"},
            {"session.cookie_domain", "ocalhost"},
            {"session.cookie_domain", "www.localhost"},
            {"accounts.allowed_domains", "@example.org"},
            {"accounts.allowed_domains", "*"},
            {"accounts.allowed_addresses", "example.org"},
            {"accounts.allowed_groups", "our staff"},
            {"log.format", "xml"},
            {"log.level", "trace"},
            {"database.connect_timeout", "0s"},
            {"database.connect_timeout", "1500ms"},
            {"database.answer_timeout", "61s"},
            {"database.answer_timeout", "1"},
            {"otp.length", "3"},
            {"otp.length", "11"},
            {"otp.length", "6.0"},
            {"otp.alphabet", "hex"},
            {"otp.alphabet", ""},
            {"otp.sms_lifetime", "0s"},
            {"otp.sms_lifetime", "25h"},
            {"otp.on_resend", "again"},
            {"otp.auto_register", "1"},
            {"accounts.reveal", "maybe"},
            {"accounts.change_within", "59s"},
            {"accounts.change_within", "25h"},
            {"notices.new_sign_in", "always"},
            {"notices.by_sms", "1"},
            {"notices.lifetime", "59s"},
            {"notices.lifetime", "8d"},
            {"email.validation", "loose"},
            {"phone.validation", "loose"},
            {"otp.email_lifetime", "25h"},
            {"otp.email_lifetime", "999ms"},
            {"otp.max_attempts", "0"},
            {"otp.max_attempts", "11"},
            {"otp.resend_after", "2h"},
            {"limits.request_per_destination", "5"},
            {"limits.request_per_destination", ""},
            {"limits.request_per_client", "30/1w"},
            {"limits.passwords_per_client", "30"},
            {"limits.verifications_per_account", "1001/1h"},
            {"limits.changes_per_account", "x"},
            {"api_keys.allowed", "nobody"},
            {"limits.guesses_per_destination", "1001/1h"},
            {"limits.guesses_per_destination", "1/1s,2/1m,3/1h"},
            {"passwords.memory_kib", "7"},
            {"passwords.memory_kib", "262145"},
            {"passwords.iterations", "0"},
            {"passwords.iterations", "11"},
            {"passwords.slots", "257"},
            {"passwords.queue", "-1"},
            {"passwords.min_score", "5"},
            {"mail.transport", "SMTP"},
            {"mail.smtp_port", "65536"},
            {"mail.smtp_port", "0"},
            {"mail.smtp_security", "ssl"},
            {"mail.smtp_timeout", "1h"},
            {"mail.smtp_connect_timeout", "61s"},
            {"mail.smtp_data_timeout", "0s"},
            {"mail.smtp_auth", "cram-md5"},
            {"mail.smtp_allow_plaintext_auth", "yes"},
            {"mail_fallback.smtp_port", "0"},
            {"mail_fallback.smtp_security", "ssl"},
            {"mail_fallback.smtp_auth", ""},
            {"mail_fallback.smtp_password_file", "/nonexistent/secret"},
            {"mail.smtp_password_file", "/nonexistent/secret"},
            {"sms.transport", "pigeon"},
            {"sms.failure_rate", "1.01"},
            {"sms.failure_rate", "-0.1"},
            {"sms.failure_rate", "nan"},
            {"sms.failure_rate", "5%"},
            {"sms.failure_rate", ""},
            {"sms.http_method", "DELETE"},
            {"sms.http_content_type", "text/plain"},
            {"sms.timeout", "0s"},
            {"sms.timeout", "121s"},
            {"sms.allowed_prefixes", "49"},
            {"sms.allowed_prefixes", "+49, +"},
            {"sms.daily_budgets", "+49"},
            {"sms.daily_budgets", "+49:1000, +49:10"},
            {"sms.daily_budgets", "+49:-1"},
            {"sms.twilio_auth_token_file", "/nonexistent/secret"},
            {"tokens.format", "JWT"},
            {"tokens.access_lifetime", "1s"},
            {"tokens.refresh_lifetime", "367d"},
            {"tokens.session_lifetime", "59s"},
            {"tokens.session_lifetime", "3661d"},
            {"tokens.aal2_refresh_lifetime", "0s"},
            {"tokens.aal2_session_lifetime", "59s"},
            {"mfa.required", "everybody"},
            {"mfa.required", "group:"},
            {"mfa.grace_days", "-1"},
            {"mfa.trusted_device_days", "367"},
            {"delivery.queue_length", "-1"},
            {"retention.otp_requests", "23h"},
            {"retention.sessions", "59m"},
            {"retention.devices", "23h"},
            {"retention.audit", "for ever"},
        };
        for (const auto& [key, value] : kBad) {
            assertMistake(key, fileWith(key, value));
            const std::string mistake = mistakeOf([&, &k = key, &v = value] { load("", {{variableOf(k), v}}); });
            CPPUNIT_ASSERT_MESSAGE(mistake, mistake.find(variableOf(key)) == 0);
        }
    }

    void namesAnUnknownSetting() {
        assertMistake("unknown setting: otp.lenght (did you mean otp.length?)", "[otp]\nlenght = 6\n");
        CPPUNIT_ASSERT_EQUAL(
            "unknown setting in the environment: OTPGATE_OTP_LENGHT (did you mean OTPGATE_OTP_LENGTH?)"s,
            mistakeOf([&] {
                load("", {{"OTPGATE_OTP_LENGHT", "6"}});
            }));
    }

    void namesAFileThatIsNotThere() {
        const std::string path = directory_.path("absent.conf");
        CPPUNIT_ASSERT_EQUAL("cannot read the configuration file " + path + ": No such file or directory",
                             mistakeOf([&] { loadSettings(path, {}); }));
    }

    // It opens like a file and reads as an empty one: otpgate would start with its defaults.
    void refusesADirectory() {
        const std::string path = directory_.path("");
        CPPUNIT_ASSERT_EQUAL("cannot read the configuration file " + path + ": Is a directory",
                             mistakeOf([&] { loadSettings(path, {}); }));
    }

    test::TemporaryDirectory directory_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(SettingsTest);

}  // namespace settings_test
}  // namespace otpgate
