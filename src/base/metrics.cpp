#include "otpgate/base/metrics.h"

#include <algorithm>
#include <limits>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <vector>

// Of prometheus-cpp its families and its text alone: its own counters are doubles that are compared and exchanged, its
// histograms take a lock, and neither can be found without hashing labels.

namespace otpgate {

namespace {

double seconds(std::chrono::microseconds time) {
    return std::chrono::duration<double>(time).count();
}

prometheus::MetricType typeOf(MetricKind kind) {
    switch (kind) {
    case MetricKind::Counter: return prometheus::MetricType::Counter;
    case MetricKind::Gauge: return prometheus::MetricType::Gauge;
    case MetricKind::Histogram: return prometheus::MetricType::Histogram;
    }
    return prometheus::MetricType::Untyped;
}

template <std::size_t kSize>
std::array<std::uint64_t, kSize> valuesOf(const std::array<Counter, kSize>& counters) {
    std::array<std::uint64_t, kSize> values{};
    std::transform(counters.begin(), counters.end(), values.begin(),
                   [](const Counter& counter) { return counter.value(); });
    return values;
}

// `boundOf` says in the unit of the text where a bucket ends.
template <typename Buckets, typename BoundOf>
void fill(prometheus::ClientMetric::Histogram& out, const Buckets& buckets, const BoundOf& boundOf) {
    for (std::size_t i = 0; i < buckets.size(); ++i) {
        // The count is that of the buckets, so that the two agree whatever is counted meanwhile.
        out.sample_count += buckets[i];
        const bool isLast = i + 1 == buckets.size();
        out.bucket.push_back({out.sample_count, isLast ? std::numeric_limits<double>::infinity() : boundOf(i)});
    }
}

}  // namespace

void DurationHistogram::observe(std::chrono::microseconds duration) {
    duration = std::max(duration, std::chrono::microseconds{0});
    const auto bound = std::lower_bound(kBounds.begin(), kBounds.end(), duration);
    buckets_[static_cast<std::size_t>(bound - kBounds.begin())].add();
    sum_.add(static_cast<std::uint64_t>(duration.count()));
}

DurationHistogram::Buckets DurationHistogram::buckets() const {
    return valuesOf(buckets_);
}

void SizeHistogram::observe(std::size_t size) {
    const auto bound = std::lower_bound(kBounds.begin(), kBounds.end(), size);
    buckets_[static_cast<std::size_t>(bound - kBounds.begin())].add();
    sum_.add(size);
}

SizeHistogram::Buckets SizeHistogram::buckets() const {
    return valuesOf(buckets_);
}

struct MetricsText::Families {
    std::vector<prometheus::MetricFamily> all;

    prometheus::ClientMetric& add(Labels labels) {
        prometheus::ClientMetric& metric = all.back().metric.emplace_back();
        for (const Label& label : labels) metric.label.push_back({std::string{label.name}, std::string{label.value}});
        return metric;
    }
};

MetricsText::MetricsText() : families_(std::make_unique<Families>()) {}
MetricsText::~MetricsText() = default;

void MetricsText::begin(MetricKind kind, std::string_view name, std::string_view help) {
    families_->all.push_back({std::string{name}, std::string{help}, typeOf(kind), {}});
}

void MetricsText::sample(double value, Labels labels) {
    prometheus::ClientMetric& metric = families_->add(labels);
    // The text shows the one that the family's type names.
    metric.counter.value = value;
    metric.gauge.value = value;
}

void MetricsText::sample(const DurationHistogram& histogram, Labels labels) {
    prometheus::ClientMetric::Histogram& out = families_->add(labels).histogram;
    fill(out, histogram.buckets(), [](std::size_t i) { return seconds(DurationHistogram::kBounds.at(i)); });
    out.sample_sum = seconds(histogram.sum());
}

void MetricsText::sample(const SizeHistogram& histogram, Labels labels) {
    prometheus::ClientMetric::Histogram& out = families_->add(labels).histogram;
    fill(out, histogram.buckets(), [](std::size_t i) { return static_cast<double>(SizeHistogram::kBounds.at(i)); });
    out.sample_sum = static_cast<double>(histogram.sum());
}

std::string MetricsText::take() const {
    return prometheus::TextSerializer{}.Serialize(families_->all);
}

}  // namespace otpgate
