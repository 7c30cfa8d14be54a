// GET /health/live and /health/ready: for load balancers and monitors.
#include "api/authentication.h"
#include "api/endpoints.h"
#include "api/views.h"
#include "otpgate/http/errors.h"
#include "otpgate/http/json.h"

namespace otpgate::api {

namespace {

// Everybody learns what is wrong, monitors why.
http::ApiError notReady(const ReadinessCheck& check, bool toMonitor) {
    http::ApiError error(http::ErrorCode::Unavailable, check.name + ": " + check.fault);
    error.member("check", check.name);
    if (toMonitor) error.member("reason", check.fault);
    return error;
}

}  // namespace

// With the address that we take the client's to be: who asks knows his own, and sees whether the web server passes it
// on.
http::Response showLiveness(const http::Request& request) {
    http::JsonWriter json;
    json.beginObject().member("status", "live").member("client_ip", request.clientAddress).endObject();
    return jsonResponse(200, json);
}

http::Response showReadiness(const http::Request& request, const Readiness& readiness, const Monitoring& monitoring) {
    const auto checks = readiness();
    for (const ReadinessCheck& check : checks) {
        if (!check.fault.empty()) throw notReady(check, isMonitor(monitoring, request));
    }
    http::JsonWriter json;
    json.beginObject().member("status", "ready").key("checks").beginObject();
    for (const ReadinessCheck& check : checks) json.member(check.name, "ok");
    json.endObject();
    if (isMonitor(monitoring, request)) {
        for (const ReadinessCheck& check : checks) {
            if (!check.detail.empty()) json.member(check.name + "_host", check.detail);
        }
    }
    json.endObject();
    return jsonResponse(200, json);
}

}  // namespace otpgate::api
