#include "otpgate/http/cors.h"

#include "http/header_names.h"
#include "otpgate/base/errors.h"
#include "otpgate/base/text.h"

#include <algorithm>

namespace otpgate::http {

namespace {

// scheme://host[:port] of an address, as a browser writes it: in lower case, without the port that the scheme implies.
std::string originOf(std::string_view url) {
    const auto scheme = url.find("://");
    if (scheme == std::string_view::npos) return {};
    std::string origin = toLower(url.substr(0, url.find('/', scheme + 3)));
    const std::string_view port = origin.starts_with("https://") ? ":443" : ":80";
    if (origin.ends_with(port)) origin.resize(origin.size() - port.size());
    return origin;
}

bool isOrigin(std::string_view url) {
    const std::string origin = originOf(url);
    const bool hasScheme = origin.starts_with("https://") || origin.starts_with("http://");
    if (!hasScheme || url.find('/', url.find("://") + 3) != std::string_view::npos) return false;
    const auto host = std::string_view{origin}.substr(origin.find("://") + 3);
    return !host.empty() &&
           host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-_:[]") == std::string_view::npos;
}

}  // namespace

Cors::Cors(const std::vector<std::string>& allowedOrigins, std::string_view ownOrigin,
           const std::vector<std::string>& moreHeaders)
    : ownOrigin_(originOf(ownOrigin)) {
    for (const std::string& origin : allowedOrigins) {
        if (!isOrigin(origin)) {
            throw ConfigurationError("cors.allowed_origins: " + origin +
                                     " is not an origin such as https://app.example.com");
        }
        allowedOrigins_.push_back(originOf(origin));
    }
    for (const std::string& header : moreHeaders) {
        // With credentials `*` is no wildcard but a name, which nobody means.
        if (header == "*" || !isToken(header)) {
            throw ConfigurationError("cors.allowed_headers: " + header + " is not the name of a header field");
        }
        allowedHeaders_.append(", ").append(header);
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
    Response response = Response::noContent();
    response.with("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE")
        .with("Access-Control-Allow-Headers", allowedHeaders_)
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
