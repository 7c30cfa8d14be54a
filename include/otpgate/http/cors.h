// Cross-origin requests from the browsers of configured sites (Fetch standard, "CORS protocol"). No wildcard:
// credentials are allowed, so every origin is named.
#pragma once

#include "otpgate/http/request.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::http {

class Cors {
public:
    // Origins such as https://app.example.com, without a path, and header fields that their pages may send beside those
    // of the API; throws ConfigurationError that names the bad one. `ownOrigin` is this service's, which is always
    // trusted.
    Cors(const std::vector<std::string>& allowedOrigins, std::string_view ownOrigin,
         const std::vector<std::string>& moreHeaders = {});

    // May this origin make a browser's cookie act here?
    bool isTrusted(std::string_view origin) const;

    // The answer to a preflight of an allowed origin; nullopt for any other request.
    std::optional<Response> answerPreflight(const Request& request) const;
    // Lets the allowed origin read the answer.
    void permit(const Request& request, Response& response) const;

private:
    bool isAllowed(std::string_view origin) const;
    std::vector<std::string> allowedOrigins_;
    std::string allowedHeaders_ = "Authorization, Content-Type, X-API-Key, X-CSRF-Token";
    std::string ownOrigin_;
};

}  // namespace otpgate::http
