// /oauth/token, /oauth/userinfo, /oauth/revoke and /oauth/introspect: what applications ask themselves, from server to
// server. Errors are those of RFC 6749, section 5.2, which their libraries read.
#include "api/authentication.h"
#include "api/endpoints.h"
#include "api/views.h"
#include "otpgate/http/errors.h"
#include "otpgate/http/json.h"

#include <variant>

namespace otpgate::api {

using domain::OidcError;
using domain::Parameters;

namespace {

http::Response answer(const OidcError& error) {
    http::JsonWriter json;
    json.beginObject().member("error", error.error).member("error_description", error.description).endObject();
    http::Response response = jsonResponse(error.isOfClient ? 401 : 400, json);
    if (error.isOfClient) response.with("WWW-Authenticate", R"(Basic realm="otpgate")");
    return response;
}

http::Response jsonText(std::string text) {
    http::Response response;
    response.body = std::move(text);
    return response;
}

const OidcError kNoForm{"invalid_request", "the body is no form (application/x-www-form-urlencoded)"};

// In the header, or in a form (RFC 6750, section 2.2); not in the address, which is logged.
std::string tokenShownBy(const http::Request& request) {
    if (const auto bearer = bearerOf(request)) return std::string{*bearer};
    const bool isForm = request.method == "POST" && request.hasForm();
    auto token = isForm ? request.formParameter("access_token") : std::nullopt;
    if (!token) throw http::ApiError(http::ErrorCode::Unauthenticated);
    return std::move(*token);
}

}  // namespace

http::Response exchangeGrant(const http::Request& request, domain::OidcProvider& oidc) {
    if (!request.hasForm()) return answer(kNoForm);
    const auto outcome = oidc.exchange(request.header("authorization"), http::parseForm(request.body));
    if (const auto* error = std::get_if<OidcError>(&outcome)) return answer(*error);
    const auto& tokens = std::get<domain::OidcTokens>(outcome);
    http::JsonWriter json;
    json.beginObject()
        .member("access_token", tokens.access)
        .member("token_type", "Bearer")
        .member("expires_in", tokens.expiresIn.count())
        .member("id_token", tokens.id)
        .member("scope", domain::toText(tokens.scopes));
    if (!tokens.refresh.empty()) json.member("refresh_token", tokens.refresh);
    json.endObject();
    return jsonResponse(200, json);
}

http::Response showUserinfo(const http::Request& request, domain::OidcProvider& oidc) {
    const auto use = oidc.inspectAccessToken(tokenShownBy(request));
    if (!use) throw http::ApiError(http::ErrorCode::InvalidToken);
    return jsonText(oidc.userinfo(*use));
}

http::Response revokeGrant(const http::Request& request, domain::OidcProvider& oidc) {
    if (!request.hasForm()) return answer(kNoForm);
    const Parameters form = http::parseForm(request.body);
    const auto client = oidc.authenticate(request.header("authorization"), form);
    if (const auto* error = std::get_if<OidcError>(&client)) return answer(*error);
    const auto token = domain::findParameter(form, "token");
    if (!token) return answer(OidcError{"invalid_request", "token is missing"});
    oidc.revoke(*token, std::get<domain::OidcClient>(client));
    // Whatever it was (RFC 7009, section 2.2).
    return jsonText("{}");
}

http::Response introspectGrant(const http::Request& request, domain::OidcProvider& oidc,
                               domain::ApiKeyService& apiKeys) {
    if (!request.hasForm()) return answer(kNoForm);
    const Parameters form = http::parseForm(request.body);
    const auto token = domain::findParameter(form, "token");
    if (showsApiKey(request)) {
        authenticateKey(apiKeys, request, {});
        if (!token) return answer(OidcError{"invalid_request", "token is missing"});
        return jsonText(oidc.introspect(*token, nullptr));
    }
    const auto client = oidc.authenticate(request.header("authorization"), form);
    if (const auto* error = std::get_if<OidcError>(&client)) return answer(*error);
    if (!token) return answer(OidcError{"invalid_request", "token is missing"});
    return jsonText(oidc.introspect(*token, &std::get<domain::OidcClient>(client)));
}

}  // namespace otpgate::api
