// Webhooks, /api/v1/admin/webhooks: who is told of events.
#include "api/admin_fields.h"
#include "api/views.h"
#include "otpgate/http/errors.h"

#include <algorithm>

namespace otpgate::api {

namespace {

using http::ApiError;
using http::ErrorCode;

std::vector<domain::WebhookEvent> readEvents(http::JsonBody& body) {
    std::vector<domain::WebhookEvent> events;
    for (const std::string& name : body.strings("events").value_or(std::vector<std::string>{})) {
        const auto event = domain::parseWebhookEvent(name);
        if (!event || *event == domain::WebhookEvent::Test) {
            body.noteInvalid("events", "must be names of events such as user.created");
            break;
        }
        if (std::ranges::count(events, *event) == 0) events.push_back(*event);
    }
    return events;
}

std::string readUrl(http::JsonBody& body, const ApiSettings& settings) {
    std::string url = body.requiredString("url");
    if (!url.empty() && !domain::isWebhookUrl(url, settings.webhookReceivers))
        body.noteInvalid("url", "must be an address such as https://shop.example.com/events");
    return url;
}

// The members of an object that has been begun.
void writeMembers(http::JsonWriter& json, const domain::Webhook& webhook) {
    json.member("id", webhook.id.toString()).member("url", webhook.url).key("events").beginArray();
    for (const domain::WebhookEvent event : webhook.events) json.value(domain::toString(event));
    json.endArray()
        .member("state", domain::toString(domain::stateOf(webhook)))
        .member("created_at", formatRfc3339(webhook.createdAt))
        .member("last_delivered_at", optionalTime(webhook.lastDeliveredAt))
        .member("failing_since", optionalTime(webhook.failingSince))
        .member("last_fault", unlessEmpty(webhook.lastFault));
}

void writeWebhook(http::JsonWriter& json, const domain::WebhookNow& now) {
    json.beginObject();
    writeMembers(json, now.webhook);
    json.member("waiting", now.queue.waiting).member("dead", now.queue.dead).endObject();
}

http::Response answerWithWebhook(int status, const domain::MadeWebhook& made) {
    http::JsonWriter json;
    json.beginObject();
    writeMembers(json, made.webhook);
    json.member("secret", made.secret).endObject();
    return jsonResponse(status, json);
}

http::Response doneIf(bool isThere) {
    if (!isThere) throw ApiError(ErrorCode::NotFound);
    return http::Response::noContent();
}

}  // namespace

http::Response listWebhooks(const http::Request&, const Administrator&, domain::Webhooks& webhooks) {
    http::JsonWriter json;
    json.beginObject().key("webhooks").beginArray();
    for (const domain::WebhookNow& now : webhooks.list()) writeWebhook(json, now);
    json.endArray().endObject();
    return jsonResponse(200, json);
}

http::Response addWebhook(const http::Request& request, const Administrator& caller, domain::Webhooks& webhooks,
                          const ApiSettings& settings) {
    http::JsonBody body(request);
    const domain::WebhookWish wish{readUrl(body, settings), readEvents(body)};
    body.rejectInvalid();
    const auto made = webhooks.add(wish, actingClient(request, caller));
    if (!made) {
        throw ApiError(ErrorCode::Conflict)
            .detail("There are " + std::to_string(domain::kMostWebhooks) + " webhooks. Remove one first.");
    }
    return answerWithWebhook(201, *made);
}

http::Response showWebhook(const http::Request& request, const Administrator&, domain::Webhooks& webhooks) {
    const auto now = webhooks.find(idOf(request));
    if (!now) throw ApiError(ErrorCode::NotFound);
    http::JsonWriter json;
    writeWebhook(json, *now);
    return jsonResponse(200, json);
}

http::Response removeWebhook(const http::Request& request, const Administrator& caller, domain::Webhooks& webhooks) {
    return doneIf(webhooks.remove(idOf(request), actingClient(request, caller)));
}

http::Response testWebhook(const http::Request& request, const Administrator&, domain::Webhooks& webhooks) {
    const auto event = webhooks.test(idOf(request));
    if (!event) throw ApiError(ErrorCode::NotFound);
    http::JsonWriter json;
    json.beginObject().member("event_id", event->toString()).endObject();
    return jsonResponse(202, json);
}

http::Response retryWebhook(const http::Request& request, const Administrator& caller, domain::Webhooks& webhooks) {
    return doneIf(webhooks.retry(idOf(request), actingClient(request, caller)));
}

http::Response rotateWebhookSecret(const http::Request& request, const Administrator& caller,
                                   domain::Webhooks& webhooks) {
    const auto made = webhooks.rotateSecret(idOf(request), actingClient(request, caller));
    if (!made) throw ApiError(ErrorCode::NotFound);
    return answerWithWebhook(200, *made);
}

}  // namespace otpgate::api
