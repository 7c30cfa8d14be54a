// GET /metrics: for Prometheus (API.md 6). Who may ask is decided in routes.cpp.
#include "otpgate/base/metrics.h"

#include "api/endpoints.h"

namespace otpgate::api {

http::Response showMetrics(Services& services, const http::Request&) {
    http::Response response;
    response.contentType = MetricsText::kContentType;
    response.body = services.monitoring.metrics();
    return response;
}

}  // namespace otpgate::api
