#include "webhook_notices.h"

#include "otpgate/domain/webhooks.h"
#include "otpgate/store/stores.h"

namespace otpgate {

namespace {

using namespace std::chrono_literals;

// Of one receiver, over one connection; what is posted behind the first that is not taken waits.
constexpr unsigned kEventsAtATime = 10;
constexpr auto kAnswerWithin = 15s;
constexpr auto kWebhookLease = 3min;  // longer than a receiver may take for a batch
// Events in a transaction, and transactions before what is due is looked for.
constexpr unsigned kSpreadAtOnce = 200;
constexpr unsigned kSpreadsInARow = 5;

}  // namespace

WebhookNotices::WebhookNotices(const Settings& settings, db::Database& database, const crypto::KeyRing& ring,
                               const Clock& clock, Random& random, Logger& log)
    : receivers_(settings.webhookReceivers),
      accessLifetime_(settings.tokens.accessLifetime),
      connection_(database.connect()),
      store_(store::makeWebhookStore(*connection_)),
      ring_(ring),
      clock_(clock),
      random_(random),
      log_(log) {}

delivery::HttpSettings WebhookNotices::http() const {
    delivery::HttpSettings settings;
    settings.timeout = kAnswerWithin;
    if (receivers_ == domain::WebhookReceivers::Public) settings.reach = delivery::HttpReach::PublicAddresses;
    return settings;
}

std::vector<Notice> WebhookNotices::take(const std::set<std::string>& busy) {
    store_->noteListeners();
    for (unsigned i = 0; i < kSpreadsInARow && !store_->spread(kSpreadAtOnce); ++i) {
    }
    std::vector<Notice> notices;
    if (!connection_->known().haveListeners) return notices;
    const Timestamp now = clock_.now();
    for (const domain::Webhook& webhook : store_->list()) {
        if (busy.contains(webhook.id.toString())) continue;
        for (domain::WebhookDelivery& delivery : store_->take(webhook, now, now + kWebhookLease, kEventsAtATime)) {
            notices.push_back(noticeOf(webhook, delivery, now));
            taken_.insert_or_assign(notices.back().id, Taken{std::move(delivery), webhook});
        }
    }
    return notices;
}

Notice WebhookNotices::noticeOf(const domain::Webhook& webhook, const domain::WebhookDelivery& delivery,
                                Timestamp now) const {
    const std::string id = delivery.told.id.toString();
    const auto timestamp = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
    std::string body = domain::bodyOf(delivery.told, accessLifetime_);
    const auto secrets = domain::openSecrets(ring_, webhook, now);
    std::vector<std::string> headers{"Content-Type: application/json", "webhook-id: " + id,
                                     "webhook-timestamp: " + std::to_string(timestamp),
                                     "webhook-signature: " + domain::webhookSignature(secrets, id, timestamp, body)};
    return {webhook.id.toString() + ' ' + id,
            webhook.id.toString(),
            {delivery::HttpMethod::Post, webhook.url, std::move(headers), std::move(body)}};
}

void WebhookNotices::finish(const Notice& notice, const std::optional<PostAnswer>& answer) {
    const auto node = taken_.extract(notice.id);
    if (node.empty()) return;
    const auto& [delivery, webhook] = node.mapped();
    const Timestamp now = clock_.now();
    if (!answer) {
        store_->giveBack(delivery, now);
        return;
    }
    using Fate = domain::WebhookRuling::Fate;
    const auto ruling = domain::ruleOnAnswer({answer->status, answer->fault, answer->retryAfter}, delivery.attempts + 1,
                                             webhook.failures + 1, webhook.failingSince, now, random_);
    if (ruling.fate == Fate::Delivered) {
        store_->noteDelivered(delivery, now);
        return;
    }
    const bool isGone = ruling.fate == Fate::ReceiverGone;
    log_.warning(
        isGone ? "a webhook was disabled: its receiver takes nothing any more" : "a webhook's receiver took nothing",
        {{"webhook", notice.receiver},
         {"event", domain::toString(delivery.told.event)},
         {"attempts", std::int64_t{delivery.attempts} + 1},
         {"detail", ruling.fault}});
    if (isGone)
        store_->noteGone(webhook.id, ruling.fault, now);
    else
        store_->noteFailed(delivery, ruling.fault, ruling.fate == Fate::GivenUp, ruling.nextTry, ruling.receiverNext,
                           now);
}

}  // namespace otpgate
