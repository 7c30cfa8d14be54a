// otpgate webhook: who is told of events over HTTP, by hand.
#include "cli/commands.h"
#include "otpgate/base/text.h"
#include "otpgate/crypto/random.h"
#include "otpgate/domain/webhooks.h"
#include "otpgate/http/json.h"
#include "otpgate/store/stores.h"

#include <iostream>
#include <thread>

namespace otpgate::cli {

namespace {

using namespace std::chrono_literals;

// Longer than a receiver may take to answer.
constexpr auto kTestPatience = 20s;
constexpr auto kTestLook = 200ms;

Uuid readWebhookId(const std::string& text) {
    const auto id = Uuid::parse(text);
    if (!id) throw UsageError("not the id of a webhook: " + text);
    return *id;
}

std::vector<domain::WebhookEvent> readEvents(const std::string& list) {
    std::vector<domain::WebhookEvent> events;
    for (const std::string_view name : split(list, ',')) {
        if (name.empty()) continue;
        const auto event = domain::parseWebhookEvent(name);
        if (!event || *event == domain::WebhookEvent::Test)
            throw UsageError("not the name of an event: " + std::string{name});
        events.push_back(*event);
    }
    return events;
}

std::string eventsOf(const domain::Webhook& webhook) {
    std::vector<std::string> names;
    for (const domain::WebhookEvent event : webhook.events) names.emplace_back(domain::toString(event));
    return names.empty() ? "all" : joined(names, ",");
}

class WebhookCommand {
public:
    WebhookCommand(db::Connection& connection, const Settings& settings, const Invocation& invocation)
        : store_(store::makeWebhookStore(connection)),
          ring_(crypto::KeyRing::load(settings.masterKeyFile)),
          webhooks_(*store_, ring_, clock_, random_),
          isJson_(invocation.has("--json")) {
        client_.userAgent = "otpgate webhook " + invocation.action;
    }

    void add(const domain::WebhookWish& wish) {
        const auto made = webhooks_.add(wish, client_);
        if (!made) throw std::runtime_error("there are " + std::to_string(domain::kMostWebhooks) + " webhooks already");
        tell(*made);
    }

    void list() {
        http::JsonWriter json;
        json.beginArray();
        for (const domain::WebhookNow& now : webhooks_.list()) {
            const domain::Webhook& webhook = now.webhook;
            if (isJson_) {
                json.beginObject();
                writeMembers(json, webhook);
                json.member("waiting", now.queue.waiting).member("dead", now.queue.dead).endObject();
            } else {
                std::cout << webhook.id.toString() << "  " << domain::toString(domain::stateOf(webhook)) << "  "
                          << webhook.url << "  " << eventsOf(webhook) << "  " << now.queue.waiting << " waiting, "
                          << now.queue.dead << " dead" << (webhook.lastFault.empty() ? "" : "  ") << webhook.lastFault
                          << "\n";
            }
        }
        json.endArray();
        if (isJson_) std::cout << json.take() << "\n";
    }

    // By whichever process posts, as all goes.
    int test(const Uuid& id) {
        const auto before = webhooks_.find(id);
        if (!before) fail(id);
        if (before->webhook.disabledAt) throw std::runtime_error("it is disabled: otpgate webhook retry enables it");
        const auto event = webhooks_.test(id);
        if (!event) fail(id);
        const auto end = std::chrono::steady_clock::now() + kTestPatience;
        while (std::chrono::steady_clock::now() < end) {
            std::this_thread::sleep_for(kTestLook);
            if (!webhooks_.isWaiting(id, *event)) {
                std::cout << "delivered: webhook.test " << event->toString() << "\n";
                return 0;
            }
            const auto now = webhooks_.find(id);
            if (now && (now->webhook.failures > before->webhook.failures || now->webhook.disabledAt)) {
                std::cerr << "otpgate: not delivered: " << now->webhook.lastFault << "\n";
                return 1;
            }
        }
        std::cerr << "otpgate: not delivered yet: does otpgate serve run, or otpgate deliver?\n";
        return 1;
    }

    void retry(const Uuid& id) {
        if (!webhooks_.retry(id, client_)) fail(id);
    }

    void rotateSecret(const Uuid& id) {
        const auto made = webhooks_.rotateSecret(id, client_);
        if (!made) fail(id);
        tell(*made);
    }

    void remove(const Uuid& id) {
        if (!webhooks_.remove(id, client_)) fail(id);
    }

private:
    [[noreturn]] static void fail(const Uuid& id) {
        throw std::runtime_error("there is no such webhook: " + id.toString());
    }

    static void writeMembers(http::JsonWriter& json, const domain::Webhook& webhook) {
        const auto time = [](const std::optional<Timestamp>& at) {
            return at ? std::optional{formatRfc3339(*at)} : std::nullopt;
        };
        json.member("id", webhook.id.toString()).member("url", webhook.url).key("events").beginArray();
        for (const domain::WebhookEvent event : webhook.events) json.value(domain::toString(event));
        json.endArray()
            .member("state", domain::toString(domain::stateOf(webhook)))
            .member("created_at", formatRfc3339(webhook.createdAt))
            .member("last_delivered_at", time(webhook.lastDeliveredAt))
            .member("failing_since", time(webhook.failingSince))
            .member("last_fault", webhook.lastFault);
    }

    void tell(const domain::MadeWebhook& made) const {
        if (isJson_) {
            http::JsonWriter json;
            json.beginObject();
            writeMembers(json, made.webhook);
            json.member("secret", made.secret).endObject();
            std::cout << json.take() << "\n";
            return;
        }
        std::cout << "id      " << made.webhook.id.toString() << "\nurl     " << made.webhook.url << "\nevents  "
                  << eventsOf(made.webhook) << "\nsecret  " << made.secret << "\n";
    }

    SystemClock clock_;
    crypto::SystemRandom random_;
    std::unique_ptr<domain::WebhookStore> store_;
    crypto::KeyRing ring_;
    domain::Webhooks webhooks_;
    domain::Client client_;
    bool isJson_;
};

}  // namespace

int webhook(const Invocation& invocation) {
    const std::string& action = invocation.action;
    const auto settings = invocation.settings();
    // What was not understood is said before the database is asked for.
    domain::WebhookWish wish;
    Uuid id;
    if (action == "add") {
        wish = {invocation.words.front(), readEvents(invocation.value("--events").value_or(""))};
        if (!domain::isWebhookUrl(wish.url, settings.webhookReceivers))
            throw UsageError("not an address such as https://shop.example.com/events (webhooks.receivers): " +
                             wish.url);
    } else if (action != "list") {
        id = readWebhookId(invocation.words.front());
    }
    const auto database = db::openDatabase(settings.database);
    const auto connection = database->connect();
    WebhookCommand command(*connection, settings, invocation);
    if (action == "test") return command.test(id);
    if (action == "add") command.add(wish);
    if (action == "list") command.list();
    if (action == "retry") command.retry(id);
    if (action == "rotate-secret") command.rotateSecret(id);
    if (action == "delete") command.remove(id);
    return 0;
}

}  // namespace otpgate::cli
