// GET /api/v1/auth/me (API.md 4).
#include "api/endpoints.h"
#include "api/views.h"
#include "otpgate/http/json.h"

namespace otpgate::api {

http::Response showMe(Services&, const http::Request&, const Caller& caller) {
    http::JsonWriter json;
    json.beginObject().key("user");
    writeUser(json, caller.user);
    json.endObject();
    return jsonResponse(200, json);
}

}  // namespace otpgate::api
