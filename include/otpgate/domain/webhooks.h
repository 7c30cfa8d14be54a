// Webhooks as administrators make, look at and remove them: for /api/v1/admin and for the command. One object a worker
// thread.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/random.h"
#include "otpgate/crypto/key_ring.h"
#include "otpgate/domain/webhook_rules.h"
#include "otpgate/domain/webhook_store.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace otpgate::domain {

inline constexpr std::uint64_t kMostWebhooks = 20;

struct WebhookWish {
    std::string url;                   // isWebhookUrl()
    std::vector<WebhookEvent> events;  // none: all
};

// With the secret as it is shown, this once.
struct MadeWebhook {
    Webhook webhook;
    std::string secret;
};

// One of them, and what waits for it.
struct WebhookNow {
    Webhook webhook;
    WebhookQueue queue;
};

class Webhooks {
public:
    Webhooks(WebhookStore& store, const crypto::KeyRing& ring, const Clock& clock, Random& random)
        : store_(store),
          ring_(ring),
          clock_(clock),
          random_(random) {}

    // nullopt: there are kMostWebhooks.
    std::optional<MadeWebhook> add(const WebhookWish& wish, const Client& client);
    std::vector<WebhookNow> list();
    std::optional<WebhookNow> find(const Uuid& id);
    // The secret before it signs as well for kBothSecretsFor. nullopt: there is no such webhook.
    std::optional<MadeWebhook> rotateSecret(const Uuid& id, const Client& client);
    // Each false where there is no such webhook.
    bool retry(const Uuid& id, const Client& client);
    bool remove(const Uuid& id, const Client& client);
    // Sends webhook.test by the way that all takes; the id of that event.
    std::optional<Uuid> test(const Uuid& id);
    bool isWaiting(const Uuid& id, const Uuid& eventId) { return store_.isWaiting(id, eventId); }

private:
    WebhookAct act(const Uuid& id, const Client& client);

    WebhookStore& store_;
    const crypto::KeyRing& ring_;
    const Clock& clock_;
    Random& random_;
};

// What signs now: the secret, and for a while the one before it. Throws ServiceUnavailable where the master key that
// sealed them is not in the ring.
std::vector<std::string> openSecrets(const crypto::KeyRing& ring, const Webhook& webhook, Timestamp now);

// Seals all secrets under the ring's first key. Throws as openSecrets() does.
void resealWebhooks(WebhookStore& store, const crypto::KeyRing& ring, Random& random);

}  // namespace otpgate::domain
