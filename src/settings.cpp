// The list of settings: name, default, limits. etc/otpgate.conf describes each; a test holds the two together.
#include "settings.h"

#include "otpgate/base/errors.h"
#include "otpgate/base/settings_reader.h"
#include "otpgate/base/text.h"
#include "otpgate/domain/people_words.h"
#include "settings_delivery.h"
#include "settings_page.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace otpgate {

namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;

constexpr const char* kDefaultPath = "/etc/otpgate/otpgate.conf";

std::string readFile(const std::string& path, bool mayBeAbsent) {
    std::ifstream file(path);
    // It opens like a file and reads as nothing.
    if (file && std::filesystem::is_directory(path)) {
        throw ConfigurationError("cannot read the configuration file " + path + ": " + std::strerror(EISDIR));
    }
    if (!file) {
        if (mayBeAbsent && errno == ENOENT) return {};
        throw ConfigurationError("cannot read the configuration file " + path + ": " + std::strerror(errno));
    }
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

domain::LimitRule limit(SettingsReader& reader, const std::string& key, std::string_view standard) {
    const auto rule = domain::LimitRule::parse(reader.text(key, standard));
    if (!rule)
        reader.reject(key, "must be COUNT/WINDOW such as 5/1h, at most two of them by comma, at most 1000 each, or 0");
    return *rule;
}

http::ServerSettings readServer(SettingsReader& reader) {
    http::ServerSettings server;
    server.listen = reader.text("server.listen", server.listen);
    server.socketMode = reader.octal("server.socket_mode", server.socketMode, 0777);
    server.socketGroup = reader.text("server.socket_group", "");
    server.processes = static_cast<unsigned>(reader.integer("server.processes", server.processes, 1, 64));
    server.threads = static_cast<unsigned>(reader.integer("server.threads", server.threads, 1, 256));
    return server;
}

// Of characters that are the same in a path, in its escaped form and in JSON.
std::string readBasePath(SettingsReader& reader) {
    std::string path = reader.text("server.base_path", "");
    while (path.ends_with('/')) path.pop_back();
    const bool isPlain = std::ranges::all_of(
        path, [](char c) { return isLetterOrDigit(c) || std::string_view{"/-._~"}.find(c) != std::string_view::npos; });
    const std::string segments = path + "/";
    const bool isPath = path.starts_with('/') && segments.find("//") == std::string::npos &&
                        segments.find("/./") == std::string::npos && segments.find("/../") == std::string::npos;
    if (!path.empty() && !(isPlain && isPath)) reader.reject("server.base_path", "must be a path such as /login");
    return path;
}

// With the base path at its end, whether it is written there or not.
std::string readPublicUrl(SettingsReader& reader, const std::string& basePath) {
    std::string url = reader.text("server.public_url", "http://localhost:8080");
    while (!url.empty() && url.back() == '/') url.pop_back();
    const bool hasScheme = url.starts_with("https://") || url.starts_with("http://");
    if (!hasScheme || url.ends_with("://")) reader.reject("server.public_url", "must begin with https:// or http://");
    const std::string path = url.substr(std::min(url.find('/', url.find("://") + 3), url.size()));
    if (!path.empty() && path != basePath) {
        reader.reject("server.public_url", "has the path " + path + ", which server.base_path must be");
    }
    return path.empty() ? url + basePath : url;
}

db::DatabaseSettings readDatabase(SettingsReader& reader) {
    db::DatabaseSettings database;
    database.url = reader.text("database.url", "sqlite:/var/lib/otpgate/otpgate.db");
    database.password = reader.secret("database.password");
    database.connectTimeout = reader.wholeSeconds("database.connect_timeout", 1s, 1s, 60s);
    database.answerTimeout = reader.wholeSeconds("database.answer_timeout", 1s, 1s, 60s);
    return database;
}

domain::WorkSettings readWork(SettingsReader& reader) {
    using domain::AskForWork;
    constexpr AskForWork kWhen[] = {AskForWork::Off, AskForWork::Limits, AskForWork::Sms, AskForWork::Always};
    domain::WorkSettings work;
    work.when = kWhen[reader.choice("abuse.challenge", {"off", "limits", "sms", "always"}, "off")];
    work.steps = static_cast<unsigned>(reader.integer("abuse.challenge_steps", work.steps, 1000, 10000000));
    return work;
}

// On pages of ours, and of the applications that may ask for codes in a browser.
std::vector<std::string> hostsOfPages(const Settings& settings) {
    std::vector<std::string> hosts{toLower(hostOf(settings.publicUrl))};
    for (const std::string& origin : settings.corsOrigins) hosts.push_back(toLower(hostOf(origin)));
    return hosts;
}

domain::HumanCheckSettings readHumanCheck(SettingsReader& reader, const Settings& settings) {
    using domain::HumanCheckService;
    constexpr HumanCheckService kServices[] = {HumanCheckService::None, HumanCheckService::Turnstile,
                                               HumanCheckService::HCaptcha};
    domain::HumanCheckSettings check;
    check.site.service = kServices[reader.choice("abuse.challenge_by", {"work", "turnstile", "hcaptcha"}, "work")];
    check.site.siteKey = reader.text("abuse.challenge_site_key", "");
    check.secret = reader.secret("abuse.challenge_secret");
    check.verifyUrl = reader.text("abuse.challenge_verify_url", "");
    if (check.verifyUrl.empty()) check.verifyUrl = verifyUrlOf(check.site.service);
    check.hosts = hostsOfPages(settings);
    return check;
}

domain::OtpSettings readOtp(SettingsReader& reader, bool isDevelopment) {
    using domain::CodeAlphabet;
    using domain::Disclosure;
    using domain::Resend;
    domain::OtpSettings otp;
    otp.format.length = static_cast<unsigned>(reader.integer("otp.length", otp.format.length, 4, 10));
    constexpr CodeAlphabet kAlphabets[] = {CodeAlphabet::Digits, CodeAlphabet::Letters};
    otp.format.alphabet = kAlphabets[reader.choice("otp.alphabet", {"digits", "letters"}, "digits")];
    otp.emailLifetime = reader.wholeSeconds("otp.email_lifetime", 10min, 1s, hours{24});
    otp.smsLifetime = reader.wholeSeconds("otp.sms_lifetime", 5min, 1s, hours{24});
    otp.onResend =
        reader.choice("otp.on_resend", {"rotate", "repeat"}, "rotate") == 1 ? Resend::Repeat : Resend::Rotate;
    constexpr domain::LinkUse kLinks[] = {domain::LinkUse::Off, domain::LinkUse::Beside, domain::LinkUse::Instead};
    otp.linkUse = kLinks[reader.choice("otp.link", {"off", "beside", "instead"}, "off")];
    otp.autoRegister = reader.flag("otp.auto_register", true);
    otp.disclosure = reader.flag("accounts.reveal", false) ? Disclosure::Reveal : Disclosure::Hide;
    otp.maxAttempts = static_cast<unsigned>(reader.integer("otp.max_attempts", otp.maxAttempts, 1, 10));
    otp.resendAfter = reader.wholeSeconds("otp.resend_after", 30s, 1s, hours{1});
    otp.fixedCode = reader.text("otp.fixed_code", "");
    if (!otp.fixedCode.empty()) {
        if (!isDevelopment) reader.reject("otp.fixed_code", "is allowed with environment = development only");
        const bool isDigits = std::ranges::all_of(otp.fixedCode, isDigit);
        if (!isDigits || otp.fixedCode.size() != otp.format.length)
            reader.reject("otp.fixed_code", "must be otp.length digits");
    }
    otp.requestsPerDestination = limit(reader, "limits.request_per_destination", "5/1h");
    otp.requestsPerClient = limit(reader, "limits.request_per_client", "30/1h");
    otp.work = readWork(reader);
    otp.changesPerAccount = limit(reader, "limits.changes_per_account", "10/1h");
    otp.guessesPerDestination = limit(reader, "limits.guesses_per_destination", "10/1h,20/1d");
    return otp;
}

domain::NoticeSettings readNotices(SettingsReader& reader) {
    domain::NoticeSettings notices;
    notices.newSignIn = reader.flag("notices.new_sign_in", true);
    notices.passwordChanged = reader.flag("notices.password_changed", true);
    notices.addressChanged = reader.flag("notices.address_changed", true);
    notices.manyFailures = reader.flag("notices.many_failures", true);
    notices.passkeysChanged = reader.flag("notices.passkeys_changed", true);
    notices.factorsChanged = reader.flag("notices.factors_changed", true);
    if (reader.flag("notices.by_sms", false)) notices.bySms = domain::NoticeBySms::WhereNoMail;
    notices.lifetime = reader.wholeSeconds("notices.lifetime", hours{24}, 1min, days{7});
    notices.perDestination = limit(reader, "limits.notices_per_destination", "10/1h");
    return notices;
}

crypto::PasswordGateOptions readPasswords(SettingsReader& reader) {
    crypto::PasswordGateOptions passwords;
    crypto::PasswordCost& cost = passwords.cost;
    cost.memoryKib = static_cast<unsigned>(reader.integer(
        "passwords.memory_kib", cost.memoryKib, crypto::kMinPasswordMemoryKib, crypto::kMaxPasswordMemoryKib));
    cost.iterations = static_cast<unsigned>(
        reader.integer("passwords.iterations", cost.iterations, 1, crypto::kMaxPasswordIterations));
    passwords.slots = static_cast<unsigned>(reader.integer("passwords.slots", 0, 0, 256));
    passwords.queue = static_cast<unsigned>(reader.integer("passwords.queue", passwords.queue, 0, 1000));
    return passwords;
}

domain::TokenSettings readTokens(SettingsReader& reader, const std::string& issuer) {
    domain::TokenSettings tokens;
    tokens.format = reader.choice("tokens.format", {"jwt", "opaque"}, "jwt") == 1 ? domain::TokenFormat::Opaque
                                                                                  : domain::TokenFormat::Jwt;
    tokens.issuer = issuer;
    tokens.audience = reader.text("tokens.audience", "otpgate");
    tokens.accessLifetime = reader.wholeSeconds("tokens.access_lifetime", 15min, 10s, hours{24});
    tokens.sessions.idle = reader.wholeSeconds("tokens.refresh_lifetime", days{7}, 1min, days{366});
    tokens.sessions.total = reader.wholeSeconds("tokens.session_lifetime", days{30}, 1min, days{3660});
    tokens.sessions.aal2Idle = reader.wholeSeconds("tokens.aal2_refresh_lifetime", hours{1}, 1min, days{366});
    tokens.sessions.aal2Total = reader.wholeSeconds("tokens.aal2_session_lifetime", hours{24}, 1min, days{3660});
    return tokens;
}

// As RFC 9116, section 2.5.3 has them: URIs, and those of the Web by https.
std::vector<std::string> readSecurityContacts(SettingsReader& reader) {
    std::vector<std::string> contacts = reader.list("security.contacts", "");
    const bool areUris = std::ranges::all_of(contacts, [](const std::string& contact) {
        return contact.starts_with("mailto:") || contact.starts_with("https://") || contact.starts_with("tel:");
    });
    if (!areUris) reader.reject("security.contacts", "must begin with mailto:, https:// or tel:");
    return contacts;
}

// Of the hosts that share a cookie: the host of the service itself, which sets it, is one of them.
std::string readCookieDomain(SettingsReader& reader, const std::string& publicUrl) {
    std::string domain = toLower(reader.text("session.cookie_domain", ""));
    if (domain.starts_with('.')) domain.erase(0, 1);
    if (domain.empty()) return domain;
    const std::string host = toLower(hostOf(publicUrl));
    // Nobody shares a cookie with all of com.
    const bool isAbove = domain.find('.') != std::string::npos && host.ends_with("." + domain);
    if (host != domain && !isAbove) {
        reader.reject("session.cookie_domain", "must be a domain that the host of server.public_url is in");
    }
    return domain;
}

api::AuthzSettings readAuthz(SettingsReader& reader, const std::string& publicUrl) {
    using api::HeaderFamily;
    using api::RemoteUser;
    constexpr HeaderFamily kFamilies[] = {HeaderFamily::XAuth, HeaderFamily::Remote, HeaderFamily::XAuthRequest};
    constexpr RemoteUser kUsers[] = {RemoteUser::Id, RemoteUser::Email};
    api::AuthzSettings authz;
    authz.headers = kFamilies[reader.choice("authz.headers", {"x-auth", "remote", "x-auth-request"}, "x-auth")];
    authz.remoteUser = kUsers[reader.choice("authz.remote_user", {"id", "email"}, "id")];
    authz.cookieDomain = readCookieDomain(reader, publicUrl);
    return authz;
}

// Without an RP ID there are none: where they are off, and where browsers know of none.
domain::PasskeySettings readPasskeys(SettingsReader& reader, const std::string& publicUrl) {
    const bool isOn = reader.flag("passkeys.enabled", true);
    const std::string wish = toLower(reader.text("passkeys.rp_id", ""));
    const auto rpId = wish.empty() ? domain::rpIdOf(publicUrl) : std::optional{wish};
    if (!isOn || !rpId) return {};
    return {.rpId = *rpId, .origin = domain::originOf(publicUrl)};
}

domain::SignUpRule readSignUp(SettingsReader& reader) {
    domain::SignUpRule rule;
    for (const std::string& text : reader.list("accounts.allowed_domains", "")) {
        if (!domain::addDomain(rule, text))
            reader.reject("accounts.allowed_domains", text + " is not a domain such as example.com or *.example.com");
    }
    for (const std::string& text : reader.list("accounts.allowed_addresses", "")) {
        if (!domain::addAddress(rule, text))
            reader.reject("accounts.allowed_addresses", text + " is neither an address nor a number");
    }
    return rule;
}

domain::SignInRule readSignIn(SettingsReader& reader) {
    domain::SignInRule rule;
    for (const std::string& text : reader.list("accounts.allowed_groups", "")) {
        const auto name = domain::parseGroupName(text);
        if (name)
            rule.groups.push_back(*name);
        else
            reader.reject("accounts.allowed_groups",
                          text + " is no name of a group: 1 to 64 of a-z, 0-9, dot, _ and -");
    }
    return rule;
}

// nobody, admins, group:NAME or all.
domain::FactorRule readFactorRule(SettingsReader& reader) {
    using Whom = domain::FactorRule::Whom;
    constexpr std::string_view kGroup = "group:";
    domain::FactorRule rule;
    rule.grace = days{reader.integer("mfa.grace_days", 7, 0, 366)};
    const std::string text = reader.text("mfa.required", "nobody");
    if (text == "admins") rule.whom = Whom::Admins;
    if (text == "all") rule.whom = Whom::Everybody;
    if (text.starts_with(kGroup)) {
        const auto name = domain::parseGroupName(std::string_view{text}.substr(kGroup.size()));
        rule.whom = Whom::Group;
        rule.group = name.value_or("");
        if (name) return rule;
    }
    if (text != "nobody" && text != "admins" && text != "all")
        reader.reject("mfa.required", "must be nobody, admins, group:NAME or all");
    return rule;
}

domain::DeviceTrust readDeviceTrust(SettingsReader& reader) {
    const auto count = reader.integer("mfa.trusted_device_days", 30, 0, 366);
    return count > 0 ? domain::DeviceTrust{days{count}} : std::nullopt;
}

RetentionSettings readRetention(SettingsReader& reader) {
    RetentionSettings retention;
    retention.otpRequests = reader.duration("retention.otp_requests", days{1}, days{1}, days{36500});
    retention.sessions = reader.duration("retention.sessions", days{30}, hours{1}, days{36500});
    retention.devices = reader.duration("retention.devices", days{180}, days{1}, days{36500});
    retention.audit = reader.duration("retention.audit", days{365}, hours{1}, days{36500});
    retention.deadLetters = reader.duration("retention.dead_letters", days{7}, hours{1}, days{36500});
    return retention;
}

}  // namespace

