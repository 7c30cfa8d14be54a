// The tables webhooks, webhook_events (as whoever spreads them sees it) and webhook_deliveries.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/webhook_store.h"

namespace otpgate::store {

class WebhookTables final : public domain::WebhookStore {
public:
    explicit WebhookTables(db::Connection& connection) : connection_(connection) {}

    bool add(const domain::Webhook& webhook, std::uint64_t most, const domain::WebhookAct& act) override;
    std::vector<domain::Webhook> list() override;
    std::optional<domain::Webhook> find(const Uuid& id) override;
    domain::WebhookQueue queue(const Uuid& id) override;
    bool remove(const domain::WebhookAct& act) override;
    bool setSecret(const std::string& sealedSecret, Timestamp previousUntil, const domain::WebhookAct& act) override;
    bool retry(const domain::WebhookAct& act) override;
    bool putTest(const Uuid& webhookId, const Uuid& eventId, Timestamp now) override;
    bool isWaiting(const Uuid& webhookId, const Uuid& eventId) override;
    void reseal(const domain::Webhook& before, const std::string& secret,
                const std::optional<std::string>& previous) override;

    void noteListeners() override;
    bool spread(unsigned most) override;
    std::vector<domain::WebhookDelivery> take(const domain::Webhook& webhook, Timestamp now, Timestamp leaseUntil,
                                              unsigned most) override;
    void noteDelivered(const domain::WebhookDelivery& delivery, Timestamp now) override;
    void giveBack(const domain::WebhookDelivery& delivery, Timestamp now) override;
    void noteFailed(const domain::WebhookDelivery& delivery, const std::string& fault, bool isDead, Timestamp nextTry,
                    Timestamp receiverNext, Timestamp now) override;
    void noteGone(const Uuid& webhookId, const std::string& fault, Timestamp now) override;

private:
    void audit(domain::AuditEvent event, const domain::WebhookAct& act);

    db::Connection& connection_;
};

}  // namespace otpgate::store
