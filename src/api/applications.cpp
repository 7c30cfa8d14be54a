// /api/v1/auth/me/applications: where a user has signed in by OpenID Connect, and how he takes that back.
#include "api/authentication.h"
#include "api/endpoints.h"
#include "api/views.h"
#include "otpgate/http/errors.h"
#include "otpgate/http/json.h"

namespace otpgate::api {

http::Response listApplications(const http::Request&, const Caller& caller, domain::UserApplications& applications) {
    http::JsonWriter json;
    json.beginObject().key("applications").beginArray();
    for (const domain::UserApplication& application : applications.list(caller.user)) {
        json.beginObject().member("client_id", application.clientId).member("name", application.title);
        json.key("scopes").beginArray();
        for (const domain::OidcScope scope : application.scopes) json.value(domain::toString(scope));
        json.endArray()
            .member("since", formatRfc3339(application.since))
            .member("last_used_at", optionalTime(application.lastUsedAt))
            .endObject();
    }
    json.endArray().endObject();
    return jsonResponse(200, json);
}

http::Response withdrawFromApplication(const http::Request& request, const Caller& caller,
                                       domain::UserApplications& applications) {
    if (!applications.withdraw(caller.user.id, request.pathParameters.at("client_id"), clientOf(request))) {
        throw http::ApiError(http::ErrorCode::NotFound).detail("You have let in no application of this name.");
    }
    return http::Response::noContent();
}

}  // namespace otpgate::api
