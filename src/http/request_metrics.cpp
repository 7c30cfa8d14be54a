#include "otpgate/http/request_metrics.h"

#include <algorithm>
#include <numeric>

namespace otpgate::http {

namespace {

// The place of a value, or the last one, which is for the others.
template <typename Values, typename Value>
std::size_t placeIn(const Values& values, const Value& value) {
    const auto last = values.end() - 1;
    return static_cast<std::size_t>(std::find(values.begin(), last, value) - values.begin());
}

}  // namespace

RequestMetrics::RequestMetrics(std::vector<std::string> patterns)
    : patterns_(std::move(patterns)),
      rows_(patterns_.size() + 1) {}

void RequestMetrics::count(std::size_t route, std::string_view method, int status, std::chrono::microseconds duration) {
    Row& row = rows_[std::min(route, patterns_.size())];
    row.requests[placeIn(kMethods, method)][placeIn(kStatuses, status)].add();
    row.durations.observe(duration);
}

void RequestMetrics::write(MetricsText& text) const {
    text.begin(MetricKind::Counter, "otpgate_http_requests_total", "Requests answered, by route, method and status.");
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        for (std::size_t method = 0; method < kMethods.size(); ++method) {
            for (std::size_t status = 0; status < kStatuses.size(); ++status) {
                const Counter& requests = rows_[i].requests[method][status];
                if (requests.value() == 0) continue;
                const std::string code = kStatuses[status] == 0 ? "other" : std::to_string(kStatuses[status]);
                text.sample(requests, {{"route", nameOf(i)}, {"method", kMethods[method]}, {"status", code}});
            }
        }
    }
    text.begin(MetricKind::Histogram, "otpgate_http_request_duration_seconds",
               "From the whole request to the whole answer, without their ways through the web server.");
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        const auto buckets = rows_[i].durations.buckets();
        if (std::accumulate(buckets.begin(), buckets.end(), std::uint64_t{0}) == 0) continue;
        text.sample(rows_[i].durations, {{"route", nameOf(i)}});
    }
}

std::string_view RequestMetrics::nameOf(std::size_t row) const {
    return row < patterns_.size() ? std::string_view{patterns_[row]} : "unknown";
}

}  // namespace otpgate::http
