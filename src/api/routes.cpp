// THE list of routes: method, path, who may call it, function. A route's limits stand beside it.
#include "otpgate/api/routes.h"

#include "api/admin.h"
#include "api/authentication.h"
#include "api/endpoints.h"
#include "api/html_page.h"
#include "api/legacy/legacy.h"
#include "api/site_visits.h"
#include "api/verification_fields.h"
#include "otpgate/http/errors.h"

#include <functional>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>

namespace otpgate::api {

namespace {

// The service of this type. One that no deployment has does not compile.
template <typename Service>
Service& find(Services& services) {
    return std::get<Service&>(
        std::tie(services.otp, services.sessions, services.sites, services.accounts, services.addresses,
                 services.passwords, services.registration, services.audit, services.apiKeys, services.verifications,
                 services.passkeys, std::as_const(services.passkeys), services.totps, services.recovery, services.oidc,
                 services.oidcClients, services.applications, services.publishedKeys, services.cors, services.clock,
                 services.readiness, services.monitoring, services.administration, services.statistics,
                 services.examination, services.testSender, services.webhooks, std::as_const(services.settings)));
}

// A function of endpoints.h, called with the services that its parameters name. Those of Who come from the
// authentication: the type of the function is the protection, for one that wants a Caller cannot be reached without.
template <typename... Who>
class Endpoint {
public:
    template <typename... Used>
    Endpoint(http::Response (*function)(const http::Request&, const Who&..., Used&...))
        : call_([function](Services& services, const http::Request& request, const Who&... who) {
              return function(request, who..., find<Used>(services)...);
          }) {}

