#include "api/authentication.h"

#include "otpgate/crypto/hash.h"
#include "otpgate/http/cookies.h"
#include "otpgate/http/errors.h"

#include <strings.h>

namespace otpgate::api {

using http::ApiError;
using http::ErrorCode;

namespace {

// The token of `Authorization: <scheme> <token>`; the scheme is case-insensitive (RFC 9110, section 11.1).
std::optional<std::string_view> tokenOf(std::string_view header, std::string_view scheme) {
    if (header.size() <= scheme.size() + 1 || header[scheme.size()] != ' ') return std::nullopt;
    if (strncasecmp(header.data(), scheme.data(), scheme.size()) != 0) return std::nullopt;
    return header.substr(scheme.size() + 1);
}

std::optional<std::string_view> accessTokenOf(const http::Request& request) {
    const auto header = request.header("authorization");
    if (!header) return std::nullopt;
    for (const std::string_view scheme : {"Bearer", "Token"}) {
        if (const auto token = tokenOf(*header, scheme)) return token;
    }
    return std::nullopt;
}

bool isSafe(std::string_view method) {
    return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

// A browser sends the cookie with whatever a foreign page makes it do, but that page can neither read the token nor set
// the header.
void rejectForgery(Services& services, const http::Request& request, const Uuid& sessionId) {
    if (isSafe(request.method)) return;
    const auto origin = request.header("origin");
    if (origin && !services.cors.isTrusted(*origin)) throw ApiError(ErrorCode::Forbidden, "foreign origin");
    const auto token = request.header("x-csrf-token");
    if (!token || !crypto::equalInConstantTime(*token, services.sessions.csrfTokenOf(sessionId))) {
        throw ApiError(ErrorCode::Forbidden, "no CSRF token").detail("The X-CSRF-Token header is missing or wrong.");
    }
}

}  // namespace

std::optional<Caller> authenticateIfShown(Services& services, const http::Request& request) {
    if (const auto token = accessTokenOf(request)) {
        auto grant = services.sessions.authenticate(*token);
        if (!grant) throw ApiError(ErrorCode::InvalidToken);
        return Caller{std::move(grant->session), Credential::AccessToken};
    }
    if (const auto cookie = http::findCookie(request, kSessionCookie)) {
        auto session = services.sessions.authenticateCookie(*cookie);
        if (!session) throw ApiError(ErrorCode::InvalidToken);
        rejectForgery(services, request, session->session.id);
        return Caller{std::move(*session), Credential::Cookie};
    }
    return std::nullopt;
}

Caller authenticate(Services& services, const http::Request& request) {
    auto caller = authenticateIfShown(services, request);
    if (!caller) throw ApiError(ErrorCode::Unauthenticated);
    return std::move(*caller);
}

domain::Client clientOf(const http::Request& request) {
    return {request.clientAddress, request.clientNetwork, request.userAgent, request.requestId};
}

domain::Asker askerOf(Services& services, const http::Request& request, http::JsonBody& body) {
    domain::Asker asker{clientOf(request), std::nullopt};
    if (const auto token = body.string("device_token")) asker.device = services.sessions.parseDeviceToken(*token);
    if (asker.device) return asker;
    const auto cookie = http::findCookie(request, kDeviceCookie);
    if (cookie) asker.device = services.sessions.parseDeviceToken(*cookie);
    return asker;
}

}  // namespace otpgate::api
