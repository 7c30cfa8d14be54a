// The settings of delivery: how mail and SMS go out, and who sends them.
#include "settings_delivery.h"

#include <charconv>
#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

namespace otpgate {

namespace {

using namespace std::chrono_literals;

constexpr delivery::SmtpSecurity kSecurities[] = {delivery::SmtpSecurity::None, delivery::SmtpSecurity::StartTls,
                                                  delivery::SmtpSecurity::Tls};
constexpr delivery::SmtpAuth kAuths[] = {delivery::SmtpAuth::Auto, delivery::SmtpAuth::Plain, delivery::SmtpAuth::Login,
                                         delivery::SmtpAuth::XOAuth2, delivery::SmtpAuth::OAuthBearer};
const std::vector<std::string> kSecurityWords{"none", "starttls", "tls"};
const std::vector<std::string> kAuthWords{"auto", "plain", "login", "xoauth2", "oauthbearer"};

void readMailFallback(SettingsReader& reader, delivery::SmtpServer& server) {
    server.host = reader.text("mail_fallback.smtp_host", "");
    server.port = static_cast<unsigned>(reader.integer("mail_fallback.smtp_port", 25, 1, 65535));
    server.security = kSecurities[reader.choice("mail_fallback.smtp_security", kSecurityWords, "none")];
    server.caFile = reader.text("mail_fallback.smtp_ca_file", "");
    server.username = reader.text("mail_fallback.smtp_username", "");
    server.password = reader.secret("mail_fallback.smtp_password");
    server.auth = kAuths[reader.choice("mail_fallback.smtp_auth", kAuthWords, "auto")];
    server.oauthTokenFile = reader.text("mail_fallback.smtp_oauth_token_file", "");
}

// A share from 0 to 1.
double readRate(SettingsReader& reader, const std::string& key, std::string_view standard) {
    const std::string text = reader.text(key, standard);
    double rate = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, rate);
    if (error != std::errc{} || rest != end || !(rate >= 0 && rate <= 1))
        reader.reject(key, "must be from 0 to 1, such as 0.05");
    return rate;
}

delivery::HttpSmsSettings readHttpSms(SettingsReader& reader) {
    using delivery::HttpBodyType;
    using delivery::HttpMethod;
    constexpr HttpMethod kMethods[] = {HttpMethod::Get, HttpMethod::Post, HttpMethod::Put};
    constexpr HttpBodyType kBodyTypes[] = {HttpBodyType::Json, HttpBodyType::Form, HttpBodyType::Xml};
    delivery::HttpSmsSettings http;
    http.method = kMethods[reader.choice("sms.http_method", {"GET", "POST", "PUT"}, "POST")];
    http.url = reader.text("sms.http_url", "");
    http.headers = reader.list("sms.http_headers", "");
    http.bodyType = kBodyTypes[reader.choice("sms.http_content_type",
                                             {"application/json", "application/x-www-form-urlencoded", "text/xml"},
                                             "application/json")];
    http.body = reader.text("sms.http_body", "");
    http.secret = reader.secret("sms.http_secret");
    http.successStatus = reader.list("sms.http_success_status", "200-299");
    http.successBody = reader.text("sms.http_success_body", "");
    return http;
}

delivery::SmsRules readSmsRules(SettingsReader& reader) {
    auto allowed = domain::AllowedPrefixes::parse(reader.list("sms.allowed_prefixes", ""));
    if (!allowed) reader.reject("sms.allowed_prefixes", "must be calling prefixes such as +49, +1, +1242");
    auto budgets = domain::DailyBudgets::parse(reader.list("sms.daily_budgets", "*:100"));
    if (!budgets) {
        reader.reject("sms.daily_budgets", "must be PREFIX:MESSAGES such as +49:1000, +1:200, *:100, each prefix once");
    }
    // Nobody is to pay for what strangers have sent to numbers that the setting forgot.
    budgets->limitOthers(domain::DailyBudgets::kOthersByDefault);
    return {std::move(*allowed), std::move(*budgets)};
}

}  // namespace

