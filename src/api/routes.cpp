// THE list of routes: method, path, who may call it, function. A route's limits stand beside it.
#include "otpgate/api/routes.h"

#include "api/authentication.h"
#include "api/endpoints.h"
#include "api/legacy/legacy.h"

#include <string_view>
#include <variant>

namespace otpgate::api {

namespace {

// The type of the function is the protection: one that wants a Caller cannot be reached without one.
using PublicEndpoint = http::Response (*)(Services&, const http::Request&);
using SignedInEndpoint = http::Response (*)(Services&, const http::Request&, const Caller&);

struct Public {
    PublicEndpoint function;
};
struct SignedIn {
    SignedInEndpoint function;
};

struct Route {
    std::string_view method;
    std::string_view path;
    std::variant<Public, SignedIn> endpoint;
};

const Route kRoutes[] = {
    // clang-format off
    {"POST",   "/api/v1/auth/otp/request",   Public{requestOtp}},      // limits.request_per_destination, request_per_client
    {"POST",   "/api/v1/auth/otp/verify",    Public{verifyOtp}},       // limits.guesses_per_destination, otp.max_attempts
    {"POST",   "/api/v1/auth/token/refresh", Public{refreshTokens}},
    {"POST",   "/api/v1/auth/logout",        SignedIn{logout}},
    {"POST",   "/api/v1/auth/logout-all",    SignedIn{logoutAll}},
    {"GET",    "/api/v1/auth/me",            SignedIn{showMe}},
    {"GET",    "/api/v1/auth/sessions",      SignedIn{listSessions}},
    {"DELETE", "/api/v1/auth/sessions/{id}", SignedIn{endSession}},
    {"GET",    "/api/v1/audit/logs",         SignedIn{listAuditLogs}},
    {"GET",    "/api/openapi.json",          Public{showOpenApi}},
    {"GET",    "/authz",                     SignedIn{authorize}},
    {"GET",    "/.well-known/jwks.json",     Public{publishKeys}},
    {"GET",    "/health/live",               Public{showLiveness}},
    {"GET",    "/health/ready",              Public{showReadiness}},

    // Clients of other services (API.md 7).
    {"POST",   "/api/auth/otp/request",      Public{legacy::requestAuthstackOtp}},
    {"POST",   "/api/auth/otp/verify",       Public{legacy::verifyAuthstackOtp}},
    {"POST",   "/api/auth/send-otp",         Public{legacy::sendPhoneOtp}},
    {"POST",   "/api/auth/verify-otp",       Public{legacy::verifyPhoneOtp}},
    {"GET",    "/api/auth/profile",          SignedIn{legacy::showPhoneProfile}},
    // clang-format on
};

http::Endpoint bind(Services& services, const std::variant<Public, SignedIn>& endpoint) {
    if (const auto* open = std::get_if<Public>(&endpoint)) {
        return [&services, function = open->function](const http::Request& request) {
            return function(services, request);
        };
    }
    return [&services, function = std::get<SignedIn>(endpoint).function](const http::Request& request) {
        return function(services, request, authenticate(services, request));
    };
}

}  // namespace

http::Router makeRouter(Services& services) {
    http::Router router;
    for (const Route& route : kRoutes)
        router.add(std::string{route.method}, route.path, bind(services, route.endpoint));
    return router;
}

std::vector<std::pair<std::string_view, std::string_view>> routes() {
    std::vector<std::pair<std::string_view, std::string_view>> list;
    for (const Route& route : kRoutes) list.emplace_back(route.method, route.path);
    return list;
}

}  // namespace otpgate::api
