#include "otpgate/base/metrics.h"

#include "otpgate/api/routes.h"
#include "otpgate/base/process_stats.h"
#include "otpgate/domain/otp_metrics.h"
#include "support_cpp/contains.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

namespace otpgate {
namespace metrics_test {

using namespace std::chrono_literals;
using domain::Channel;
using domain::OtpEvent;
using domain::OtpMetrics;
using domain::Purpose;

class MetricsTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(MetricsTest);
    CPPUNIT_TEST(writesTheFormatOfPrometheus);
    CPPUNIT_TEST(escapesLabels);
    CPPUNIT_TEST(writesAHistogramInSeconds);
    CPPUNIT_TEST(putsABoundIntoItsOwnBucket);
    CPPUNIT_TEST(takesAClockThatWasSetBack);
    CPPUNIT_TEST(writesAHistogramOfSizes);
    CPPUNIT_TEST(putsASizeIntoTheBucketThatHoldsIt);
    CPPUNIT_TEST(losesNothingBetweenThreads);
    CPPUNIT_TEST(showsEveryChannelAndPurposeFromTheStart);
    CPPUNIT_TEST(countsWhatBecomesOfACode);
    CPPUNIT_TEST(countsAGuessAtNoCode);
    CPPUNIT_TEST(knowsEveryRouteOnce);
    CPPUNIT_TEST(readsTheProcess);
    CPPUNIT_TEST_SUITE_END();

    void writesTheFormatOfPrometheus() {
        Counter counter;
        counter.add();
        counter.add(41);
        MetricsText text;
        text.begin(MetricKind::Counter, "a_total", "How many.");
        text.sample(counter, {{"kind", "one"}, {"other", "two"}});
        text.sample(0, {{"kind", "none"}});
        text.begin(MetricKind::Gauge, "b", "How much.");
        text.sample(0.5);
        CPPUNIT_ASSERT_EQUAL(std::string{"# HELP a_total How many.\n"
                                         "# TYPE a_total counter\n"
                                         "a_total{kind=\"one\",other=\"two\"} 42\n"
                                         "a_total{kind=\"none\"} 0\n"
                                         "# HELP b How much.\n"
                                         "# TYPE b gauge\n"
                                         "b 0.5\n"},
                             text.take());
    }

    void escapesLabels() {
        MetricsText text;
        text.begin(MetricKind::Gauge, "a", "A.");
        text.sample(1, {{"version", "a\"b\\c\nd"}});
        CPPUNIT_ASSERT(test::contains(text.take(), "\na{version=\"a\\\"b\\\\c\\nd\"} 1\n"));
    }

    void writesAHistogramInSeconds() {
        DurationHistogram histogram;
        for (const auto duration : {300us, 4000us, 20'000us, 20'000us}) histogram.observe(duration);
        histogram.observe(6s);
        MetricsText text;
        text.begin(MetricKind::Histogram, "a_seconds", "How long.");
        text.sample(histogram, {{"route", "/a"}});
        const std::string written = text.take();
        const std::string expected[] = {"\"0.001\"} 1", "\"0.0025\"} 1", "\"0.005\"} 2", "\"0.01\"} 2", "\"0.025\"} 4",
                                        "\"0.05\"} 4",  "\"0.1\"} 4",    "\"0.25\"} 4",  "\"0.5\"} 4",  "\"1\"} 4",
                                        "\"2.5\"} 4",   "\"5\"} 4",      "\"+Inf\"} 5"};
        for (const std::string& bucket : expected) {
            CPPUNIT_ASSERT_MESSAGE(written,
                                   test::contains(written, "\na_seconds_bucket{route=\"/a\",le=" + bucket + "\n"));
        }
        CPPUNIT_ASSERT(test::contains(written, "# TYPE a_seconds histogram\n"));
        CPPUNIT_ASSERT(test::contains(written, "\na_seconds_count{route=\"/a\"} 5\n"));
        CPPUNIT_ASSERT(test::contains(written, "\na_seconds_sum{route=\"/a\"} 6.0443\n"));
    }

