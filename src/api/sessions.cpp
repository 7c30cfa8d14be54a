// /api/v1/auth/logout and /api/v1/auth/sessions (API.md 4).
#include "api/authentication.h"
#include "api/endpoints.h"
#include "api/views.h"
#include "otpgate/http/errors.h"
#include "otpgate/http/json.h"

namespace otpgate::api {

namespace {

http::Response noContent() {
    http::Response response;
    response.status = 204;
    return response;
}

}  // namespace

http::Response logout(Services& services, const http::Request& request, const Caller& caller) {
    services.sessions.end(caller.session.id, caller.user.id, "logout", clientOf(request));
    return noContent();
}

http::Response listSessions(Services& services, const http::Request&, const Caller& caller) {
    http::JsonWriter json;
    json.beginObject().key("sessions").beginArray();
    for (const domain::Session& session : services.sessions.list(caller.user.id)) {
        writeSession(json, session, caller.session.id);
    }
    json.endArray().endObject();
    return jsonResponse(200, json);
}

http::Response endSession(Services& services, const http::Request& request, const Caller& caller) {
    // An id of another user's session, or of none, is the same 404: ids are not probed here.
    const auto id = Uuid::parse(request.pathParameters.at("id"));
    if (!id || !services.sessions.end(*id, caller.user.id, "ended_by_user", clientOf(request))) {
        throw http::ApiError(http::ErrorCode::NotFound).detail("You have no active session with this id.");
    }
    return noContent();
}

}  // namespace otpgate::api
