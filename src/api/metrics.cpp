// GET /metrics: for Prometheus. Who may ask is decided in routes.cpp.
#include "otpgate/base/metrics.h"

#include "api/endpoints.h"

namespace otpgate::api {

http::Response showMetrics(const http::Request&, const Monitoring& monitoring) {
    http::Response response;
    response.contentType = MetricsText::kContentType;
    response.body = monitoring.metrics();
    return response;
}

}  // namespace otpgate::api
