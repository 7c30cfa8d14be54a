// /api/v1/auth/logout and /api/v1/auth/sessions.
#include "api/authentication.h"
#include "api/endpoints.h"
#include "api/views.h"
#include "otpgate/http/cookies.h"
#include "otpgate/http/errors.h"
#include "otpgate/http/json.h"

namespace otpgate::api {

namespace {

http::Response signedOut() {
    http::Response response = http::Response::noContent();
    http::clearCookie(response, kSessionCookie);
    return response;
}

}  // namespace

http::Response logout(const http::Request& request, const Caller& caller, domain::SessionService& sessions) {
    // The device stays known: signing out of it is no reason to let strangers lock it out.
    sessions.end(caller.session.id, caller.user.id, "logout", domain::DeviceFate::Keep, clientOf(request));
    return signedOut();
}

http::Response logoutAll(const http::Request& request, const Caller& caller, domain::SessionService& sessions) {
    sessions.end(caller.session.id, caller.user.id, "logout_all", domain::DeviceFate::Keep, clientOf(request));
    sessions.endAll(caller.user.id, caller.session.id, "logout_all", clientOf(request));
    return signedOut();
}

http::Response listSessions(const http::Request&, const Caller& caller, domain::SessionService& sessions) {
    http::JsonWriter json;
    json.beginObject().key("sessions").beginArray();
    for (const domain::Session& session : sessions.list(caller.user.id)) {
        writeSession(json, session, caller.session.id);
    }
    json.endArray().endObject();
    return jsonResponse(200, json);
}

http::Response endSession(const http::Request& request, const Caller& caller, domain::SessionService& sessions) {
    // An id of another user's session, or of none, is the same 404: ids are not probed here.
    const auto id = Uuid::parse(request.pathParameters.at("id"));
    if (!id || !sessions.end(*id, caller.user.id, "ended_by_user", domain::DeviceFate::Forget, clientOf(request))) {
        throw http::ApiError(http::ErrorCode::NotFound).detail("You have no active session with this id.");
    }
    return http::Response::noContent();
}

}  // namespace otpgate::api
