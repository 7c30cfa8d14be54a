#include "app.h"

#include "otpgate/api/routes.h"
#include "otpgate/base/errors.h"
#include "otpgate/base/text.h"
#include "otpgate/domain/account_service.h"
#include "otpgate/domain/address_service.h"
#include "otpgate/domain/otp_service.h"
#include "otpgate/domain/passkey_service.h"
#include "otpgate/domain/password_service.h"
#include "otpgate/domain/recovery_service.h"
#include "otpgate/domain/registration_service.h"
#include "otpgate/domain/session_service.h"
#include "otpgate/domain/site_sessions.h"
#include "otpgate/domain/totp_service.h"
#include "otpgate/http/boundary.h"
#include "otpgate/http/error_code.h"
#include "otpgate/store/stores.h"
#include "program_pages.h"
#include "start_notes.h"
#include "test_messages.h"

namespace otpgate {

namespace {

domain::NoticeSettings noticesOf(const Settings& settings) {
    domain::NoticeSettings notices = settings.notices;
    if (settings.sms.transport == delivery::SmsTransportKind::None) notices.bySms = domain::NoticeBySms::Never;
    return notices;
}

// Whoever has passkeys of another site finds none of them here, and nobody can add one.
void checkPasskeys(db::Connection& connection, const Settings& settings, Logger& log) {
    if (!settings.passkeys.isOffered()) return;
    if (!domain::mayClaim(settings.publicUrl, settings.passkeys.rpId))
        throw ConfigurationError("passkeys.rp_id must be the host of server.public_url, or a domain that it is in");
    const auto fixed = store::makePasskeyStore(connection)->rpId();
    if (fixed && *fixed != settings.passkeys.rpId) {
        log.warning("the passkeys are lost",
                    {{"detail", "they were made for " + *fixed + ", and the settings say " + settings.passkeys.rpId}});
    }
}

// Of the host: what stands beside us there may be returned to by its path.
std::string originOf(const Settings& settings) {
    return settings.publicUrl.substr(0, settings.publicUrl.size() - settings.basePath.size());
}

}  // namespace

// What one worker thread owns: its connection, and the services and routes over it.
class App::Worker {
public:
    explicit Worker(App& app)
        : app_(app),
          connection_(app.database_->connect()),
          otpStore_(store::makeOtpStore(*connection_, &app.groups_)),
          sessionStore_(store::makeSessionStore(*connection_, &app.groups_)),
          auditStore_(store::makeAuditStore(*connection_)),
          apiKeyStore_(store::makeApiKeyStore(*connection_)),
          verificationStore_(store::makeVerificationStore(*connection_)),
          passkeyStore_(store::makePasskeyStore(*connection_)),
          totpStore_(store::makeTotpStore(*connection_)),
          recoveryStore_(store::makeRecoveryStore(*connection_)),
          accountStore_(store::makeAccountStore(*connection_)),
          ticketStore_(store::makeTicketStore(*connection_)),
          peopleStore_(store::makePeopleStore(*connection_)),
          groupStore_(store::makeUserGroupStore(*connection_)),
          outboxStore_(store::makeOutboxAdminStore(*connection_)),
          statisticsStore_(store::makeStatisticsStore(*connection_)),
          oidcStore_(store::makeOidcStore(*connection_, &app.groups_)),
          webhookStore_(store::makeWebhookStore(*connection_)),
          sessions_(*sessionStore_, app.signingKeys_, app.keyRing_, app.clock_, app.random_, app.settings_.tokens),
          sites_(*sessionStore_, *ticketStore_, app.keyRing_, app.clock_, app.random_, app.settings_.tokens.sessions,
                 app.settings_.otp.signIn),
          otp_(*otpStore_, *app.messenger_, app.codes_, app.keyRing_, app.clock_, app.random_, app.metrics_.otp,
               app.unknownGuesses_, app.unansweredGuesses_, app.settings_.otp, app.notices_, app.humanChecks_.get()),
          accounts_(*accountStore_, app.clock_, app.random_),
          addresses_(*accountStore_, otp_, *app.messenger_, app.clock_, app.random_, app.notices_),
          passwords_(*accountStore_, app.passwordGate_, app.passwordPolicy_, app.clock_, app.random_,
                     {app.settings_.otp.guessesPerDestination, app.settings_.passwordsPerClient}, *app.messenger_,
                     app.notices_),
          registration_(*accountStore_, otp_, passwords_, app.clock_, app.random_, app.settings_.otp),
          apiKeys_(*apiKeyStore_, app.clock_, app.random_, app.settings_.apiKeyHolders, app.settings_.otp.signIn),
          verifications_(*verificationStore_, *app.messenger_, app.codes_, app.keyRing_, app.clock_, app.random_,
                         app.metrics_.otp,
                         {app.settings_.otp.requestsPerDestination, app.settings_.verificationsPerAccount,
                          app.settings_.otp.guessesPerDestination, app.settings_.otp.resendAfter}),
          passkeys_(*passkeyStore_, *app.messenger_, app.keyRing_, app.clock_, app.random_, app.settings_.passkeys,
                    {app.settings_.passwordsPerClient, app.settings_.passkeysPerAccount}, app.notices_),
          totps_(*totpStore_, *app.messenger_, app.keyRing_, app.clock_, app.random_,
                 {app.settings_.otp.guessesPerDestination, app.settings_.tokens.sessions, app.settings_.otp.signIn,
                  app.settings_.otp.deviceTrust},
                 app.notices_),
          recovery_(*recoveryStore_, totps_, app.passwordGate_, *app.messenger_, app.clock_, app.random_,
                    app.settings_.otp.guessesPerDestination, app.notices_),
          administration_({*peopleStore_, *accountStore_, *sessionStore_, *groupStore_, *outboxStore_}, *app.messenger_,
                          app.clock_, app.random_,
                          {app.settings_.otp.requestsPerDestination, app.settings_.otp.guessesPerDestination,
                           app.settings_.otp.changesPerAccount, app.settings_.passkeysPerAccount},
                          app.notices_),
          statistics_(*statisticsStore_, app.unfinishedHours_, app.clock_),
          oidc_(*oidcStore_, app.idTokenKeys_, app.signingKeys_, app.keyRing_, app.grants_, app.clock_, app.random_,
                {app.settings_.publicUrl, app.settings_.tokens.accessLifetime, app.settings_.tokens.sessions.total,
                 app.settings_.otp.signIn}),
          oidcClients_(*oidcStore_, app.clock_, app.random_),
          applications_(*oidcStore_, app.clock_, app.random_),
          webhooks_(*webhookStore_, app.keyRing_, app.clock_, app.random_),
          publishedKeys_{app.signingKeys_, app.idTokenKeys_},
          readiness_([&app] { return app.readiness_.look(); }),
          examination_([this] { return app_.examiner_.look(*connection_); }),
          testMessages_(app.settings_, *connection_, app.testing_),
          monitoring_{app.metricsReaders_, [this] { return app_.metrics_.text(*connection_); }},
          adminAccess_{app.adminAddresses_},
          services_{otp_,
                    sessions_,
                    sites_,
                    accounts_,
                    addresses_,
                    passwords_,
                    registration_,
                    *auditStore_,
                    apiKeys_,
                    verifications_,
                    passkeys_,
                    totps_,
                    recovery_,
                    app.cors_,
                    app.clock_,
                    readiness_,
                    monitoring_,
                    administration_,
                    statistics_,
                    examination_,
                    testMessages_,
                    adminAccess_,
                    oidc_,
                    oidcClients_,
                    applications_,
                    publishedKeys_,
                    webhooks_,
                    {.smsIsSetUp = app.settings_.sms.transport != delivery::SmsTransportKind::None,
                     .changeWithin = app.settings_.changeWithin,
                     .publicUrl = app.settings_.publicUrl,
                     .basePath = app.settings_.basePath,
                     .emailValidation = app.settings_.emailValidation,
                     .phoneNumbers =
                         domain::PhoneNumbers{app.settings_.phoneValidation, app.settings_.sms.rules.allowedPrefixes},
                     .securityContacts = app.settings_.securityContacts,
                     .securityPolicy = app.settings_.securityPolicy,
                     .signUp = app.settings_.otp.signUp,
                     .page = app.settings_.page,
                     .authz = app.settings_.authz,
                     .codeFormat = app.settings_.otp.format,
                     .linkUse = app.settings_.otp.linkUse,
                     .humanCheck = app.settings_.otp.humanCheck,
                     .tokens = app.settings_.tokens,
                     .returnTargets = {{app.settings_.page.name, toLower(originOf(app.settings_))},
                                       app.settings_.page.applications},
                     .passkeysAreOffered = app.settings_.passkeys.isOffered(),
                     .webhookReceivers = app.settings_.webhookReceivers,
                     .deviceTrust = app.settings_.otp.deviceTrust}},
          router_(api::makeRouter(services_)) {}