delivery::MailSettings readMail(SettingsReader& reader) {
    using delivery::MailTransportKind;
    constexpr MailTransportKind kTransports[] = {MailTransportKind::Smtp, MailTransportKind::File,
                                                 MailTransportKind::Null};
    delivery::MailSettings mail;
    mail.transport = kTransports[reader.choice("mail.transport", {"smtp", "file", "null"}, "smtp")];
    mail.directory = reader.text("mail.directory", "/var/lib/otpgate/mail");
    mail.from = reader.text("mail.from", "otpgate <no-reply@localhost>");
    mail.smtp.host = reader.text("mail.smtp_host", mail.smtp.host);
    mail.smtp.port = static_cast<unsigned>(reader.integer("mail.smtp_port", 25, 1, 65535));
    mail.smtp.security = kSecurities[reader.choice("mail.smtp_security", kSecurityWords, "none")];
    mail.smtp.caFile = reader.text("mail.smtp_ca_file", "");
    mail.smtp.username = reader.text("mail.smtp_username", "");
    mail.smtp.password = reader.secret("mail.smtp_password");
    mail.smtp.auth = kAuths[reader.choice("mail.smtp_auth", kAuthWords, "auto")];
    mail.smtp.oauthTokenFile = reader.text("mail.smtp_oauth_token_file", "");
    const bool allowsPlaintext = reader.flag("mail.smtp_allow_plaintext_auth", false);
    mail.smtpManners.plaintextAuth =
        allowsPlaintext ? delivery::PlaintextAuth::Allowed : delivery::PlaintextAuth::Forbidden;
    delivery::SmtpTimeouts& timeouts = mail.smtpManners.timeouts;
    timeouts.connect = reader.wholeSeconds("mail.smtp_connect_timeout", 5s, 1s, 60s);
    timeouts.answer = reader.wholeSeconds("mail.smtp_timeout", 10s, 1s, 120s);
    timeouts.data = reader.wholeSeconds("mail.smtp_data_timeout", 30s, 1s, 600s);
    readMailFallback(reader, mail.fallback);
    return mail;
}

delivery::SmsSettings readSms(SettingsReader& reader) {
    using delivery::SmsTransportKind;
    constexpr SmsTransportKind kTransports[] = {SmsTransportKind::None,   SmsTransportKind::Twilio,
                                                SmsTransportKind::Vonage, SmsTransportKind::Http,
                                                SmsTransportKind::File,   SmsTransportKind::Mock};
    delivery::SmsSettings sms;
    sms.transport =
        kTransports[reader.choice("sms.transport", {"none", "twilio", "vonage", "http", "file", "mock"}, "none")];
    sms.directory = reader.text("sms.directory", "/var/lib/otpgate/sms");
    sms.from = reader.text("sms.from", "");
    sms.twilioAccountSid = reader.text("sms.twilio_account_sid", "");
    sms.twilioAuthToken = reader.secret("sms.twilio_auth_token");
    sms.twilioApiKeySid = reader.text("sms.twilio_api_key_sid", "");
    sms.twilioApiKeySecret = reader.secret("sms.twilio_api_key_secret");
    sms.twilioUrl = reader.text("sms.twilio_url", sms.twilioUrl);
    sms.vonageApiKey = reader.text("sms.vonage_api_key", "");
    sms.vonageApiSecret = reader.secret("sms.vonage_api_secret");
    sms.vonageUrl = reader.text("sms.vonage_url", sms.vonageUrl);
    sms.http = readHttpSms(reader);
    sms.caFile = reader.text("sms.ca_file", "");
    sms.mockFailureRate = readRate(reader, "sms.failure_rate", "0");
    sms.timeout = reader.wholeSeconds("sms.timeout", 10s, 1s, 120s);
    sms.rules = readSmsRules(reader);
    return sms;
}

delivery::CourierSettings readCourier(SettingsReader& reader) {
    using delivery::DeliveryMode;
    delivery::CourierSettings courier;
    constexpr DeliveryMode kModes[] = {DeliveryMode::Async, DeliveryMode::Sync, DeliveryMode::Outbox};
    courier.mode = kModes[reader.choice("delivery.mode", {"async", "sync", "outbox"}, "async")];
    courier.rest = 25ms;
    courier.mailSenders = static_cast<unsigned>(reader.integer("mail.concurrency", 4, 1, 64));
    courier.smsSenders = static_cast<unsigned>(reader.integer("sms.concurrency", 4, 1, 64));
    courier.queueLength = static_cast<std::size_t>(reader.integer("delivery.queue_length", 10000, 0, 1'000'000));
    return courier;
}

}  // namespace otpgate
