// POST /api/v1/auth/token/refresh and GET /.well-known/jwks.json (API.md 4).
#include "api/authentication.h"
#include "api/endpoints.h"
#include "api/views.h"
#include "otpgate/http/errors.h"
#include "otpgate/http/json.h"

namespace otpgate::api {

http::Response refreshTokens(Services& services, const http::Request& request) {
    http::JsonBody body(request);
    const std::string refreshToken = body.requiredString("refresh");
    body.rejectInvalid();

    const auto outcome = services.sessions.refresh(refreshToken, clientOf(request));
    switch (outcome.kind) {
    case domain::RefreshOutcome::Kind::Refreshed: break;
    case domain::RefreshOutcome::Kind::Invalid: throw http::ApiError(http::ErrorCode::InvalidToken);
    case domain::RefreshOutcome::Kind::Reused: throw http::ApiError(http::ErrorCode::TokenReused);
    }
    http::JsonWriter json;
    json.beginObject();
    writeTokens(json, outcome.tokens);
    json.endObject();
    return jsonResponse(200, json);
}

http::Response publishKeys(Services& services, const http::Request&) {
    http::Response response;
    response.contentType = "application/jwk-set+json";  // RFC 7517, section 8.5.2
    response.body = services.keys.jwks(services.clock.now());
    return response;
}

}  // namespace otpgate::api
