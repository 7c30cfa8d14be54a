// The header fields of draft-ietf-httpapi-ratelimit-headers, for the routes that have a limit.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace otpgate::http {

inline constexpr std::string_view kRateLimitHeader = "RateLimit";
inline constexpr std::string_view kRateLimitPolicyHeader = "RateLimit-Policy";

struct RateLimitStatus {
    std::string_view policyName;  // printable ASCII: "otp-request"
    unsigned quota = 0;           // requests accepted in one window
    std::chrono::seconds window{};
    unsigned remaining = 0;
    std::chrono::seconds reset{};  // until the quota grows again
};

// `"otp-request";q=5;w=3600`
std::string rateLimitPolicyValue(const RateLimitStatus& status);
// `"otp-request";r=4;t=3599`
std::string rateLimitValue(const RateLimitStatus& status);

}  // namespace otpgate::http
