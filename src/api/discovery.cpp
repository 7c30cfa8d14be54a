// GET /.well-known/otpgate: where everything is, and what tokens and codes look like here. The names are those of RFC
// 8414 where that has one.
#include "api/endpoints.h"
#include "api/views.h"
#include "otpgate/http/json.h"

namespace otpgate::api {

namespace {

constexpr Place kPlaces[] = {
    {"sign_in_url", "/"},
    {"api_url", "/api/v1"},
    {"openapi_url", "/api/openapi.json"},
    {"service_documentation", "/docs/"},
    {"otp_request_endpoint", "/api/v1/auth/otp/request"},
    {"otp_verify_endpoint", "/api/v1/auth/otp/verify"},
    {"token_refresh_endpoint", "/api/v1/auth/token/refresh"},
    {"introspection_endpoint", "/api/v1/auth/token/introspect"},
    {"user_endpoint", "/api/v1/auth/me"},
    {"logout_endpoint", "/api/v1/auth/logout"},
    {"authz_endpoint", "/authz"},
};

}  // namespace

http::Response showDiscovery(const http::Request&, const ApiSettings& settings) {
    const bool isJwt = settings.tokens.format == domain::TokenFormat::Jwt;
    http::JsonWriter json;
    json.beginObject();
    json.member("issuer", settings.publicUrl);
    if (isJwt) json.member("jwks_uri", settings.publicUrl + "/.well-known/jwks.json");
    writePlaces(json, settings, kPlaces);
    json.key("access_token").beginObject();
    json.member("format", isJwt ? "jwt" : "opaque");
    if (isJwt) json.member("alg", "ES256").member("audience", settings.tokens.audience);
    json.member("expires_in", settings.tokens.accessLifetime.count()).endObject();
    writeCodes(json, settings);
    json.endObject();
    return jsonResponse(200, json);
}

}  // namespace otpgate::api