    http::Response answer(http::Request& request) {
        if (!app_.hasBegun_) request.rejected = {http::ErrorCode::Unavailable, "the database was away at the start"};
        return http::answer(router_, request, app_.cors_, app_.sentences_, app_.clock_, app_.log_,
                            app_.metrics_.requests);
    }

    bool needsBody(const http::Request& request) const { return router_.needsBody(request); }

private:
    App& app_;
    std::unique_ptr<db::Connection> connection_;
    std::unique_ptr<domain::OtpStore> otpStore_;
    std::unique_ptr<domain::SessionStore> sessionStore_;
    std::unique_ptr<domain::AuditStore> auditStore_;
    std::unique_ptr<domain::ApiKeyStore> apiKeyStore_;
    std::unique_ptr<domain::VerificationStore> verificationStore_;
    std::unique_ptr<domain::PasskeyStore> passkeyStore_;
    std::unique_ptr<domain::TotpStore> totpStore_;
    std::unique_ptr<domain::RecoveryStore> recoveryStore_;
    std::unique_ptr<domain::AccountStore> accountStore_;
    std::unique_ptr<domain::TicketStore> ticketStore_;
    std::unique_ptr<domain::PeopleStore> peopleStore_;
    std::unique_ptr<domain::UserGroupStore> groupStore_;
    std::unique_ptr<domain::OutboxAdminStore> outboxStore_;
    std::unique_ptr<domain::StatisticsStore> statisticsStore_;
    std::unique_ptr<domain::OidcStore> oidcStore_;
    std::unique_ptr<domain::WebhookStore> webhookStore_;
    domain::SessionService sessions_;
    domain::SiteSessions sites_;
    domain::OtpService otp_;
    domain::AccountService accounts_;
    domain::AddressService addresses_;
    domain::PasswordService passwords_;
    domain::RegistrationService registration_;
    domain::ApiKeyService apiKeys_;
    domain::VerificationService verifications_;
    domain::PasskeyService passkeys_;
    domain::TotpService totps_;
    domain::RecoveryService recovery_;
    domain::Administration administration_;
    domain::Statistics statistics_;
    domain::OidcProvider oidc_;
    domain::OidcClients oidcClients_;
    domain::UserApplications applications_;
    domain::Webhooks webhooks_;
    api::PublishedKeys publishedKeys_;
    api::Readiness readiness_;
    api::Examination examination_;
    TestMessages testMessages_;
    api::Monitoring monitoring_;
    api::AdminAccess adminAccess_;
    api::Services services_;
    http::Router router_;
};

App::App(const Settings& settings, std::optional<http::ListeningSocket>& socket)
    : settings_(settings),
      log_(settings.logFormat, settings.logLevel, clock_),
      keyRing_(crypto::KeyRing::load(settings.masterKeyFile)),
      trustedProxies_(settings.trustedProxies),
      cors_(settings.corsOrigins, settings.publicUrl, settings.corsHeaders),
      sentences_(http::builtInSentences(), settings.templates.defaultLocale),
      metricsReaders_(settings.metricsReaders, "metrics.allowed_addresses"),
      adminAddresses_(settings.adminAddresses, "admin.allowed_addresses"),
      database_(db::openDatabase(settings.database)),
      groups_(*database_),
      startConnection_(database_->connect()),
      webhookStore_(store::makeWebhookStore(*startConnection_)),
      signingKeys_(keyRing_, settings.tokens.accessLifetime),
      idTokenKeys_(keyRing_, settings.tokens.accessLifetime, crypto::SigningAlgorithm::Rs256),
      codes_(keyRing_, settings.otp.format, settings.otp.fixedCode),
      passwordPolicy_(settings.passwordMinScore, hostOf(settings.publicUrl)),
      passwordGate_(settings.passwords, random_),
      metrics_(*database_, passwordGate_, clock_),
      humanChecks_(
          settings.otp.humanCheck.isUsed()
              ? std::make_unique<HumanChecks>(settings.humanCheck, settings.server.threads, metrics_.humanChecks, log_)
              : nullptr),
      notices_(noticesOf(settings)),
      messenger_(makeMessenger()),
      readiness_(*database_, keyRing_, signingKeys_, clock_, random_, log_),
      examiner_(settings_, readiness_, clock_),
      housekeeper_(*database_, signingKeys_, idTokenKeys_, passwordGate_, settings.retention, keyRing_,
                   unfinishedHours_, readiness_, clock_, random_, log_),
      socket_(socket) {
    try {
        begin();
    } catch (const ServiceUnavailable& error) {
        if (!http::isStartedByWebServer()) throw;
        log_.warning("requests are refused until the database is there", {{"reason", error.what()}});
    }
}

void App::begin() {
    checkStart(*database_, *startConnection_, signingKeys_, idTokenKeys_, clock_, random_);
    checkPasskeys(*startConnection_, settings_, log_);
    // Who tells nobody pays nothing from the first request on.
    webhookStore_->noteListeners();
    hasBegun_ = true;
}

App::~App() {
    if (!run_.valid()) return;
    server_->handOver();
    run_.wait();
}

domain::Messenger* App::makeMessenger() {
    if (settings_.courier.mode == delivery::DeliveryMode::Outbox) return &outboxMessenger_;
    dispatch_ = std::make_unique<Dispatch>(settings_, settings_.courier, codes_, *database_, &groups_, clock_, random_,
                                           log_, metrics_.otp);
    posters_ =
        std::make_unique<NoticePosters>(settings_, *database_, keyRing_, clock_, random_, metrics_.notices, log_);
    return &dispatch_->courier();
}

void App::start() {
    if (!socket_) socket_.emplace(settings_.server);
    server_ = std::make_unique<http::FcgiServer>(*socket_, settings_.server.threads, trustedProxies_, random_, log_);
    if (dispatch_) dispatch_->courier().start();
    if (posters_) posters_->start();
    housekeeper_.start();
    run_ = std::async(std::launch::async, [this] { server_->run([this] { return makeHandler(); }); });
    if (!server_->waitUntilReady()) run_.get();
    for (const std::string& doubt : doubtsAbout(settings_)) log_.warning("doubtful setting", {{"detail", doubt}});
    if (socket_->isBesideSystemds()) {
        log_.warning("systemd's socket is not used",
                     {{"detail", "server.listen names another than otpgate.socket: requests there are not answered"}});
    }
    for (const std::string& note : startNotes(settings_)) log_.info(note);
    log_.info("ready", {{"listen", settings_.server.listen},
                        {"threads", std::int64_t{settings_.server.threads}},
                        {"database", database_->describe()}});
    releaseProgramPages();
}

http::Handler App::makeHandler() {
    auto worker = std::make_shared<Worker>(*this);
    return {.answer = [worker](http::Request& request) { return worker->answer(request); },
            .needsBody = [worker](const http::Request& request) { return worker->needsBody(request); }};
}

void App::handOver() {
    server_->handOver();
    end();
}

void App::stop() {
    server_->stop();
    end();
}

void App::end() {
    run_.get();
    housekeeper_.stop();
    if (posters_) posters_->stop();
    if (dispatch_) dispatch_->courier().stop(Dispatch::kPatience);
}

void App::tend() {
    // It ends by itself only where the socket fails.
    if (run_.wait_for(std::chrono::seconds{0}) == std::future_status::ready) run_.get();
    try {
        if (!hasBegun_) {
            begin();
            log_.info("the database is there");
        } else if (!posters_) {  // which look for themselves
            webhookStore_->noteListeners();
        }
    } catch (const ServiceUnavailable&) {
        // It is as it was; that the database is away, others say.
    }
}

bool App::answers(std::chrono::milliseconds patience) const {
    return server_->answers(patience);
}

}  // namespace otpgate
