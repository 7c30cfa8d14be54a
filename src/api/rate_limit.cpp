#include "api/rate_limit.h"

#include "otpgate/http/rate_limit_headers.h"

namespace otpgate::api {

namespace {

http::RateLimitStatus statusOf(const domain::LimitReport& limit) {
    return {limit.name, limit.state.window.count, limit.state.window.window, limit.state.remaining, limit.state.reset};
}

}  // namespace

http::Response withLimit(http::Response response, const std::optional<domain::LimitReport>& limit) {
    if (!limit) return response;
    const http::RateLimitStatus status = statusOf(*limit);
    response.with(std::string{http::kRateLimitPolicyHeader}, http::rateLimitPolicyValue(status));
    response.with(std::string{http::kRateLimitHeader}, http::rateLimitValue(status));
    return response;
}

http::ApiError limitError(http::ErrorCode code, const std::optional<domain::LimitReport>& limit) {
    http::ApiError error(code, limit ? "limit " + std::string{limit->name} : std::string{});
    if (!limit) return error;
    const http::RateLimitStatus status = statusOf(*limit);
    error.retryAfter(limit->state.reset);
    error.header(std::string{http::kRateLimitPolicyHeader}, http::rateLimitPolicyValue(status));
    error.header(std::string{http::kRateLimitHeader}, http::rateLimitValue(status));
    return error;
}

}  // namespace otpgate::api