    http::Response operator()(Services& services, const http::Request& request, const Who&... who) const {
        return call_(services, request, who...);
    }

private:
    std::function<http::Response(Services&, const http::Request&, const Who&...)> call_;
};

struct Public {
    Endpoint<> endpoint;
};
// For browsers that come by themselves, from an application or by a link: what goes wrong is a page too.
struct ForBrowsers {
    Endpoint<> endpoint;
};
// For whoever metrics.allowed_addresses names; to all others the path is unknown.
struct ForMonitors {
    Endpoint<> endpoint;
};
struct SignedIn {
    Endpoint<Caller> endpoint;
};
// For the way out, which every session has.
struct Leaving {
    Endpoint<Caller> endpoint;
};
// For a site that a web server protects with us: the site's own session counts, and the rule beside its location.
struct Visiting {
    Endpoint<Caller> endpoint;
};
// For what outlasts the session: whoever found an open browser or stole a token must not get that far.
struct RecentlySignedIn {
    Endpoint<Caller> endpoint;
};
// The same, and for whoever may do nothing else: who has shown a recovery code, or must have a factor first.
struct AddingFactors {
    Endpoint<Caller> endpoint;
};
// For every session that is good for something, and for those.
struct SeeingFactors {
    Endpoint<Caller> endpoint;
};

// For administrators who signed in recently, from where admin.allowed_addresses lets them; from elsewhere the path is
// unknown.
struct ForAdministrators {
    Endpoint<Administrator> endpoint;
};

using domain::Action;
using domain::ApiScope;
// Whether errors have the members that clients of stateless contexts read.
enum class KeyHolderErrors { Problem, WithErrorMembers };
struct KeyHolder {
    Endpoint<ApiKeyCaller> endpoint;
    std::vector<ApiScope> scopes;  // any of them will do
    KeyHolderErrors errors = KeyHolderErrors::Problem;
};
const std::vector<ApiScope> kAnyKey;
constexpr auto kErrorMembers = KeyHolderErrors::WithErrorMembers;

using Protected = std::variant<Public, ForBrowsers, ForMonitors, SignedIn, Leaving, Visiting, RecentlySignedIn,
                               AddingFactors, SeeingFactors, ForAdministrators, KeyHolder>;

struct Route {
    std::string_view method;
    std::string_view path;
    Protected endpoint;
};

const Route kRoutes[] = {
    // clang-format off
    {"POST",   "/api/v1/auth/otp/request",   Public{requestOtp}},      // limits.request_per_destination, request_per_client
    {"POST",   "/api/v1/auth/otp/verify",    Public{verifyOtp}},       // limits.guesses_per_destination, otp.max_attempts
    {"POST",   "/api/v1/auth/otp/link",      Public{signInByLink}},    // none: 128 bits are not guessed, and what is wrong asks nobody
    {"POST",   "/api/v1/auth/address-change/request", RecentlySignedIn{requestAddressChange}}, // the limits of otp/request, limits.changes_per_account
    {"POST",   "/api/v1/auth/address-change/verify", SignedIn{verifyAddressChange}}, // the limits of otp/verify
    {"POST",   "/api/v1/auth/register",      Public{registerUser}},    // the limits of otp/request
    {"POST",   "/api/v1/auth/login",         Public{loginByPassword}}, // limits.guesses_per_destination, passwords_per_client, then those of otp/request
    {"POST",   "/api/v1/auth/login/otp-verify", Public{verifyLogin}},  // the limits of otp/verify
    {"POST",   "/api/v1/auth/forgot-password", Public{forgotPassword}}, // the limits of otp/request
    {"POST",   "/api/v1/auth/password-reset", Public{resetPassword}},  // the limits of otp/verify
    {"POST",   "/api/v1/auth/password-change", RecentlySignedIn{changePassword}}, // limits.guesses_per_destination, for right ones too
    {"POST",   "/api/v1/auth/passkey/options", Public{askForPasskey}}, // nothing is written, and nothing is looked up
    {"POST",   "/api/v1/auth/passkey",       Public{loginByPasskey}},  // limits.passkeys_per_account; passwords_per_client, for wrong ones
    {"GET",    "/api/v1/auth/passkeys",      SeeingFactors{listPasskeys}},
    {"POST",   "/api/v1/auth/passkeys/register/options", AddingFactors{invitePasskey}},
    {"POST",   "/api/v1/auth/passkeys/register", AddingFactors{addPasskey}},
    {"PATCH",  "/api/v1/auth/passkeys/{id}", RecentlySignedIn{renamePasskey}},
    {"DELETE", "/api/v1/auth/passkeys/{id}", RecentlySignedIn{removePasskey}},
    {"GET",    "/api/v1/auth/totp",          SeeingFactors{listTotps}},
    {"POST",   "/api/v1/auth/totp",          AddingFactors{addTotp}},
    {"POST",   "/api/v1/auth/totp/options",  AddingFactors{inviteTotp}},
    {"DELETE", "/api/v1/auth/totp/{id}",     RecentlySignedIn{removeTotp}},
    {"GET",    "/api/v1/auth/recovery-codes", SignedIn{showRecoveryCodes}},
    {"POST",   "/api/v1/auth/recovery-codes", RecentlySignedIn{makeRecoveryCodes}}, // limits.guesses_per_destination, with those that are confirmed
    {"POST",   "/api/v1/auth/recovery-codes/confirm", RecentlySignedIn{confirmRecoveryCodes}}, // the same
    {"POST",   "/api/v1/auth/second-step",   Public{takeSecondStep}},  // limits.guesses_per_destination, and so many of the account's
    {"POST",   "/api/v1/auth/token/refresh", Public{refreshTokens}},
    {"POST",   "/api/v1/auth/token/introspect", KeyHolder{introspectToken, kAnyKey}},
    {"POST",   "/api/v1/auth/logout",        Leaving{logout}},
    {"POST",   "/api/v1/auth/logout-all",    SignedIn{logoutAll}},
    {"GET",    "/api/v1/auth/me",            SignedIn{showMe}},
    {"GET",    "/api/v1/auth/me/export",     RecentlySignedIn{exportMe}},
    {"DELETE", "/api/v1/auth/me",            RecentlySignedIn{deleteMe}},
    {"PUT",    "/api/v1/auth/profile",       SignedIn{updateProfile}},
    {"PATCH",  "/api/v1/auth/profile",       SignedIn{updateProfile}},
    {"GET",    "/api/v1/auth/me/applications", SignedIn{listApplications}},
    {"DELETE", "/api/v1/auth/me/applications/{client_id}", RecentlySignedIn{withdrawFromApplication}},
    {"GET",    "/api/v1/auth/sessions",      SignedIn{listSessions}},
    {"DELETE", "/api/v1/auth/sessions/{id}", SignedIn{endSession}},
    {"POST",   "/api/v1/api-keys",           RecentlySignedIn{createApiKey}},
    {"GET",    "/api/v1/api-keys",           SignedIn{listApiKeys}},
    {"DELETE", "/api/v1/api-keys/{id}",      SignedIn{revokeApiKey}},
    {"POST",   "/api/v1/verifications",      KeyHolder{createVerification, {ApiScope::Verify, ApiScope::VerifyCaller}, kErrorMembers}}, // limits.request_per_destination, verifications_per_account
    {"POST",   "/api/v1/verifications/check", KeyHolder{checkVerification, kAnyKey, kErrorMembers}}, // limits.guesses_per_destination, max_retries
    {"GET",    "/api/v1/audit/logs",         SignedIn{listAuditLogs}},
    {"GET",    "/api/v1/admin/users",        ForAdministrators{findUsers}},
    {"GET",    "/api/v1/admin/users/{id}",   ForAdministrators{showUser}},
    {"DELETE", "/api/v1/admin/users/{id}",   ForAdministrators{deleteUser}},
    {"POST",   "/api/v1/admin/users/{id}/disable", ForAdministrators{disableUser}},
    {"POST",   "/api/v1/admin/users/{id}/enable", ForAdministrators{enableUser}},
    {"PUT",    "/api/v1/admin/users/{id}/address", ForAdministrators{setUsersAddress}},
    {"DELETE", "/api/v1/admin/users/{id}/limits", ForAdministrators{clearUsersLimits}},
    {"DELETE", "/api/v1/admin/users/{id}/sessions", ForAdministrators{endUsersSessions}},
    {"DELETE", "/api/v1/admin/users/{id}/sessions/{session}", ForAdministrators{endUsersSession}},
    {"DELETE", "/api/v1/admin/users/{id}/factors", ForAdministrators{resetUsersFactors}},
    {"PUT",    "/api/v1/admin/users/{id}/groups/{group}", ForAdministrators{joinGroup}},
    {"DELETE", "/api/v1/admin/users/{id}/groups/{group}", ForAdministrators{leaveGroup}},
    {"GET",    "/api/v1/admin/users/{id}/export", ForAdministrators{exportUser}},
    {"POST",   "/api/v1/admin/users/{id}/send-again", ForAdministrators{sendUsersLastMessageAgain}},
    {"GET",    "/api/v1/admin/groups",       ForAdministrators{listGroups}},
    {"PUT",    "/api/v1/admin/groups/{group}", ForAdministrators{createGroup}},
    {"DELETE", "/api/v1/admin/groups/{group}", ForAdministrators{removeGroup}}, // 500 members at most
    {"GET",    "/api/v1/admin/groups/{group}/members", ForAdministrators{listMembers}},
    {"GET",    "/api/v1/admin/api-keys",     ForAdministrators{listEverybodysApiKeys}},
    {"DELETE", "/api/v1/admin/api-keys/{id}", ForAdministrators{revokeAnyApiKey}},
    {"GET",    "/api/v1/admin/events",       ForAdministrators{listEvents}},
    {"GET",    "/api/v1/admin/messages",     ForAdministrators{listMessages}},
    {"POST",   "/api/v1/admin/messages/{id}/send-again", ForAdministrators{sendMessageAgain}},
    {"GET",    "/api/v1/admin/clients",      ForAdministrators{listClients}},
    {"POST",   "/api/v1/admin/clients",      ForAdministrators{createClient}},
    {"GET",    "/api/v1/admin/clients/{client_id}", ForAdministrators{showClient}},
    {"PATCH",  "/api/v1/admin/clients/{client_id}", ForAdministrators{changeClient}},
    {"DELETE", "/api/v1/admin/clients/{client_id}", ForAdministrators{deleteClient}},
    {"POST",   "/api/v1/admin/clients/{client_id}/rotate-secret", ForAdministrators{rotateClientSecret}},
    {"POST",   "/api/v1/admin/clients/{client_id}/disable", ForAdministrators{disableClient}},
    {"POST",   "/api/v1/admin/clients/{client_id}/enable", ForAdministrators{enableClient}},
    {"GET",    "/api/v1/admin/webhooks",     ForAdministrators{listWebhooks}},
    {"POST",   "/api/v1/admin/webhooks",     ForAdministrators{addWebhook}},     // 20 in all
    {"GET",    "/api/v1/admin/webhooks/{id}", ForAdministrators{showWebhook}},
    {"DELETE", "/api/v1/admin/webhooks/{id}", ForAdministrators{removeWebhook}},
    {"POST",   "/api/v1/admin/webhooks/{id}/test", ForAdministrators{testWebhook}},
    {"POST",   "/api/v1/admin/webhooks/{id}/retry", ForAdministrators{retryWebhook}},
    {"POST",   "/api/v1/admin/webhooks/{id}/rotate-secret", ForAdministrators{rotateWebhookSecret}},
    {"GET",    "/api/v1/admin/statistics",   ForAdministrators{showStatistics}},
    {"GET",    "/api/v1/admin/health",       ForAdministrators{showServiceHealth}},
    {"GET",    "/api/v1/admin/findings",     ForAdministrators{showFindings}},  // looked at anew every ten seconds at most
    {"POST",   "/api/v1/admin/test-message", ForAdministrators{sendTestMessage}}, // 10 an hour of all administrators
    {"GET",    "/api/openapi.json",          Public{showOpenApi}},
    {"GET",    "/authz",                     Visiting{authorize}},
    {"GET",    "/authz/start",               Public{beginAtSite}},     // asked by the web server of a site, as are those of /.otpgate
    {"GET",    "/authz/enter",               Public{handOver}},        // the way back to the site, where the browser is signed in
    {"GET",    "/.otpgate/enter",            Public{enterSite}},
    {"GET",    "/.otpgate/sign-out",         Public{showTheWayOut}},
    {"POST",   "/.otpgate/sign-out",         Public{leaveSite}},
    {"GET",    "/.well-known/jwks.json",     Public{publishKeys}},
    {"GET",    "/.well-known/openid-configuration", Public{showOpenIdConfiguration}},
    {"GET",    "/.well-known/oauth-authorization-server", Public{showOpenIdConfiguration}}, // RFC 8414
    {"GET",    "/oauth/authorize",           ForBrowsers{askForGrant}},     // 300 grants a user an hour; the sign-in that it asks for has its own
    {"POST",   "/oauth/authorize",           ForBrowsers{askForGrant}},
    {"POST",   "/oauth/consent",             ForBrowsers{decideOnGrant}},   // of our own page, with its CSRF token
    {"POST",   "/oauth/token",               Public{exchangeGrant}},   // none: codes and secrets of 256 bits are not guessed
    {"GET",    "/oauth/userinfo",            Public{showUserinfo}},
    {"POST",   "/oauth/userinfo",            Public{showUserinfo}},
    {"POST",   "/oauth/revoke",              Public{revokeGrant}},
    {"POST",   "/oauth/introspect",          Public{introspectGrant}},
    {"GET",    "/oauth/logout",              ForBrowsers{leaveByClient}},
    {"POST",   "/oauth/logout",              ForBrowsers{leaveByClient}},
    {"GET",    "/api/v1/page",               Public{showPage}},
    {"GET",    "/api/v1/human-check",        ForBrowsers{showHumanCheck}}, // nothing is looked up
    {"GET",    "/.well-known/otpgate",       Public{showDiscovery}},
    {"GET",    "/.well-known/security.txt",  Public{showSecurityTxt}},
    {"GET",    "/health/live",               Public{showLiveness}},
    {"GET",    "/health/ready",              Public{showReadiness}},
    {"GET",    "/health/otp",                Public{showOtpHealth}},
    {"GET",    "/metrics",                   ForMonitors{showMetrics}},

    // Clients of other services: see legacy/.
    {"POST",   "/api/auth/otp/request",      Public{legacy::requestAuthstackOtp}},
    {"POST",   "/api/auth/otp/verify",       Public{legacy::verifyAuthstackOtp}},
    {"POST",   "/api/auth/send-otp",         Public{legacy::sendPhoneOtp}},
    {"POST",   "/api/auth/verify-otp",       Public{legacy::verifyPhoneOtp}},
    {"GET",    "/api/auth/profile",          SignedIn{legacy::showPhoneProfile}},
    // clang-format on
};

// From the services to what the router calls, with the authentication that the route asks for.
class Binder {
public:
    explicit Binder(Services& services) : services_(services) {}

