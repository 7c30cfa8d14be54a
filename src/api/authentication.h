// Who calls: from the Authorization header or the browser's cookie to an active session and its user.
#pragma once

#include "api/admin.h"
#include "api/endpoints.h"
#include "otpgate/domain/step_up.h"
#include "otpgate/http/json.h"

#include <string_view>

namespace otpgate::api {

inline constexpr std::string_view kSessionCookie = "__Host-otpgate";
inline constexpr std::string_view kDeviceCookie = "__Host-otpgate-device";
// Of a browser that asked for a link: it opens that link without further proof.
inline constexpr std::string_view kAskerCookie = "__Host-otpgate-asker";
// As long as browsers keep a cookie; the device's row may be forgotten earlier.
inline constexpr std::chrono::seconds kDeviceCookieLifetime = std::chrono::days{400};

// The token of `Authorization: Bearer`.
std::optional<std::string_view> bearerOf(const http::Request& request);
// Whether it comes with an API key, good or not.
bool showsApiKey(const http::Request& request);

// Whatever the session may do. The Authorization header wins over the cookie. Throws ApiError: Unauthenticated without
// any of them, InvalidToken with one that is not good, Forbidden for an unsafe method with the cookie but without its
// CSRF token, or from a foreign origin.
Caller authenticate(domain::SessionService& sessions, const http::Cors& cors, const http::Request& request);

// The same, of a session that may do this now. Throws what requireStanding() does for every other.
Caller authenticateFor(domain::Action action, domain::SessionService& sessions, const http::Cors& cors,
                       const Clock& clock, std::chrono::seconds within, const http::Request& request);

// The same of an administrator. Throws Forbidden for everybody else.
Administrator authenticateAdministrator(domain::SessionService& sessions, const http::Cors& cors, const Clock& clock,
                                        std::chrono::seconds within, const http::Request& request);

// Throws what the caller's sign-in is short of for this (domain/step_up.h): InsufficientUserAuthentication, or
// SignInTooOld where it is older than `within` (accounts.change_within). Both say what would do (RFC 9470).
void requireStanding(domain::Action action, const Caller& caller, const Clock& clock, std::chrono::seconds within);

// By `X-API-Key: <key>` or `Authorization: Api-Key <key>`. Throws ApiError: Unauthenticated without either,
// InvalidToken for a key that is not good, Forbidden where `scopes` names some and the key has none of them.
ApiKeyCaller authenticateKey(domain::ApiKeyService& apiKeys, const http::Request& request,
                             const std::vector<domain::ApiScope>& scopes);
// Throws Forbidden, which names the scope, unless the key has it.
void requireScope(const ApiKeyCaller& caller, domain::ApiScope scope);

// Whether metrics.allowed_addresses names who asks.
bool isMonitor(const Monitoring& monitoring, const http::Request& request);

// Whether admin.allowed_addresses lets administrators act from there.
bool isAdminAddress(const AdminAccess& access, const http::Request& request);

domain::Client clientOf(const http::Request& request);
// The member `altcha`: a challenge that was asked for and solved. Notes one that cannot be read.
std::optional<domain::WorkSolution> readWork(http::JsonBody& body);
// The member `captcha_token`, of a service that checks visitors; empty: there is none. Notes one that can be none.
std::string readHumanToken(http::JsonBody& body);
// The client, the device that its cookie or `device_token` proves, whether it may stand for the second step
// (`second_step`), and the work it has done, or the check it has passed in its place.
domain::Asker askerOf(const domain::SessionService& sessions, const http::Request& request, http::JsonBody& body);

}  // namespace otpgate::api
