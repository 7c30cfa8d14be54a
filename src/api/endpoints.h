// Every endpoint, by resource. An endpoint reads the request, asks the domain and replies; what ends it early is
// ApiError. Those that take a Caller are reached with a valid access token or session cookie only: routes.cpp sees to
// that.
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
http::Response requestOtp(Services& services, const http::Request& request);
http::Response verifyOtp(Services& services, const http::Request& request);

// addresses.cpp
http::Response requestAddressChange(Services& services, const http::Request& request, const Caller& caller);
http::Response verifyAddressChange(Services& services, const http::Request& request, const Caller& caller);

// tokens.cpp
http::Response refreshTokens(Services& services, const http::Request& request);
http::Response introspectToken(Services& services, const http::Request& request, const ApiKeyCaller& caller);
http::Response publishKeys(Services& services, const http::Request& request);

// sessions.cpp
http::Response logout(Services& services, const http::Request& request, const Caller& caller);
http::Response logoutAll(Services& services, const http::Request& request, const Caller& caller);
http::Response listSessions(Services& services, const http::Request& request, const Caller& caller);
http::Response endSession(Services& services, const http::Request& request, const Caller& caller);
http::Response authorize(Services& services, const http::Request& request, const Caller& caller);

// users.cpp
http::Response showMe(Services& services, const http::Request& request, const Caller& caller);
http::Response updateProfile(Services& services, const http::Request& request, const Caller& caller);
http::Response deleteMe(Services& services, const http::Request& request, const Caller& caller);

// registration.cpp
http::Response registerUser(Services& services, const http::Request& request);

// passwords.cpp
http::Response loginByPassword(Services& services, const http::Request& request);
http::Response verifyLogin(Services& services, const http::Request& request);
http::Response forgotPassword(Services& services, const http::Request& request);
http::Response resetPassword(Services& services, const http::Request& request);
http::Response changePassword(Services& services, const http::Request& request, const Caller& caller);

// audit.cpp
http::Response listAuditLogs(Services& services, const http::Request& request, const Caller& caller);

// openapi.cpp
http::Response showOpenApi(Services& services, const http::Request& request);

// api_keys.cpp
http::Response createApiKey(Services& services, const http::Request& request, const Caller& caller);
http::Response listApiKeys(Services& services, const http::Request& request, const Caller& caller);
http::Response revokeApiKey(Services& services, const http::Request& request, const Caller& caller);

// verifications.cpp
http::Response createVerification(Services& services, const http::Request& request, const ApiKeyCaller& caller);
http::Response checkVerification(Services& services, const http::Request& request, const ApiKeyCaller& caller);
http::Response showOtpHealth(Services& services, const http::Request& request);

// health.cpp
http::Response showLiveness(Services& services, const http::Request& request);
http::Response showReadiness(Services& services, const http::Request& request);

// metrics.cpp
http::Response showMetrics(Services& services, const http::Request& request);

}  // namespace otpgate::api