    http::Endpoint operator()(const Public& open) const { return bound(open.endpoint); }
    http::Endpoint operator()(const ForBrowsers& open) const { return bound(open.endpoint); }
    http::Endpoint operator()(const ForMonitors& open) const { return bound(open.endpoint); }
    http::Endpoint operator()(const SignedIn& route) const { return bound(route.endpoint, Action::Use); }
    http::Endpoint operator()(const Leaving& route) const { return bound(route.endpoint, Action::Leave); }
    http::Endpoint operator()(const Visiting& route) const {
        return [&services = services_, &endpoint = route.endpoint](const http::Request& request) {
            try {
                return call(services, endpoint, request,
                            admit(services.sessions, services.sites, services.cors, services.clock, services.settings,
                                  request));
            } catch (const http::ApiError& error) {
                auto way = wayToSignIn(services.sites, services.settings, request, error.code());
                if (!way) throw;
                return std::move(*way);
            }
        };
    }
    http::Endpoint operator()(const RecentlySignedIn& route) const { return bound(route.endpoint, Action::Change); }
    http::Endpoint operator()(const AddingFactors& route) const { return bound(route.endpoint, Action::AddFactor); }
    http::Endpoint operator()(const SeeingFactors& route) const { return bound(route.endpoint, Action::SeeFactors); }
    http::Endpoint operator()(const ForAdministrators& route) const {
        return [&services = services_, &endpoint = route.endpoint](const http::Request& request) {
            return call(services, endpoint, request,
                        authenticateAdministrator(services.sessions, services.cors, services.clock,
                                                  services.settings.changeWithin, request));
        };
    }
    http::Endpoint operator()(const KeyHolder& holder) const {
        http::Endpoint endpoint = [&services = services_, &holder](const http::Request& request) {
            return holder.endpoint(services, request, authenticateKey(services.apiKeys, request, holder.scopes));
        };
        if (holder.errors == KeyHolderErrors::Problem) return endpoint;
        return [endpoint = std::move(endpoint)](const http::Request& request) {
            return withErrorMembers([&] { return endpoint(request); });
        };
    }

private:
    // Whatever comes of it is in the caller's language, unless the request wishes another.
    template <typename Who>
    static http::Response call(Services& services, const Endpoint<Who>& endpoint, const http::Request& request,
                               const Who& caller) {
        try {
            http::Response response = endpoint(services, request, caller);
            response.accountLanguage = caller.user.locale;
            return response;
        } catch (http::ApiError& error) {
            error.accountLanguage(caller.user.locale);
            throw;
        }
    }

