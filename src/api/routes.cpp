// THE list of routes: method, path, who may call it, function. A route's limits stand beside it.
#include "otpgate/api/routes.h"

#include "api/authentication.h"
#include "api/endpoints.h"
#include "api/legacy/legacy.h"
#include "api/verification_fields.h"

#include <string_view>
#include <variant>

namespace otpgate::api {

namespace {

// The type of the function is the protection: one that wants a Caller cannot be reached without one.
using PublicEndpoint = http::Response (*)(Services&, const http::Request&);
using SignedInEndpoint = http::Response (*)(Services&, const http::Request&, const Caller&);
using KeyHolderEndpoint = http::Response (*)(Services&, const http::Request&, const ApiKeyCaller&);

struct Public {
    PublicEndpoint function;
};
// For whoever metrics.allowed_addresses names; to all others the path is unknown.
struct ForMonitors {
    PublicEndpoint function;
};
struct SignedIn {
    SignedInEndpoint function;
};
// For what outlasts the session: whoever found an open browser or stole a token must not get that far.
struct RecentlySignedIn {
    SignedInEndpoint function;
};

using domain::ApiScope;
// Whether errors have the members that clients of stateless contexts read.
enum class KeyHolderErrors { Problem, WithErrorMembers };
struct KeyHolder {
    KeyHolderEndpoint function;
    std::vector<ApiScope> scopes;  // any of them will do
    KeyHolderErrors errors = KeyHolderErrors::Problem;
};
const std::vector<ApiScope> kAnyKey;
constexpr auto kErrorMembers = KeyHolderErrors::WithErrorMembers;

using Protected = std::variant<Public, ForMonitors, SignedIn, RecentlySignedIn, KeyHolder>;

struct Route {
    std::string_view method;
    std::string_view path;
    Protected endpoint;
};

const Route kRoutes[] = {
    // clang-format off
    {"POST",   "/api/v1/auth/otp/request",   Public{requestOtp}},      // limits.request_per_destination, request_per_client
    {"POST",   "/api/v1/auth/otp/verify",    Public{verifyOtp}},       // limits.guesses_per_destination, otp.max_attempts
    {"POST",   "/api/v1/auth/address-change/request", RecentlySignedIn{requestAddressChange}}, // the limits of otp/request, limits.changes_per_account
    {"POST",   "/api/v1/auth/address-change/verify", SignedIn{verifyAddressChange}}, // the limits of otp/verify
    {"POST",   "/api/v1/auth/register",      Public{registerUser}},    // the limits of otp/request
    {"POST",   "/api/v1/auth/login",         Public{loginByPassword}}, // limits.guesses_per_destination, passwords_per_client, then those of otp/request
    {"POST",   "/api/v1/auth/login/otp-verify", Public{verifyLogin}},  // the limits of otp/verify
    {"POST",   "/api/v1/auth/forgot-password", Public{forgotPassword}}, // the limits of otp/request
    {"POST",   "/api/v1/auth/password-reset", Public{resetPassword}},  // the limits of otp/verify
    {"POST",   "/api/v1/auth/password-change", SignedIn{changePassword}}, // limits.guesses_per_destination, for right ones too
    {"POST",   "/api/v1/auth/token/refresh", Public{refreshTokens}},
    {"POST",   "/api/v1/auth/token/introspect", KeyHolder{introspectToken, kAnyKey}},
    {"POST",   "/api/v1/auth/logout",        SignedIn{logout}},
    {"POST",   "/api/v1/auth/logout-all",    SignedIn{logoutAll}},
    {"GET",    "/api/v1/auth/me",            SignedIn{showMe}},
    {"DELETE", "/api/v1/auth/me",            RecentlySignedIn{deleteMe}},
    {"PUT",    "/api/v1/auth/profile",       SignedIn{updateProfile}},
    {"PATCH",  "/api/v1/auth/profile",       SignedIn{updateProfile}},
    {"GET",    "/api/v1/auth/sessions",      SignedIn{listSessions}},
    {"DELETE", "/api/v1/auth/sessions/{id}", SignedIn{endSession}},
    {"POST",   "/api/v1/api-keys",           RecentlySignedIn{createApiKey}},
    {"GET",    "/api/v1/api-keys",           SignedIn{listApiKeys}},
    {"DELETE", "/api/v1/api-keys/{id}",      SignedIn{revokeApiKey}},
    {"POST",   "/api/v1/verifications",      KeyHolder{createVerification, {ApiScope::Verify, ApiScope::VerifyCaller}, kErrorMembers}}, // limits.request_per_destination, verifications_per_account
    {"POST",   "/api/v1/verifications/check", KeyHolder{checkVerification, kAnyKey, kErrorMembers}}, // limits.guesses_per_destination, max_retries
    {"GET",    "/api/v1/audit/logs",         SignedIn{listAuditLogs}},
    {"GET",    "/api/openapi.json",          Public{showOpenApi}},
    {"GET",    "/authz",                     SignedIn{authorize}},
    {"GET",    "/.well-known/jwks.json",     Public{publishKeys}},
    {"GET",    "/health/live",               Public{showLiveness}},
    {"GET",    "/health/ready",              Public{showReadiness}},
    {"GET",    "/health/otp",                Public{showOtpHealth}},
    {"GET",    "/metrics",                   ForMonitors{showMetrics}},

    // Clients of other services (API.md 7).
    {"POST",   "/api/auth/otp/request",      Public{legacy::requestAuthstackOtp}},
    {"POST",   "/api/auth/otp/verify",       Public{legacy::verifyAuthstackOtp}},
    {"POST",   "/api/auth/send-otp",         Public{legacy::sendPhoneOtp}},
    {"POST",   "/api/auth/verify-otp",       Public{legacy::verifyPhoneOtp}},
    {"GET",    "/api/auth/profile",          SignedIn{legacy::showPhoneProfile}},
    // clang-format on
};

http::Endpoint bind(Services& services, const KeyHolder& holder) {
    http::Endpoint endpoint = [&services, holder](const http::Request& request) {
        return holder.function(services, request, authenticateKey(services, request, holder.scopes));
    };
    if (holder.errors == KeyHolderErrors::Problem) return endpoint;
    return [endpoint = std::move(endpoint)](const http::Request& request) {
        return withErrorMembers([&] { return endpoint(request); });
    };
}

http::Endpoint bind(Services& services, PublicEndpoint function) {
    return [&services, function](const http::Request& request) { return function(services, request); };
}

http::Endpoint bind(Services& services, const Protected& endpoint) {
    if (const auto* open = std::get_if<Public>(&endpoint)) return bind(services, open->function);
    if (const auto* forMonitors = std::get_if<ForMonitors>(&endpoint)) return bind(services, forMonitors->function);
    if (const auto* holder = std::get_if<KeyHolder>(&endpoint)) return bind(services, *holder);
    if (const auto* recent = std::get_if<RecentlySignedIn>(&endpoint)) {
        return [&services, function = recent->function](const http::Request& request) {
            return function(services, request, authenticateRecent(services, request));
        };
    }
    return [&services, function = std::get<SignedIn>(endpoint).function](const http::Request& request) {
        return function(services, request, authenticate(services, request));
    };
}

http::Visibility visibilityOf(Services& services, const Protected& endpoint) {
    if (!std::holds_alternative<ForMonitors>(endpoint)) return {};
    return [&services](const http::Request& request) { return isMonitor(services, request); };
}

}  // namespace

http::Router makeRouter(Services& services) {
    http::Router router;
    for (const Route& route : kRoutes) {
        router.add(std::string{route.method}, route.path, bind(services, route.endpoint),
                   visibilityOf(services, route.endpoint));
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
