// POST /api/v1/auth/token/refresh and introspect, and GET /.well-known/jwks.json.
#include "api/authentication.h"
#include "api/endpoints.h"
#include "api/views.h"
#include "otpgate/base/numeric_date.h"
#include "otpgate/base/text.h"
#include "otpgate/domain/assurance.h"
#include "otpgate/domain/proved.h"
#include "otpgate/http/errors.h"
#include "otpgate/http/json.h"

namespace otpgate::api {

namespace {

// `token` of a form, as RFC 7662 has it, or of a JSON object. `token_type_hint` would only say where to look first.
std::string readToken(const http::Request& request) {
    if (request.hasForm()) {
        auto token = request.formParameter("token");
        if (!token) throw http::ApiError(http::ErrorCode::MissingFields).field("token", "is required");
        return std::move(*token);
    }
    http::JsonBody body(request);
    std::string token = body.requiredString("token", http::kMaxBodyBytes);
    body.rejectInvalid();
    return token;
}

// The members of RFC 7662, section 2.2. `token_type` keeps a refresh token from being taken for the right to enter.
void writeDescription(http::JsonWriter& json, const domain::TokenDescription& token) {
    const bool isAccess = token.kind == domain::TokenDescription::Kind::Access;
    const auto level = domain::assuranceOf(token.grant.session.session.methods);
    json.member("token_type", isAccess ? "Bearer" : "refresh_token")
        .member("sub", token.grant.session.user.id.toString())
        .member("sid", token.grant.session.session.id.toString())
        .member("iss", token.issuer)
        .member("aud", token.audience)
        .member("iat", numericDate(token.grant.issuedAt))
        .member("exp", numericDate(token.grant.expiresAt))
        .member("auth_time", numericDate(token.grant.session.session.authenticatedAt))
        .member("acr", domain::toUrn(level))
        .member("aal", static_cast<int>(level));
    json.key("amr").beginArray();
    for (const std::string_view method : split(token.grant.session.session.methods, ' ')) json.value(method);
    json.endArray();
    if (const auto name = domain::tellableName(token.grant.session.user)) json.member("username", *name);
    // An array only where there is something in it: some readers of such answers take none.
    if (const auto& groups = token.grant.session.user.groups; !groups.empty()) writeGroups(json, groups);
    if (token.grant.id) json.member("jti", *token.grant.id);
}

}  // namespace

http::Response refreshTokens(const http::Request& request, domain::SessionService& sessions) {
    http::JsonBody body(request);
    const std::string refreshToken = body.requiredString("refresh");
    body.rejectInvalid();

    const auto outcome = sessions.refresh(refreshToken, clientOf(request));
    switch (outcome.kind) {
    case domain::RefreshOutcome::Kind::Refreshed: break;
    case domain::RefreshOutcome::Kind::Invalid: throw http::ApiError(http::ErrorCode::InvalidToken);
    case domain::RefreshOutcome::Kind::NeedsFactor:
        throw http::ApiError(http::ErrorCode::InsufficientUserAuthentication);
    case domain::RefreshOutcome::Kind::Reused: throw http::ApiError(http::ErrorCode::TokenReused);
    }
    http::JsonWriter json;
    json.beginObject();
    writeTokens(json, outcome.tokens);
    json.endObject();
    return jsonResponse(200, json);
}

http::Response introspectToken(const http::Request& request, const ApiKeyCaller&, domain::SessionService& sessions) {
    const auto description = sessions.introspect(readToken(request));
    http::JsonWriter json;
    json.beginObject().member("active", description.has_value());
    if (description) writeDescription(json, *description);
    json.endObject();
    return jsonResponse(200, json);
}

http::Response publishKeys(const http::Request&, const PublishedKeys& keys, const Clock& clock) {
    http::Response response;
    response.contentType = "application/jwk-set+json";  // RFC 7517, section 8.5.2
    response.body = keys.access.jwks(clock.now(), &keys.id);
    return response;
}

}  // namespace otpgate::api
