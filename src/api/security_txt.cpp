// GET /.well-known/security.txt (RFC 9116): whom to tell of a weakness.
#include "api/endpoints.h"
#include "otpgate/http/errors.h"

namespace otpgate::api {

namespace {

// Less than a year, as section 2.5.5 recommends. The settings are what counts, so it is always as far away.
constexpr std::chrono::days kGoodFor{180};

void appendLine(std::string& text, std::string_view field, std::string_view value) {
    text.append(field).append(": ").append(value).append("\n");
}

}  // namespace

http::Response showSecurityTxt(const http::Request&, const Clock& clock, const ApiSettings& settings) {
    // Nobody is named who did not say so.
    if (settings.securityContacts.empty()) throw http::ApiError(http::ErrorCode::NotFound);
    http::Response response;
    response.contentType = "text/plain; charset=utf-8";
    for (const std::string& contact : settings.securityContacts) appendLine(response.body, "Contact", contact);
    appendLine(response.body, "Expires", formatRfc3339(std::chrono::floor<std::chrono::days>(clock.now()) + kGoodFor));
    appendLine(response.body, "Canonical", settings.publicUrl + "/.well-known/security.txt");
    if (!settings.securityPolicy.empty()) appendLine(response.body, "Policy", settings.securityPolicy);
    return response;
}

}  // namespace otpgate::api
