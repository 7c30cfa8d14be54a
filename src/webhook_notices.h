// Events that webhooks are to be told of: spreads what waits in webhook_events, and signs what waits in
// webhook_deliveries for a NoticePoster.
#pragma once

#include "notice_poster.h"
#include "otpgate/base/clock.h"
#include "otpgate/base/log.h"
#include "otpgate/base/random.h"
#include "otpgate/crypto/key_ring.h"
#include "otpgate/db/connection.h"
#include "otpgate/domain/webhook_rules.h"
#include "otpgate/domain/webhook_store.h"
#include "settings.h"

#include <map>
#include <memory>

namespace otpgate {

class WebhookNotices final : public NoticeSource {
public:
    // What it is given outlives it.
    WebhookNotices(const Settings& settings, db::Database& database, const crypto::KeyRing& ring, const Clock& clock,
                   Random& random, Logger& log);

    std::string_view name() const override { return "webhooks"; }
    delivery::HttpSettings http() const override;
    std::vector<Notice> take(const std::set<std::string>& busy) override;
    void finish(const Notice& notice, const std::optional<PostAnswer>& answer) override;

private:
    Notice noticeOf(const domain::Webhook& webhook, const domain::WebhookDelivery& delivery, Timestamp now) const;

    const domain::WebhookReceivers receivers_;
    const std::chrono::seconds accessLifetime_;
    std::unique_ptr<db::Connection> connection_;
    std::unique_ptr<domain::WebhookStore> store_;
    const crypto::KeyRing& ring_;
    const Clock& clock_;
    Random& random_;
    Logger& log_;
    struct Taken {
        domain::WebhookDelivery delivery;
        domain::Webhook webhook;  // as it was then
    };
    std::map<std::string, Taken> taken_;  // by Notice::id
};

}  // namespace otpgate
