// What the service counts of itself, and the text in which Prometheus reads it. Counting is a few relaxed additions:
// any thread, no lock, no look-up. Whoever counts holds its counters by name; the text is made for GET /metrics alone.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace otpgate {

class Counter {
public:
    void add(std::uint64_t amount = 1) { value_.fetch_add(amount, std::memory_order_relaxed); }
    std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

// How often something took how long.
class DurationHistogram {
public:
    // The upper bounds of the buckets, each included; a last bucket has what took longer.
    static constexpr std::array<std::chrono::microseconds, 12> kBounds{
        std::chrono::microseconds{1000},     std::chrono::microseconds{2500},
        std::chrono::microseconds{5000},     std::chrono::microseconds{10'000},
        std::chrono::microseconds{25'000},   std::chrono::microseconds{50'000},
        std::chrono::microseconds{100'000},  std::chrono::microseconds{250'000},
        std::chrono::microseconds{500'000},  std::chrono::seconds{1},
        std::chrono::microseconds{2500'000}, std::chrono::seconds{5}};
    using Buckets = std::array<std::uint64_t, kBounds.size() + 1>;  // how many fell into each, and into no other

    // What is below nothing (a clock that was set back) counts as nothing.
    void observe(std::chrono::microseconds duration);
    Buckets buckets() const;
    std::chrono::microseconds sum() const { return std::chrono::microseconds{sum_.value()}; }

private:
    std::array<Counter, kBounds.size() + 1> buckets_;
    Counter sum_;
};

// How many of something came together: of 1, up to 2, up to 4 and so on.
class SizeHistogram {
public:
    static constexpr std::array<std::size_t, 6> kBounds{1, 2, 4, 8, 16, 32};
    using Buckets = std::array<std::uint64_t, kBounds.size() + 1>;

    void observe(std::size_t size);
    Buckets buckets() const;
    std::uint64_t sum() const { return sum_.value(); }

private:
    std::array<Counter, kBounds.size() + 1> buckets_;
    Counter sum_;
};

enum class MetricKind { Counter, Gauge, Histogram };

// Metrics in the text format of Prometheus (version 0.0.4). One object a scrape.
class MetricsText {
public:
    static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

    struct Label {
        std::string_view name;
        std::string_view value;
    };
    using Labels = std::initializer_list<Label>;

    MetricsText();
    ~MetricsText();
    MetricsText(const MetricsText&) = delete;
    MetricsText& operator=(const MetricsText&) = delete;

    // What the samples that follow are: a name with its unit, and a sentence.
    void begin(MetricKind kind, std::string_view name, std::string_view help);
    void sample(double value, Labels labels = {});                        // of a counter or a gauge
    void sample(const DurationHistogram& histogram, Labels labels = {});  // in seconds
    void sample(const SizeHistogram& histogram, Labels labels = {});
    void sample(const Counter& counter, Labels labels = {}) { sample(static_cast<double>(counter.value()), labels); }

    std::string take() const;

private:
    struct Families;
    std::unique_ptr<Families> families_;
};

}  // namespace otpgate
