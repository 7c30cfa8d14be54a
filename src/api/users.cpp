// GET /api/v1/auth/me (API.md 4).
#include "api/endpoints.h"
#include "api/views.h"
#include "otpgate/http/json.h"

namespace otpgate::api {

http::Response showMe(Services& services, const http::Request&, const Caller& caller) {
    http::JsonWriter json;
    json.beginObject().key("user");
    writeUser(json, caller.user);
    json.endObject();
    http::Response response = jsonResponse(200, json);
    if (caller.credential == Credential::Cookie) {
        response.with("X-CSRF-Token", services.sessions.csrfTokenOf(caller.session.id));
    }
    return response;
}

}  // namespace otpgate::api
