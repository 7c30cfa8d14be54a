// GET /health/live and /health/ready (API.md 6): for load balancers and monitors.
#include "api/endpoints.h"
#include "api/views.h"
#include "otpgate/http/errors.h"
#include "otpgate/http/json.h"

namespace otpgate::api {

http::Response showLiveness(Services&, const http::Request&) {
    http::JsonWriter json;
    json.beginObject().member("status", "live").endObject();
    return jsonResponse(200, json);
}

http::Response showReadiness(Services& services, const http::Request&) {
    // Each throws ServiceUnavailable: the answer is then 503, and the log says what is not ready.
    services.readiness.checkDatabase();
    services.readiness.checkMigrations();
    services.readiness.checkKeys();
    http::JsonWriter json;
    json.beginObject().member("status", "ready").key("checks").beginObject();
    json.member("database", "ok").member("migrations", "ok").member("keys", "ok");
    json.endObject().endObject();
    return jsonResponse(200, json);
}

}  // namespace otpgate::api
