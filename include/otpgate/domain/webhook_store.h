// What webhooks need of their tables. Each function is one atomic step; one object a thread; throws ServiceUnavailable
// when the database does not answer.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/uuid.h"
#include "otpgate/domain/models.h"
#include "otpgate/domain/webhook_events.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace otpgate::domain {

// Whoever is told of events. Secrets are sealed under KeyUse::WebhookSecret for its id.
struct Webhook {
    Uuid id;
    std::string url;
    std::vector<WebhookEvent> events;  // none: all
    std::string sealedSecret;
    std::optional<std::string> sealedPreviousSecret{};
    std::optional<Timestamp> previousUntil{};  // so long both sign
    Timestamp createdAt{};
    std::optional<Timestamp> disabledAt{};    // it is sent nothing, and nothing is kept for it
    std::optional<Timestamp> failingSince{};  // nullopt: the last try was well
    unsigned failures = 0;                    // in a row
    Timestamp nextAt{};                       // of the next try, while it fails
    std::string lastFault{};                  // empty: the last try was well
    std::optional<Timestamp> lastDeliveredAt{};
};
enum class WebhookState { Active, Failing, Disabled };
WebhookState stateOf(const Webhook& webhook);
std::string_view toString(WebhookState state);

struct WebhookQueue {
    std::uint64_t waiting = 0;
    std::uint64_t dead = 0;
};

// A delivery in the hands of whoever has taken it, until `leaseUntil`.
struct WebhookDelivery {
    Uuid webhookId;
    ToldEvent told;
    unsigned attempts = 0;  // before this one
    Timestamp leaseUntil{};
};

// What a webhook's administrator does, for the audit trail.
struct WebhookAct {
    Uuid webhookId;
    Timestamp now;
    Uuid auditId;
    const Client& client;
};

class WebhookStore {
public:
    virtual ~WebhookStore() = default;

    // False: there are `most` already.
    virtual bool add(const Webhook& webhook, std::uint64_t most, const WebhookAct& act) = 0;
    virtual std::vector<Webhook> list() = 0;  // the oldest first
    virtual std::optional<Webhook> find(const Uuid& id) = 0;
    virtual WebhookQueue queue(const Uuid& id) = 0;
    // Each false where there is no such webhook.
    virtual bool remove(const WebhookAct& act) = 0;
    virtual bool setSecret(const std::string& sealedSecret, Timestamp previousUntil, const WebhookAct& act) = 0;
    // All that waits or is dead is due now, and the webhook is as if nothing had failed.
    virtual bool retry(const WebhookAct& act) = 0;
    virtual bool putTest(const Uuid& webhookId, const Uuid& eventId, Timestamp now) = 0;
    virtual bool isWaiting(const Uuid& webhookId, const Uuid& eventId) = 0;
    // Another seal for the secrets, unless they have changed meanwhile.
    virtual void reseal(const Webhook& before, const std::string& secret,
                        const std::optional<std::string>& previous) = 0;

    // Looks whether anybody listens, and lets all writers of the process know: Connection::known().
    virtual void noteListeners() = 0;
    // Makes deliveries of what has happened, to those that wait for it now. False: more is to be done.
    virtual bool spread(unsigned most) = 0;
    // What is due at this webhook, the oldest first; one at a time while it fails.
    virtual std::vector<WebhookDelivery> take(const Webhook& webhook, Timestamp now, Timestamp leaseUntil,
                                              unsigned most) = 0;
    virtual void noteDelivered(const WebhookDelivery& delivery, Timestamp now) = 0;
    virtual void giveBack(const WebhookDelivery& delivery, Timestamp now) = 0;  // it was not tried
    // `isDead`: this delivery is given up; else it is tried again then. As it was, where it is in other hands by now.
    virtual void noteFailed(const WebhookDelivery& delivery, const std::string& fault, bool isDead, Timestamp nextTry,
                            Timestamp receiverNext, Timestamp now) = 0;
    // Disables it; all that waits for it is dead.
    virtual void noteGone(const Uuid& webhookId, const std::string& fault, Timestamp now) = 0;
};

}  // namespace otpgate::domain
