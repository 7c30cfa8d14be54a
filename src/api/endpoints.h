// Every endpoint, by resource. An endpoint reads the request, asks the domain and replies; what ends it early is
// ApiError. Those that take a Caller are reached with a valid access token or session cookie only. The other parameters
// are what it uses, and nothing else is within its reach. routes.cpp sees to both.
#pragma once

#include "otpgate/api/routes.h"
#include "otpgate/domain/models.h"
#include "otpgate/domain/stores.h"
#include "otpgate/http/request.h"

namespace otpgate::api {

enum class Credential { AccessToken, Cookie };

// Who calls, by which of the user's sessions.
struct Caller : domain::AuthenticatedSession {
    Credential credential = Credential::AccessToken;
};

// Who calls by an API key.
struct ApiKeyCaller : domain::ApiKey {};

// otp.cpp
http::Response requestOtp(const http::Request& request, domain::OtpService& codes, domain::SessionService& sessions,
                          const ApiSettings& settings);
http::Response verifyOtp(const http::Request& request, domain::OtpService& codes, domain::SessionService& sessions,
                         const ApiSettings& settings);

// addresses.cpp
http::Response requestAddressChange(const http::Request& request, const Caller& caller, domain::OtpService& codes,
                                    const ApiSettings& settings);
http::Response verifyAddressChange(const http::Request& request, const Caller& caller,
                                   domain::AddressService& addresses, const ApiSettings& settings);

// tokens.cpp
http::Response refreshTokens(const http::Request& request, domain::SessionService& sessions);
http::Response introspectToken(const http::Request& request, const ApiKeyCaller& caller,
                               domain::SessionService& sessions);
http::Response publishKeys(const http::Request& request, const PublishedKeys& keys, const Clock& clock);

// oauth*.cpp: applications that sign their users in here
http::Response showOpenIdConfiguration(const http::Request& request, const ApiSettings& settings);
http::Response askForGrant(const http::Request& request, domain::SessionService& sessions, domain::OidcProvider& oidc,
                           const Clock& clock, const ApiSettings& settings);
http::Response decideOnGrant(const http::Request& request, domain::SessionService& sessions, domain::OidcProvider& oidc,
                             const Clock& clock, const ApiSettings& settings);
http::Response exchangeGrant(const http::Request& request, domain::OidcProvider& oidc);
http::Response showUserinfo(const http::Request& request, domain::OidcProvider& oidc);
http::Response revokeGrant(const http::Request& request, domain::OidcProvider& oidc);
http::Response introspectGrant(const http::Request& request, domain::OidcProvider& oidc,
                               domain::ApiKeyService& apiKeys);
http::Response leaveByClient(const http::Request& request, domain::SessionService& sessions, domain::OidcProvider& oidc,
                             const ApiSettings& settings);

// sessions.cpp
http::Response logout(const http::Request& request, const Caller& caller, domain::SessionService& sessions);
http::Response logoutAll(const http::Request& request, const Caller& caller, domain::SessionService& sessions);
http::Response listSessions(const http::Request& request, const Caller& caller, domain::SessionService& sessions);
http::Response endSession(const http::Request& request, const Caller& caller, domain::SessionService& sessions);

// sites.cpp
http::Response authorize(const http::Request& request, const Caller& caller, const ApiSettings& settings);
http::Response beginAtSite(const http::Request& request, domain::SessionService& sessions, domain::SiteSessions& sites,
                           const http::Cors& cors, const Clock& clock, const ApiSettings& settings);
http::Response handOver(const http::Request& request, domain::SessionService& sessions, domain::SiteSessions& sites,
                        const Clock& clock, const ApiSettings& settings);
http::Response enterSite(const http::Request& request, domain::SiteSessions& sites, const ApiSettings& settings);
http::Response showTheWayOut(const http::Request& request, const ApiSettings& settings);
http::Response leaveSite(const http::Request& request, domain::SessionService& sessions, domain::SiteSessions& sites,
                         const ApiSettings& settings);

// links.cpp
http::Response signInByLink(const http::Request& request, domain::OtpService& codes, domain::SessionService& sessions,
                            const ApiSettings& settings);

// users.cpp
http::Response showMe(const http::Request& request, const Caller& caller, domain::SessionService& sessions);
http::Response updateProfile(const http::Request& request, const Caller& caller, domain::AccountService& accounts,
                             const Clock& clock, const ApiSettings& settings);
http::Response deleteMe(const http::Request& request, const Caller& caller, domain::AccountService& accounts);

// applications.cpp
http::Response listApplications(const http::Request& request, const Caller& caller,
                                domain::UserApplications& applications);
http::Response withdrawFromApplication(const http::Request& request, const Caller& caller,
                                       domain::UserApplications& applications);

// account_export.cpp
http::Response exportMe(const http::Request& request, const Caller& caller, domain::AccountService& accounts,
                        domain::AuditStore& audit, const Clock& clock);

// registration.cpp
http::Response registerUser(const http::Request& request, domain::OtpService& codes, domain::SessionService& sessions,
                            domain::RegistrationService& registrations, const ApiSettings& settings);

// passwords.cpp
http::Response loginByPassword(const http::Request& request, domain::OtpService& codes,
                               domain::SessionService& sessions, domain::PasswordService& passwords,
                               const ApiSettings& settings);
http::Response verifyLogin(const http::Request& request, domain::OtpService& codes, domain::SessionService& sessions,
                           const ApiSettings& settings);
http::Response forgotPassword(const http::Request& request, domain::OtpService& codes, domain::SessionService& sessions,
                              const ApiSettings& settings);
http::Response resetPassword(const http::Request& request, domain::OtpService& codes, domain::SessionService& sessions,
                             domain::PasswordService& passwords, const ApiSettings& settings);
http::Response changePassword(const http::Request& request, const Caller& caller, domain::PasswordService& passwords);

// audit.cpp
http::Response listAuditLogs(const http::Request& request, const Caller& caller, domain::AuditStore& audit,
                             const ApiSettings& settings);

// openapi.cpp
http::Response showOpenApi(const http::Request& request, const ApiSettings& settings);

// api_keys.cpp
http::Response createApiKey(const http::Request& request, const Caller& caller, domain::ApiKeyService& apiKeys,
                            const Clock& clock);
http::Response listApiKeys(const http::Request& request, const Caller& caller, domain::ApiKeyService& apiKeys);
http::Response revokeApiKey(const http::Request& request, const Caller& caller, domain::ApiKeyService& apiKeys);

// passkeys.cpp
http::Response invitePasskey(const http::Request& request, const Caller& caller, domain::PasskeyService& passkeys,
                             const ApiSettings& settings);
http::Response addPasskey(const http::Request& request, const Caller& caller, domain::PasskeyService& passkeys);
http::Response listPasskeys(const http::Request& request, const Caller& caller, domain::PasskeyService& passkeys);
http::Response renamePasskey(const http::Request& request, const Caller& caller, domain::PasskeyService& passkeys);
http::Response removePasskey(const http::Request& request, const Caller& caller, domain::PasskeyService& passkeys);
http::Response askForPasskey(const http::Request& request, const domain::PasskeyService& passkeys);
http::Response loginByPasskey(const http::Request& request, domain::SessionService& sessions,
                              domain::PasskeyService& passkeys);

// totp.cpp
http::Response inviteTotp(const http::Request& request, const Caller& caller, domain::TotpService& totps,
                          const ApiSettings& settings);
http::Response addTotp(const http::Request& request, const Caller& caller, domain::TotpService& totps);
http::Response listTotps(const http::Request& request, const Caller& caller, domain::TotpService& totps);
http::Response removeTotp(const http::Request& request, const Caller& caller, domain::TotpService& totps);
http::Response takeSecondStep(const http::Request& request, domain::SessionService& sessions,
                              domain::TotpService& totps, domain::RecoveryService& recovery);
http::Response showRecoveryCodes(const http::Request& request, const Caller& caller, domain::RecoveryService& recovery);
http::Response makeRecoveryCodes(const http::Request& request, const Caller& caller, domain::RecoveryService& recovery);
http::Response confirmRecoveryCodes(const http::Request& request, const Caller& caller,
                                    domain::RecoveryService& recovery);

// verifications.cpp
http::Response createVerification(const http::Request& request, const ApiKeyCaller& caller,
                                  domain::ApiKeyService& apiKeys, domain::VerificationService& verifications,
                                  const ApiSettings& settings);
http::Response checkVerification(const http::Request& request, const ApiKeyCaller& caller,
                                 domain::VerificationService& verifications);
http::Response showOtpHealth(const http::Request& request, domain::VerificationService& verifications,
                             const Clock& clock);

// page.cpp
http::Response showPage(const http::Request& request, const ApiSettings& settings);
http::Response showHumanCheck(const http::Request& request, const ApiSettings& settings);

// security_txt.cpp
http::Response showDiscovery(const http::Request& request, const ApiSettings& settings);
http::Response showSecurityTxt(const http::Request& request, const Clock& clock, const ApiSettings& settings);

// health.cpp
http::Response showLiveness(const http::Request& request);
http::Response showReadiness(const http::Request& request, const Readiness& readiness, const Monitoring& monitoring);

// metrics.cpp
http::Response showMetrics(const http::Request& request, const Monitoring& monitoring);

}  // namespace otpgate::api