Settings loadSettings(const std::string& path, const std::map<std::string, std::string>& environment) {
    const std::string fileName = path.empty() ? kDefaultPath : path;
    SettingsReader reader(fileName, readFile(fileName, path.empty()), environment);
    const bool isDevelopment = reader.choice("environment", {"production", "development"}, "production") == 1;

    Settings settings;
    settings.isDevelopment = isDevelopment;
    settings.logFormat = reader.choice("log.format", {"text", "json"}, "text") == 1 ? LogFormat::Json : LogFormat::Text;
    constexpr LogLevel kLevels[] = {LogLevel::Error, LogLevel::Warning, LogLevel::Info, LogLevel::Debug};
    settings.logLevel = kLevels[reader.choice("log.level", {"error", "warning", "info", "debug"}, "info")];
    settings.masterKeyFile = reader.text("keys.master_file", "/etc/otpgate/master.key");
    settings.basePath = readBasePath(reader);
    settings.publicUrl = readPublicUrl(reader, settings.basePath);
    settings.server = readServer(reader);
    settings.trustedProxies = reader.list("server.trusted_proxies", "");
    settings.corsOrigins = reader.list("cors.allowed_origins", "");
    settings.corsHeaders =
        reader.list("cors.allowed_headers", "X-Requested-With, traceparent, tracestate, baggage, sentry-trace");
    settings.metricsReaders = reader.list("metrics.allowed_addresses", "");
    settings.adminAddresses = reader.list("admin.allowed_addresses", "");
    settings.securityContacts = readSecurityContacts(reader);
    settings.securityPolicy = reader.text("security.policy", "");
    if (!settings.securityPolicy.empty() && !settings.securityPolicy.starts_with("https://"))
        reader.reject("security.policy", "must begin with https://");
    settings.page = readPage(reader, settings.publicUrl);
    settings.authz = readAuthz(reader, settings.publicUrl);
    settings.database = readDatabase(reader);
    settings.otp = readOtp(reader, isDevelopment);
    settings.humanCheck = readHumanCheck(reader, settings);
    if (settings.otp.work.when != domain::AskForWork::Off) settings.otp.humanCheck = settings.humanCheck.site;
    settings.otp.signUp = readSignUp(reader);
    settings.otp.signIn = readSignIn(reader);
    settings.otp.signIn.factors = readFactorRule(reader);
    settings.otp.deviceTrust = readDeviceTrust(reader);
    // An account that is made now is in no group.
    settings.otp.signUp.isClosed = !settings.otp.signIn.groups.empty();
    using domain::EmailValidation;
    constexpr EmailValidation kEmailValidations[] = {EmailValidation::Strict, EmailValidation::Lenient,
                                                     EmailValidation::International};
    settings.emailValidation =
        kEmailValidations[reader.choice("email.validation", {"strict", "lenient", "international"}, "strict")];
    constexpr domain::PhoneValidation kValidations[] = {domain::PhoneValidation::Any, domain::PhoneValidation::Strict};
    settings.phoneValidation = kValidations[reader.choice("phone.validation", {"any", "strict"}, "any")];
    settings.passwords = readPasswords(reader);
    settings.passwordMinScore = static_cast<unsigned>(reader.integer("passwords.min_score", 2, 0, 4));
    settings.tokens = readTokens(reader, settings.publicUrl);
    settings.tokens.signIn = settings.otp.signIn;
    settings.mail = readMail(reader);
    settings.sms = readSms(reader);
    settings.templates.directory = reader.text("templates.directory", "");
    settings.templates.defaultLocale = reader.text("templates.default_locale", "en");
    settings.notices = readNotices(reader);
    settings.passkeys = readPasskeys(reader, settings.publicUrl);
    settings.passkeys.signIn = settings.otp.signIn;
    settings.passkeys.sessions = settings.tokens.sessions;
    settings.changeWithin = reader.wholeSeconds("accounts.change_within", 15min, 1min, hours{24});
    constexpr domain::ApiKeyHolders kHolders[] = {domain::ApiKeyHolders::Admins, domain::ApiKeyHolders::Everybody};
    settings.apiKeyHolders = kHolders[reader.choice("api_keys.allowed", {"admins", "everybody"}, "admins")];
    settings.passwordsPerClient = limit(reader, "limits.passwords_per_client", "30/1h");
    settings.passkeysPerAccount = limit(reader, "limits.passkeys_per_account", "60/1h");
    settings.verificationsPerAccount = limit(reader, "limits.verifications_per_account", "200/1h,1000/1d");
    settings.courier = readCourier(reader);
    // The others stay for those who wait for no message, monitors among them.
    settings.courier.maxWaiting = std::max(1U, settings.server.threads - (settings.server.threads + 3) / 4);
    constexpr domain::WebhookReceivers kReceivers[] = {domain::WebhookReceivers::Public, domain::WebhookReceivers::Any};
    settings.webhookReceivers = kReceivers[reader.choice("webhooks.receivers", {"public", "any"}, "public")];
    settings.retention = readRetention(reader);
    reader.rejectUnknown();
    return settings;
}

delivery::ServiceWords serviceWords(const Settings& settings) {
    return {settings.publicUrl, settings.page.name, settings.page.supportUrl, settings.otp.linkUse};
}

}  // namespace otpgate
