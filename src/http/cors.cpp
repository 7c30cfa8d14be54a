#include "otpgate/http/cors.h"

#include "otpgate/base/errors.h"

#include <algorithm>

namespace otpgate::http {

namespace {

// scheme://host[:port] of an address.
std::string_view originOf(std::string_view url) {
    const auto scheme = url.find("://");
    if (scheme == std::string_view::npos) return {};
    return url.substr(0, url.find('/', scheme + 3));
}

}  // namespace

Cors::Cors(const std::vector<std::string>& allowedOrigins, std::string_view ownOrigin)
    : allowedOrigins_(allowedOrigins),
      ownOrigin_(originOf(ownOrigin)) {
    for (const std::string& origin : allowedOrigins_) {
        const bool hasScheme = origin.starts_with("https://") || origin.starts_with("http://");
        if (!hasScheme || originOf(origin) != origin || origin.ends_with("://")) {
            throw ConfigurationError("cors.allowed_origins: " + origin +
                                     " is not an origin such as https://app.example.com");
        }
    }
}

bool Cors::isAllowed(std::string_view origin) const {
    return std::find(allowedOrigins_.begin(), allowedOrigins_.end(), origin) != allowedOrigins_.end();
}

bool Cors::isTrusted(std::string_view origin) const {
    return origin == ownOrigin_ || isAllowed(origin);
}

std::optional<Response> Cors::answerPreflight(const Request& request) const {
    const auto origin = request.header("origin");
    if (request.method != "OPTIONS" || !origin || !isAllowed(*origin)) return std::nullopt;
    if (!request.header("access-control-request-method")) return std::nullopt;
    Response response;
    response.status = 204;
    response.with("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE")
        .with("Access-Control-Allow-Headers", "Authorization, Content-Type, X-API-Key, X-CSRF-Token")
        .with("Access-Control-Max-Age", "600");
    return response;
}

void Cors::permit(const Request& request, Response& response) const {
    if (allowedOrigins_.empty()) return;
    // The answer depends on the origin even where it is refused: a cache must not mix them up.
    response.with("Vary", "Origin");
    const auto origin = request.header("origin");
    if (!origin || !isAllowed(*origin)) return;
    response.with("Access-Control-Allow-Origin", std::string{*origin})
        .with("Access-Control-Allow-Credentials", "true")
        .with("Access-Control-Expose-Headers", "X-Request-Id, X-CSRF-Token, Retry-After, RateLimit, RateLimit-Policy");
}

}  // namespace otpgate::http
