// Every setting of otpgate as a typed field: what etc/otpgate.conf describes. Read at the start, and anew at a SIGHUP.
#pragma once

#include "otpgate/api/authz_settings.h"
#include "otpgate/api/page_settings.h"
#include "otpgate/base/log.h"
#include "otpgate/crypto/password_gate.h"
#include "otpgate/db/connection.h"
#include "otpgate/delivery/courier.h"
#include "otpgate/delivery/mail_transport.h"
#include "otpgate/delivery/message_composer.h"
#include "otpgate/delivery/sms_transport.h"
#include "otpgate/delivery/templates.h"
#include "otpgate/domain/api_key_service.h"
#include "otpgate/domain/notice.h"
#include "otpgate/domain/otp_service.h"
#include "otpgate/domain/passkey_service.h"
#include "otpgate/domain/phone_numbers.h"
#include "otpgate/domain/session_service.h"
#include "otpgate/domain/webhook_rules.h"
#include "otpgate/http/fcgi_server.h"

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace otpgate {

struct RetentionSettings {
    std::chrono::milliseconds otpRequests{};
    std::chrono::milliseconds sessions{};
    std::chrono::milliseconds devices{};
    std::chrono::milliseconds audit{};
    std::chrono::milliseconds deadLetters{};
};

struct Settings {
    bool isDevelopment = false;
    LogFormat logFormat = LogFormat::Text;
    LogLevel logLevel = LogLevel::Info;
    std::string masterKeyFile;
    std::string publicUrl;  // without a trailing slash
    std::string basePath;   // its path, such as /login, or empty
    http::ServerSettings server;
    std::vector<std::string> trustedProxies;
    std::vector<std::string> corsOrigins;
    std::vector<std::string> corsHeaders;
    std::vector<std::string> metricsReaders;
    std::vector<std::string> adminAddresses;    // from where administrators may act; none: from anywhere
    std::vector<std::string> securityContacts;  // URIs
    std::string securityPolicy;                 // a URL, or empty
    api::PageSettings page;
    api::AuthzSettings authz;
    db::DatabaseSettings database;
    domain::OtpSettings otp;
    domain::HumanCheckSettings humanCheck;  // of otp.humanCheck
    domain::NoticeSettings notices;
    domain::PasskeySettings passkeys;
    std::chrono::seconds changeWithin{900};  // of a sign-in: so long it may change what lasts
    domain::EmailValidation emailValidation = domain::EmailValidation::Strict;
    domain::ApiKeyHolders apiKeyHolders = domain::ApiKeyHolders::Admins;
    domain::LimitRule passwordsPerClient;
    domain::LimitRule passkeysPerAccount;
    domain::LimitRule verificationsPerAccount;
    domain::PhoneValidation phoneValidation = domain::PhoneValidation::Any;
    crypto::PasswordGateOptions passwords;
    unsigned passwordMinScore = 2;
    domain::TokenSettings tokens;
    delivery::MailSettings mail;
    delivery::SmsSettings sms;
    delivery::TemplateSettings templates;
    delivery::CourierSettings courier;
    domain::WebhookReceivers webhookReceivers = domain::WebhookReceivers::Public;
    RetentionSettings retention;
};

// Reads the file and the environment. Throws ConfigurationError for a file that cannot be read, an unknown setting or a
// bad value. An empty `path` is /etc/otpgate/otpgate.conf, or the defaults alone where there is no such file.
Settings loadSettings(const std::string& path, const std::map<std::string, std::string>& environment);

// What messages say of this service.
delivery::ServiceWords serviceWords(const Settings& settings);

}  // namespace otpgate
