// The HTTP API: from the services of one worker thread to the table of its routes.
#pragma once

#include "otpgate/api/authz_settings.h"
#include "otpgate/api/page_settings.h"
#include "otpgate/base/clock.h"
#include "otpgate/base/findings.h"
#include "otpgate/domain/account_service.h"
#include "otpgate/domain/address_service.h"
#include "otpgate/domain/administration.h"
#include "otpgate/domain/api_key_service.h"
#include "otpgate/domain/audit_store.h"
#include "otpgate/domain/oidc_clients.h"
#include "otpgate/domain/oidc_provider.h"
#include "otpgate/domain/otp_service.h"
#include "otpgate/domain/passkey_service.h"
#include "otpgate/domain/password_service.h"
#include "otpgate/domain/phone_numbers.h"
#include "otpgate/domain/recovery_service.h"
#include "otpgate/domain/registration_service.h"
#include "otpgate/domain/return_targets.h"
#include "otpgate/domain/session_service.h"
#include "otpgate/domain/sign_up_rule.h"
#include "otpgate/domain/signing_keys.h"
#include "otpgate/domain/site_sessions.h"
#include "otpgate/domain/statistics.h"
#include "otpgate/domain/test_sender.h"
#include "otpgate/domain/totp_service.h"
#include "otpgate/domain/user_applications.h"
#include "otpgate/domain/verification_service.h"
#include "otpgate/domain/webhooks.h"
#include "otpgate/http/client_address.h"
#include "otpgate/http/cors.h"
#include "otpgate/http/router.h"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace otpgate::api {

// One thing that a sign-in needs, and what is wrong with it: nothing, where that is empty.
struct ReadinessCheck {
    std::string name;
    std::string fault;
    std::string detail{};  // for monitors: which of several hosts answers
};
// What /health/ready asks: what was looked at, up to the first fault.
using Readiness = std::function<std::vector<ReadinessCheck>()>;

// What is wrong with the installation, as `otpgate doctor` tells it; nullopt while it is looked at for the first time.
using Examination = std::function<std::optional<Findings>()>;

// What GET /metrics tells, and whom.
struct Monitoring {
    const http::AddressList& readers;
    std::function<std::string()> metrics;
};

// From where administrators reach /api/v1/admin: from anywhere, where the list is empty.
struct AdminAccess {
    const http::AddressList& addresses;
};

// All that verifiers of our tokens are told: of access tokens, and of ID tokens.
struct PublishedKeys {
    const domain::SigningKeys& access;
    const domain::SigningKeys& id;
};

// What a deployment decides of the API itself.
struct ApiSettings {
    bool smsIsSetUp = false;
    std::chrono::seconds changeWithin{900};  // of a sign-in that is recent
    std::string publicUrl = {};              // without a trailing slash
    std::string basePath = {};               // the path of publicUrl, or empty
    domain::EmailValidation emailValidation = domain::EmailValidation::Strict;
    domain::PhoneNumbers phoneNumbers{domain::PhoneValidation::Any};
    // URIs of security.txt; without a contact there is none.
    std::vector<std::string> securityContacts = {};
    std::string securityPolicy = {};
    domain::SignUpRule signUp = {};
    PageSettings page = {};
    AuthzSettings authz = {};
    domain::CodeFormat codeFormat = {};
    domain::LinkUse linkUse = domain::LinkUse::Off;
    domain::HumanCheckSite humanCheck = {};  // where visitors are asked for one
    domain::TokenSettings tokens = {};
    domain::ReturnTargets returnTargets{{}, {}};
    bool passkeysAreOffered = false;
    domain::WebhookReceivers webhookReceivers = domain::WebhookReceivers::Public;
    domain::DeviceTrust deviceTrust = {};
};

struct Services {
    domain::OtpService& otp;
    domain::SessionService& sessions;
    domain::SiteSessions& sites;
    domain::AccountService& accounts;
    domain::AddressService& addresses;
    domain::PasswordService& passwords;
    domain::RegistrationService& registration;
    domain::AuditStore& audit;
    domain::ApiKeyService& apiKeys;
    domain::VerificationService& verifications;
    domain::PasskeyService& passkeys;
    domain::TotpService& totps;
    domain::RecoveryService& recovery;
    const http::Cors& cors;
    const Clock& clock;
    const Readiness& readiness;
    const Monitoring& monitoring;
    domain::Administration& administration;
    domain::Statistics& statistics;
    const Examination& examination;
    domain::TestSender& testSender;
    const AdminAccess& adminAccess;
    domain::OidcProvider& oidc;
    domain::OidcClients& oidcClients;
    domain::UserApplications& applications;
    const PublishedKeys& publishedKeys;
    domain::Webhooks& webhooks;
    ApiSettings settings;
};

// The services outlive the router.
http::Router makeRouter(Services& services);

// Each route of it as {method, pattern}: what the documentation is held to.
std::vector<std::pair<std::string_view, std::string_view>> routes();
// The patterns() of that router.
std::vector<std::string> patterns();

}  // namespace otpgate::api
