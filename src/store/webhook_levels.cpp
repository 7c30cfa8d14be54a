#include "otpgate/store/webhook_levels.h"

#include "otpgate/domain/outbox_store.h"

namespace otpgate::store {

WebhookLevels readWebhookLevels(db::Connection& connection) {
    WebhookLevels levels;
    const auto deliveries = connection.queryOne(
        "SELECT COUNT(*), COUNT(CASE WHEN available_at_us = ? THEN 1 END) FROM webhook_deliveries", {domain::kNever});
    levels.dead = deliveries.value().integer(1);
    levels.waiting = deliveries->integer(0) - levels.dead;
    levels.waiting += connection.queryOne("SELECT COUNT(*) FROM webhook_events").value().integer(0);
    const auto receivers = connection.queryOne(
        "SELECT COUNT(failing_since_us), MIN(failing_since_us) FROM webhooks WHERE disabled_at_us IS NULL");
    levels.failing = receivers.value().integer(0);
    levels.failingSince = receivers->optionalTimestamp(1);
    return levels;
}

}  // namespace otpgate::store
