#include "api/authentication.h"

#include "otpgate/http/errors.h"

#include <strings.h>

namespace otpgate::api {

namespace {

// RFC 6750, section 2.1; the scheme is case-insensitive (RFC 9110, section 11.1).
std::optional<std::string_view> bearerToken(const http::Request& request) {
    constexpr std::string_view kScheme = "Bearer ";
    const auto header = request.header("authorization");
    if (!header || header->size() <= kScheme.size()) return std::nullopt;
    if (strncasecmp(header->data(), kScheme.data(), kScheme.size()) != 0) return std::nullopt;
    return header->substr(kScheme.size());
}

}  // namespace

Caller authenticate(Services& services, const http::Request& request) {
    const auto token = bearerToken(request);
    if (!token) throw http::ApiError(http::ErrorCode::Unauthenticated);
    auto caller = services.sessions.authenticate(*token);
    if (!caller) throw http::ApiError(http::ErrorCode::InvalidToken);
    return std::move(*caller);
}

domain::Client clientOf(const http::Request& request) {
    return {request.clientAddress, request.clientNetwork, request.userAgent, request.requestId};
}

}  // namespace otpgate::api