    void putsABoundIntoItsOwnBucket() {
        DurationHistogram histogram;
        for (const auto bound : DurationHistogram::kBounds) histogram.observe(bound);
        for (const auto bound : DurationHistogram::kBounds) histogram.observe(bound + 1us);
        const auto buckets = histogram.buckets();
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, buckets.front());
        for (std::size_t i = 1; i + 1 < buckets.size(); ++i) CPPUNIT_ASSERT_EQUAL(std::uint64_t{2}, buckets[i]);
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, buckets.back());
    }

    void takesAClockThatWasSetBack() {
        DurationHistogram histogram;
        histogram.observe(-5s);
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, histogram.buckets().front());
        CPPUNIT_ASSERT(histogram.sum() == 0us);
    }

    void writesAHistogramOfSizes() {
        SizeHistogram histogram;
        for (const std::size_t size : {1, 1, 3, 4, 32, 33}) histogram.observe(size);
        MetricsText text;
        text.begin(MetricKind::Histogram, "a_size", "How many.");
        text.sample(histogram);
        CPPUNIT_ASSERT_EQUAL(std::string{"# HELP a_size How many.\n"
                                         "# TYPE a_size histogram\n"
                                         "a_size_count 6\n"
                                         "a_size_sum 74\n"
                                         "a_size_bucket{le=\"1\"} 2\n"
                                         "a_size_bucket{le=\"2\"} 2\n"
                                         "a_size_bucket{le=\"4\"} 4\n"
                                         "a_size_bucket{le=\"8\"} 4\n"
                                         "a_size_bucket{le=\"16\"} 4\n"
                                         "a_size_bucket{le=\"32\"} 5\n"
                                         "a_size_bucket{le=\"+Inf\"} 6\n"},
                             text.take());
    }

    void putsASizeIntoTheBucketThatHoldsIt() {
        SizeHistogram histogram;
        for (std::size_t size = 0; size <= 40; ++size) histogram.observe(size);
        CPPUNIT_ASSERT((histogram.buckets() == SizeHistogram::Buckets{2, 1, 2, 4, 8, 16, 8}));
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{820}, histogram.sum());
    }

    void losesNothingBetweenThreads() {
        constexpr int kThreads = 8;
        constexpr int kRounds = 20'000;
        DurationHistogram durations;
        SizeHistogram sizes;
        std::vector<std::thread> threads;
        threads.reserve(kThreads);
        for (int i = 0; i < kThreads; ++i) {
            threads.emplace_back([&] {
                for (int round = 0; round < kRounds; ++round) {
                    durations.observe(7us);
                    sizes.observe(9);
                }
            });
        }
        for (std::thread& thread : threads) thread.join();
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{kThreads * kRounds}, durations.buckets().front());
        CPPUNIT_ASSERT(durations.sum() == 7us * kThreads * kRounds);
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{kThreads * kRounds}, sizes.buckets()[4]);
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{9 * kThreads * kRounds}, sizes.sum());
    }

    void showsEveryChannelAndPurposeFromTheStart() {
        const std::string text = textOf(OtpMetrics{});
        for (const char* event :
             {"requested", "rate_limited", "sent", "send_failed", "verified", "failed", "expired", "locked"}) {
            for (const char* channel : {"email", "sms"}) {
                for (int i = 0; !toString(static_cast<Purpose>(i)).empty(); ++i) {
                    const std::string purpose{toString(static_cast<Purpose>(i))};
                    const std::string line = "\n" + nameOf(event) + "{channel=\"" + channel + "\",purpose=\"" + purpose;
                    CPPUNIT_ASSERT_MESSAGE(line, test::contains(text, line + "\"} 0\n"));
                }
            }
        }
        CPPUNIT_ASSERT(!test::contains(text, "\"unknown\""));
    }

    void countsWhatBecomesOfACode() {
        OtpMetrics metrics;
        const auto destination = domain::Destination::parse("+4366012345678").value();
        metrics.count(OtpEvent::Requested, destination, Purpose::Reset);
        metrics.count(OtpEvent::Requested, destination, Purpose::Reset);
        metrics.count(OtpEvent::Locked, Channel::Email, Purpose::Login);
        const std::string text = textOf(metrics);
        CPPUNIT_ASSERT(test::contains(text, "\notpgate_otp_requested_total{channel=\"sms\",purpose=\"reset\"} 2\n"));
        CPPUNIT_ASSERT(test::contains(text, "\notpgate_otp_locked_total{channel=\"email\",purpose=\"login\"} 1\n"));
        CPPUNIT_ASSERT(test::contains(text, "\notpgate_otp_sent_total{channel=\"sms\",purpose=\"reset\"} 0\n"));
    }

    void countsAGuessAtNoCode() {
        OtpMetrics metrics;
        metrics.count(OtpEvent::Failed, std::nullopt, std::nullopt);
        metrics.count(OtpEvent::Failed, Channel::Sms, static_cast<Purpose>(1000));
        const std::string text = textOf(metrics);
        CPPUNIT_ASSERT(test::contains(text, "\notpgate_otp_failed_total{channel=\"unknown\",purpose=\"unknown\"} 1\n"));
        CPPUNIT_ASSERT(test::contains(text, "\notpgate_otp_failed_total{channel=\"sms\",purpose=\"unknown\"} 1\n"));
    }

    void knowsEveryRouteOnce() {
        std::set<std::string> inTable;
        for (const auto& [method, path] : api::routes()) inTable.emplace(path);
        const auto patterns = api::patterns();
        CPPUNIT_ASSERT(inTable == std::set<std::string>(patterns.begin(), patterns.end()));
        CPPUNIT_ASSERT_EQUAL(inTable.size(), patterns.size());
    }

    void readsTheProcess() {
        const ProcessStats stats = readProcessStats();
        CPPUNIT_ASSERT(stats.residentBytes > 1U << 20U);
        CPPUNIT_ASSERT(stats.virtualBytes > stats.residentBytes);
        CPPUNIT_ASSERT(stats.openDescriptors >= 3U && stats.openDescriptors < stats.mostDescriptors);
        CPPUNIT_ASSERT(stats.processorTime > 0us);
    }

    static std::string nameOf(const std::string& event) { return "otpgate_otp_" + event + "_total"; }
    static std::string textOf(const OtpMetrics& metrics) {
        MetricsText text;
        metrics.write(text);
        return text.take();
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(MetricsTest);

}  // namespace metrics_test
}  // namespace otpgate
