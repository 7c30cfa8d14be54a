// All that GET /metrics tells: what the layers count, what is asked of them at the scrape, and the process. One for the
// process; any thread.
#pragma once

#include "notice_counts.h"
#include "otpgate/base/clock.h"
#include "otpgate/base/metrics.h"
#include "otpgate/crypto/password_gate.h"
#include "otpgate/db/connection.h"
#include "otpgate/domain/human_check.h"
#include "otpgate/domain/otp_metrics.h"
#include "otpgate/http/request_metrics.h"
#include "otpgate/store/outbox_levels.h"
#include "otpgate/store/webhook_levels.h"

#include <mutex>
#include <optional>
#include <string>

namespace otpgate {

class ServiceMetrics {
public:
    ServiceMetrics(const db::Database& database, const crypto::PasswordGate& gate, const Clock& clock);

    http::RequestMetrics requests;
    domain::OtpMetrics otp;
    domain::HumanCheckCounts humanChecks;
    AllNoticeCounts notices;

    // Asks the database by the caller's connection, once a second at most. Where it does not answer, what it would have
    // told is left out.
    std::string text(db::Connection& connection);

private:
    struct Levels {
        store::OutboxLevels outbox;
        store::WebhookLevels webhooks;
    };
    void writeLevels(MetricsText& text, db::Connection& connection);
    static void writeOutbox(MetricsText& text, const store::OutboxLevels& levels, Timestamp now);
    static void writeWebhooks(MetricsText& text, const store::WebhookLevels& levels, Timestamp now);
    void writeDatabase(MetricsText& text) const;
    void writePasswordGate(MetricsText& text) const;
    void writeProcess(MetricsText& text) const;
    std::optional<Levels> levels(db::Connection& connection, Timestamp now);

    const db::Database& database_;
    const crypto::PasswordGate& gate_;
    const Clock& clock_;
    const Timestamp startedAt_;

    std::mutex mutex_;  // over the next two, and held while the database is asked
    std::optional<Timestamp> askedAt_;
    std::optional<Levels> levels_;
};

}  // namespace otpgate
