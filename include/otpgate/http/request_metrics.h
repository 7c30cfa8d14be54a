// How many requests each route got, with what answer, and how long they took. One for the process; counting is for any
// thread. What a client can choose (paths, methods) makes no new series.
#pragma once

#include "otpgate/base/metrics.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::http {

class RequestMetrics {
public:
    // Of the routes in Router::patterns().
    explicit RequestMetrics(std::vector<std::string> patterns);

    // `route` is that of the request; what is no route is counted as "unknown".
    void count(std::size_t route, std::string_view method, int status, std::chrono::microseconds duration);
    // What was counted at all.
    void write(MetricsText& text) const;

    static constexpr std::array<std::string_view, 8> kMethods{"GET",   "HEAD",   "POST",    "PUT",
                                                              "PATCH", "DELETE", "OPTIONS", "other"};
    // 0 is any other.
    static constexpr std::array<int, 19> kStatuses{200, 201, 202, 204, 302, 400, 401, 403, 404, 405,
                                                   409, 410, 413, 415, 429, 500, 502, 503, 0};

private:
    struct Row {
        std::array<std::array<Counter, kStatuses.size()>, kMethods.size()> requests;
        DurationHistogram durations;
    };
    std::string_view nameOf(std::size_t row) const;

    const std::vector<std::string> patterns_;
    std::vector<Row> rows_;  // as many as there are patterns, and the unknown
};

}  // namespace otpgate::http
