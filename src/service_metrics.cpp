#include "service_metrics.h"

#include "otpgate/api/routes.h"
#include "otpgate/base/errors.h"
#include "otpgate/base/process_stats.h"

#include <algorithm>

namespace otpgate {

namespace {

// What waits is not counted for each scrape of many.
constexpr std::chrono::seconds kAskEvery{1};

double seconds(std::chrono::microseconds time) {
    return std::chrono::duration<double>(time).count();
}

double secondsSince(const std::optional<Timestamp>& begin, Timestamp now) {
    return begin ? std::max(seconds(now - *begin), 0.0) : 0.0;
}

}  // namespace

ServiceMetrics::ServiceMetrics(const db::Database& database, const crypto::PasswordGate& gate, const Clock& clock)
    : requests(api::patterns()),
      database_(database),
      gate_(gate),
      clock_(clock),
      startedAt_(clock.now()) {}

std::string ServiceMetrics::text(db::Connection& connection) {
    MetricsText text;
    text.begin(MetricKind::Gauge, "otpgate_build_info", "Always 1; the label tells what runs.");
    text.sample(1, {{"version", OTPGATE_VERSION}});
    requests.write(text);
    otp.write(text);
    humanChecks.write(text);
    notices.write(text);
    writeLevels(text, connection);
    writeDatabase(text);  // after the levels, which may have failed
    writePasswordGate(text);
    writeProcess(text);
    return text.take();
}

void ServiceMetrics::writeLevels(MetricsText& text, db::Connection& connection) {
    const Timestamp now = clock_.now();
    const auto found = levels(connection, now);
    if (!found) return;
    writeOutbox(text, found->outbox, now);
    writeWebhooks(text, found->webhooks, now);
}

void ServiceMetrics::writeOutbox(MetricsText& text, const store::OutboxLevels& levels, Timestamp now) {
    text.begin(MetricKind::Gauge, "otpgate_outbox_messages", "Messages that wait to be sent, of all processes.");
    text.sample(static_cast<double>(levels.waiting));
    text.begin(MetricKind::Gauge, "otpgate_outbox_dead_messages", "Messages given up and kept to be looked at.");
    text.sample(static_cast<double>(levels.dead));
    text.begin(MetricKind::Gauge, "otpgate_outbox_oldest_age_seconds", "For how long the oldest message has waited.");
    text.sample(secondsSince(levels.oldest, now));
}

void ServiceMetrics::writeWebhooks(MetricsText& text, const store::WebhookLevels& levels, Timestamp now) {
    text.begin(MetricKind::Gauge, "otpgate_webhook_notices", "Notices that wait to be posted, of all processes.");
    text.sample(static_cast<double>(levels.waiting));
    text.begin(MetricKind::Gauge, "otpgate_webhook_dead_notices", "Notices given up and kept to be looked at.");
    text.sample(static_cast<double>(levels.dead));
    text.begin(MetricKind::Gauge, "otpgate_webhooks_failing", "Webhooks whose receiver took nothing at the last try.");
    text.sample(static_cast<double>(levels.failing));
    text.begin(MetricKind::Gauge, "otpgate_webhook_failing_seconds",
               "For how long the webhook that has failed the longest does; 0 where none fails.");
    text.sample(secondsSince(levels.failingSince, now));
}

std::optional<ServiceMetrics::Levels> ServiceMetrics::levels(db::Connection& connection, Timestamp now) {
    const std::lock_guard lock(mutex_);
    const bool isFresh = askedAt_ && now >= *askedAt_ && now - *askedAt_ < kAskEvery;
    if (isFresh) return levels_;
    askedAt_ = now;
    levels_.reset();
    try {
        levels_ = Levels{store::readOutboxLevels(connection), store::readWebhookLevels(connection)};
    } catch (const ServiceUnavailable&) {
        // It is counted among the database's errors.
    }
    return levels_;
}

void ServiceMetrics::writeDatabase(MetricsText& text) const {
    const db::ErrorCounts& errors = database_.metrics().errors;
    text.begin(MetricKind::Counter, "otpgate_database_errors_total",
               "Errors of the database: gone (lost or not reached), deadlock, locked (both tried again), busy (SQLite),"
               " other.");
    text.sample(errors.of(db::ErrorKind::Gone), {{"kind", "gone"}});
    text.sample(errors.of(db::ErrorKind::Deadlock), {{"kind", "deadlock"}});
    text.sample(errors.of(db::ErrorKind::Locked), {{"kind", "locked"}});
    text.sample(errors.of(db::ErrorKind::Busy), {{"kind", "busy"}});
    text.sample(errors.of(db::ErrorKind::Other), {{"kind", "other"}});
    text.begin(MetricKind::Histogram, "otpgate_database_group_size",
               "How many calls went together in one transaction: requests for codes, guesses, refreshes.");
    text.sample(database_.metrics().groupSizes);
    if (database_.engine() == db::Engine::Sqlite) return;
    text.begin(MetricKind::Counter, "otpgate_database_round_trips_total",
               "Statements, or packets of several, sent to the server.");
    text.sample(database_.metrics().roundTrips);
}

void ServiceMetrics::writePasswordGate(MetricsText& text) const {
    const crypto::PasswordGate::Load load = gate_.load();
    text.begin(MetricKind::Gauge, "otpgate_argon2_running", "Password hashes at work.");
    text.sample(static_cast<double>(load.running));
    text.begin(MetricKind::Gauge, "otpgate_argon2_queue", "Password hashes that wait for a slot.");
    text.sample(static_cast<double>(load.waiting));
    text.begin(MetricKind::Counter, "otpgate_argon2_rejected_total", "Password hashes refused: the queue was full.");
    text.sample(static_cast<double>(load.refused));
}

// By the names that the client libraries of Prometheus share.
void ServiceMetrics::writeProcess(MetricsText& text) const {
    const ProcessStats stats = readProcessStats();
    const auto gauge = [&text](std::string_view name, std::string_view help, const auto& value) {
        if (!value) return;
        text.begin(MetricKind::Gauge, name, help);
        text.sample(static_cast<double>(*value));
    };
    text.begin(MetricKind::Gauge, "process_start_time_seconds", "When the process started, in seconds since 1970.");
    text.sample(seconds(startedAt_.time_since_epoch()));
    text.begin(MetricKind::Counter, "process_cpu_seconds_total", "Processor time used, of user and system.");
    text.sample(seconds(stats.processorTime));
    gauge("process_resident_memory_bytes", "Memory in use.", stats.residentBytes);
    gauge("process_virtual_memory_bytes", "Memory mapped.", stats.virtualBytes);
    gauge("process_open_fds", "Open file descriptors.", stats.openDescriptors);
    gauge("process_max_fds", "How many there may be.", stats.mostDescriptors);
}

}  // namespace otpgate
