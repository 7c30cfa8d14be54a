// GET /.well-known/openid-configuration: what applications' libraries set themselves up by (OpenID Connect Discovery
// 1.0, section 3; RFC 8414, section 2).
#include "api/endpoints.h"
#include "api/views.h"
#include "otpgate/http/json.h"

#include <initializer_list>

namespace otpgate::api {

namespace {

constexpr Place kOidcEndpoints[] = {
    {"authorization_endpoint", "/oauth/authorize"},  {"token_endpoint", "/oauth/token"},
    {"userinfo_endpoint", "/oauth/userinfo"},        {"revocation_endpoint", "/oauth/revoke"},
    {"introspection_endpoint", "/oauth/introspect"}, {"end_session_endpoint", "/oauth/logout"},
    {"jwks_uri", "/.well-known/jwks.json"},          {"service_documentation", "/docs/openid/"},
};

void writeWords(http::JsonWriter& json, std::string_view name, std::initializer_list<std::string_view> values) {
    json.key(name).beginArray();
    for (const std::string_view value : values) json.value(value);
    json.endArray();
}

}  // namespace

http::Response showOpenIdConfiguration(const http::Request&, const ApiSettings& settings) {
    http::JsonWriter json;
    json.beginObject().member("issuer", settings.publicUrl);
    writePlaces(json, settings, kOidcEndpoints);
    json.key("scopes_supported").beginArray();
    for (const domain::OidcScope scope : domain::kOidcScopes) json.value(domain::toString(scope));
    json.endArray();
    writeWords(json, "response_types_supported", {"code"});
    writeWords(json, "response_modes_supported", {"query", "form_post"});
    writeWords(json, "grant_types_supported", {"authorization_code", "refresh_token"});
    writeWords(json, "subject_types_supported", {"public"});
    writeWords(json, "id_token_signing_alg_values_supported", {"RS256", "ES256"});
    for (const std::string_view name :
         {"token_endpoint_auth_methods_supported", "revocation_endpoint_auth_methods_supported",
          "introspection_endpoint_auth_methods_supported"}) {
        writeWords(json, name, {"client_secret_basic", "client_secret_post", "none"});
    }
    writeWords(json, "code_challenge_methods_supported", {"S256"});
    writeWords(json, "prompt_values_supported", {"none", "login", "consent", "select_account"});
    writeWords(json, "acr_values_supported", {"urn:otpgate:aal1", "urn:otpgate:aal2", "phr", "phrh"});
    writeWords(json, "claims_supported",
               {"sub",
                "iss",
                "aud",
                "exp",
                "iat",
                "auth_time",
                "nonce",
                "acr",
                "amr",
                "sid",
                "at_hash",
                "name",
                "given_name",
                "family_name",
                "preferred_username",
                "locale",
                "zoneinfo",
                "email",
                "email_verified",
                "phone_number",
                "phone_number_verified",
                "groups"});
    json.member("authorization_response_iss_parameter_supported", true)
        .member("request_parameter_supported", false)
        .member("request_uri_parameter_supported", false)
        .member("claims_parameter_supported", false)
        .member("backchannel_logout_supported", true)
        .member("backchannel_logout_session_supported", true);
    json.endObject();
    http::Response response = jsonResponse(200, json);
    response.with("Cache-Control", "public, max-age=300");
    return response;
}

}  // namespace otpgate::api
