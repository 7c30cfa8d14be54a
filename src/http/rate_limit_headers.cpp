#include "otpgate/http/rate_limit_headers.h"

#include "otpgate/base/text.h"

#include <algorithm>

namespace otpgate::http {

namespace {

// A String of RFC 9651, section 3.3.3: printable ASCII with quote and backslash escaped.
std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (!isPrintable(c)) continue;
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out += '"';
}

std::string seconds(std::chrono::seconds duration) {
    return std::to_string(std::max<std::chrono::seconds::rep>(duration.count(), 0));
}

}  // namespace

std::string rateLimitPolicyValue(const RateLimitStatus& status) {
    return quoted(status.policyName) + ";q=" + std::to_string(status.quota) + ";w=" + seconds(status.window);
}

std::string rateLimitValue(const RateLimitStatus& status) {
    return quoted(status.policyName) + ";r=" + std::to_string(status.remaining) + ";t=" + seconds(status.reset);
}

}  // namespace otpgate::http