    http::Endpoint bound(const Endpoint<>& endpoint) const {
        return [&services = services_, &endpoint](const http::Request& request) { return endpoint(services, request); };
    }

    http::Endpoint bound(const Endpoint<Caller>& endpoint, Action action) const {
        return [&services = services_, &endpoint, action](const http::Request& request) {
            return call(services, endpoint, request,
                        authenticateFor(action, services.sessions, services.cors, services.clock,
                                        services.settings.changeWithin, request));
        };
    }

    Services& services_;
};

http::Visibility visibilityOf(Services& services, const Protected& endpoint) {
    if (std::holds_alternative<ForAdministrators>(endpoint)) {
        return [&services](const http::Request& request) { return isAdminAddress(services.adminAccess, request); };
    }
    if (!std::holds_alternative<ForMonitors>(endpoint)) return {};
    return [&services](const http::Request& request) { return isMonitor(services.monitoring, request); };
}

http::ErrorView errorViewOf(const Services& services, const Protected& endpoint) {
    if (!std::holds_alternative<ForBrowsers>(endpoint)) return {};
    return [&services](const http::ApiError& error, const http::Request& request) {
        return errorPage(services.settings, error, request);
    };
}

}  // namespace

http::Router makeRouter(Services& services) {
    http::Router router(services.settings.basePath);
    for (const Route& route : kRoutes) {
        router.add(std::string{route.method}, route.path, std::visit(Binder{services}, route.endpoint),
                   visibilityOf(services, route.endpoint), errorViewOf(services, route.endpoint));
    }
    return router;
}

std::vector<std::string> patterns() {
    http::Router router;
    for (const Route& route : kRoutes) router.add(std::string{route.method}, route.path, {});
    return router.patterns();
}

std::vector<std::pair<std::string_view, std::string_view>> routes() {
    std::vector<std::pair<std::string_view, std::string_view>> list;
    for (const Route& route : kRoutes) list.emplace_back(route.method, route.path);
    return list;
}

}  // namespace otpgate::api
