#include "otpgate/domain/webhooks.h"

#include "otpgate/base/errors.h"

namespace otpgate::domain {

namespace {

std::string sealWebhookSecret(const crypto::KeyRing& ring, const Uuid& id, std::string_view secret, Random& random) {
    return crypto::seal(ring, secret, id.bytes(), random, crypto::KeyUse::WebhookSecret);
}

std::string openWebhookSecret(const crypto::KeyRing& ring, const Uuid& id, std::string_view sealed) {
    auto secret = crypto::open(ring, sealed, id.bytes(), crypto::KeyUse::WebhookSecret);
    if (!secret)
        throw ServiceUnavailable("the secret of webhook " + id.toString() + " was sealed by another master key");
    return std::move(*secret);
}

}  // namespace

WebhookState stateOf(const Webhook& webhook) {
    if (webhook.disabledAt) return WebhookState::Disabled;
    return webhook.failingSince ? WebhookState::Failing : WebhookState::Active;
}

std::string_view toString(WebhookState state) {
    switch (state) {
    case WebhookState::Active: return "active";
    case WebhookState::Failing: return "failing";
    case WebhookState::Disabled: return "disabled";
    }
    return {};
}

std::optional<MadeWebhook> Webhooks::add(const WebhookWish& wish, const Client& client) {
    const Timestamp now = clock_.now();
    const Uuid id = Uuid::makeV7(now, random_);
    const std::string secret = makeWebhookSecret(random_);
    Webhook webhook{.id = id,
                    .url = wish.url,
                    .events = wish.events,
                    .sealedSecret = sealWebhookSecret(ring_, id, secret, random_),
                    .createdAt = now};
    if (!store_.add(webhook, kMostWebhooks, act(id, client))) return std::nullopt;
    return MadeWebhook{std::move(webhook), shownSecret(secret)};
}

std::vector<WebhookNow> Webhooks::list() {
    std::vector<WebhookNow> all;
    for (Webhook& webhook : store_.list()) {
        const WebhookQueue queue = store_.queue(webhook.id);
        all.push_back({std::move(webhook), queue});
    }
    return all;
}

std::optional<WebhookNow> Webhooks::find(const Uuid& id) {
    auto webhook = store_.find(id);
    if (!webhook) return std::nullopt;
    return WebhookNow{std::move(*webhook), store_.queue(id)};
}

std::optional<MadeWebhook> Webhooks::rotateSecret(const Uuid& id, const Client& client) {
    const std::string secret = makeWebhookSecret(random_);
    const WebhookAct rotation = act(id, client);
    if (!store_.setSecret(sealWebhookSecret(ring_, id, secret, random_), rotation.now + kBothSecretsFor, rotation))
        return std::nullopt;
    auto webhook = store_.find(id);
    if (!webhook) return std::nullopt;
    return MadeWebhook{std::move(*webhook), shownSecret(secret)};
}

bool Webhooks::retry(const Uuid& id, const Client& client) {
    return store_.retry(act(id, client));
}

bool Webhooks::remove(const Uuid& id, const Client& client) {
    return store_.remove(act(id, client));
}

std::optional<Uuid> Webhooks::test(const Uuid& id) {
    const Timestamp now = clock_.now();
    const Uuid eventId = Uuid::makeV7(now, random_);
    return store_.putTest(id, eventId, now) ? std::optional{eventId} : std::nullopt;
}

WebhookAct Webhooks::act(const Uuid& id, const Client& client) {
    const Timestamp now = clock_.now();
    return {id, now, Uuid::makeV7(now, random_), client};
}

std::vector<std::string> openSecrets(const crypto::KeyRing& ring, const Webhook& webhook, Timestamp now) {
    std::vector<std::string> secrets{openWebhookSecret(ring, webhook.id, webhook.sealedSecret)};
    if (webhook.sealedPreviousSecret && webhook.previousUntil > now)
        secrets.push_back(openWebhookSecret(ring, webhook.id, *webhook.sealedPreviousSecret));
    return secrets;
}

void resealWebhooks(WebhookStore& store, const crypto::KeyRing& ring, Random& random) {
    const auto again = [&](const Uuid& id, const std::string& sealed) {
        return sealWebhookSecret(ring, id, openWebhookSecret(ring, id, sealed), random);
    };
    for (const Webhook& webhook : store.list()) {
        std::optional<std::string> previous;
        if (webhook.sealedPreviousSecret) previous = again(webhook.id, *webhook.sealedPreviousSecret);
        store.reseal(webhook, again(webhook.id, webhook.sealedSecret), previous);
    }
}

}  // namespace otpgate::domain
