#include "store/webhook_store.h"

#include "otpgate/base/text.h"
#include "otpgate/domain/outbox_store.h"
#include "store/audit_events.h"
#include "store/outbox_rows.h"

#include <algorithm>
#include <stdexcept>

namespace otpgate::store {

using domain::Webhook;
using domain::WebhookDelivery;
using domain::WebhookEvent;

namespace {

constexpr std::string_view kWebhookColumns =
    "w.id, w.url, w.events, w.secret, w.previous_secret, w.previous_until_us, w.created_at_us, w.disabled_at_us,"
    " w.failing_since_us, w.failures, w.next_at_us, w.last_fault, w.last_delivered_at_us";
constexpr std::string_view kToldColumns = "event, user_id, session_id, details, created_at_us";

const auto kInsertDelivery =
    db::RowStatement::insert("webhook_deliveries", {"event_id", "webhook_id", "event", "user_id", "session_id",
                                                    "details", "created_at_us", "attempts", "available_at_us"});

// What this very file has written.
WebhookEvent readEvent(std::string_view word) {
    const auto event = domain::parseWebhookEvent(word);
    if (!event) throw std::runtime_error("an event of webhooks that no version writes");
    return *event;
}

std::string eventNames(const std::vector<WebhookEvent>& events) {
    std::vector<std::string> names;
    names.reserve(events.size());
    for (const WebhookEvent event : events) names.emplace_back(domain::toString(event));
    return joined(names, ",");
}

Webhook readWebhook(const db::Row& row) {
    Webhook webhook{.id = row.uuid(0),
                    .url = row.text(1),
                    .events = {},
                    .sealedSecret = row.text(3),
                    .sealedPreviousSecret = row.optionalText(4),
                    .previousUntil = row.optionalTimestamp(5),
                    .createdAt = row.timestamp(6),
                    .disabledAt = row.optionalTimestamp(7),
                    .failingSince = row.optionalTimestamp(8),
                    .failures = static_cast<unsigned>(row.integer(9)),
                    .nextAt = row.timestamp(10),
                    .lastFault = row.text(11),
                    .lastDeliveredAt = row.optionalTimestamp(12)};
    for (const std::string_view name : split(row.text(2), ',')) {
        if (!name.empty()) webhook.events.push_back(readEvent(name));
    }
    return webhook;
}

// Behind the id: kToldColumns.
domain::ToldEvent readTold(const db::Row& row) {
    return {.id = row.uuid(0),
            .event = readEvent(row.text(1)),
            .userId = row.optionalUuid(2),
            .sessionId = row.optionalUuid(3),
            .details = row.text(4),
            .createdAt = row.timestamp(5)};
}

void insertDelivery(db::Connection& connection, const Uuid& webhookId, const domain::ToldEvent& told,
                    Timestamp availableAt) {
    connection.write(kInsertDelivery, {told.id, webhookId, domain::toString(told.event), told.userId, told.sessionId,
                                       told.details, told.createdAt, 0, availableAt});
}

bool waitsFor(const Webhook& webhook, WebhookEvent event) {
    return !webhook.disabledAt && (webhook.events.empty() || std::ranges::count(webhook.events, event) > 0);
}

}  // namespace

void WebhookTables::audit(domain::AuditEvent event, const domain::WebhookAct& act) {
    insertAuditEvent(connection_, {act.auditId, event, std::nullopt, std::nullopt, act.client, act.now,
                                   R"({"webhook":")" + act.webhookId.toString() + R"("})"});
}

bool WebhookTables::add(const Webhook& webhook, std::uint64_t most, const domain::WebhookAct& act) {
    const bool isAdded = connection_.transact([&] {
        if (static_cast<std::uint64_t>(connection_.query("SELECT COUNT(*) FROM webhooks").at(0).integer(0)) >= most)
            return false;
        connection_.execute(
            "INSERT INTO webhooks (id, url, events, secret, created_at_us, failures, next_at_us, last_fault)"
            " VALUES (?, ?, ?, ?, ?, 0, 0, '')",
            {webhook.id, webhook.url, eventNames(webhook.events), db::Param::blob(webhook.sealedSecret),
             webhook.createdAt});
        audit(domain::AuditEvent::WebhookAdded, act);
        return true;
    });
    if (isAdded) connection_.known().haveListeners = true;
    return isAdded;
}

std::vector<Webhook> WebhookTables::list() {
    static const std::string sql = "SELECT " + std::string{kWebhookColumns} + " FROM webhooks w ORDER BY w.id";
    std::vector<Webhook> webhooks;
    for (const db::Row& row : connection_.query(sql)) webhooks.push_back(readWebhook(row));
    return webhooks;
}

std::optional<Webhook> WebhookTables::find(const Uuid& id) {
    static const std::string sql = "SELECT " + std::string{kWebhookColumns} + " FROM webhooks w WHERE w.id = ?";
    const auto row = connection_.queryOne(sql, {id});
    return row ? std::optional{readWebhook(*row)} : std::nullopt;
}

domain::WebhookQueue WebhookTables::queue(const Uuid& id) {
    const auto row =
        connection_.queryOne("SELECT COUNT(*), COUNT(dead_at_us) FROM webhook_deliveries WHERE webhook_id = ?", {id});
    const auto all = static_cast<std::uint64_t>(row->integer(0));
    const auto dead = static_cast<std::uint64_t>(row->integer(1));
    return {all - dead, dead};
}

bool WebhookTables::remove(const domain::WebhookAct& act) {
    return connection_.transact([&] {
        if (connection_.execute("DELETE FROM webhooks WHERE id = ?", {act.webhookId}) == 0) return false;
        connection_.execute("DELETE FROM webhook_deliveries WHERE webhook_id = ?", {act.webhookId});
        audit(domain::AuditEvent::WebhookRemoved, act);
        return true;
    });
}

bool WebhookTables::setSecret(const std::string& sealedSecret, Timestamp previousUntil, const domain::WebhookAct& act) {
    return connection_.transact([&] {
        // MySQL assigns from left to right, SQLite all at once: the old one is taken before it is replaced.
        const auto changed = connection_.execute(
            "UPDATE webhooks SET previous_secret = secret, previous_until_us = ?, secret = ? WHERE id = ?",
            {previousUntil, db::Param::blob(sealedSecret), act.webhookId});
        if (changed == 0) return false;
        audit(domain::AuditEvent::WebhookSecretRotated, act);
        return true;
    });
}

bool WebhookTables::retry(const domain::WebhookAct& act) {
    const bool isThere = connection_.transact([&] {
        if (!find(act.webhookId)) return false;
        connection_.execute(
            "UPDATE webhooks SET disabled_at_us = NULL, failing_since_us = NULL, failures = 0, next_at_us = 0,"
            " last_fault = '' WHERE id = ?",
            {act.webhookId});
        connection_.execute(
            "UPDATE webhook_deliveries SET dead_at_us = NULL, attempts = 0, available_at_us = ? WHERE webhook_id = ?",
            {act.now, act.webhookId});
        audit(domain::AuditEvent::WebhookRetried, act);
        return true;
    });
    if (isThere) connection_.known().haveListeners = true;
    return isThere;
}

bool WebhookTables::putTest(const Uuid& webhookId, const Uuid& eventId, Timestamp now) {
    return connection_.transact([&] {
        if (!find(webhookId)) return false;
        // Before all that waits, also where it rests after a failure.
        connection_.execute("UPDATE webhooks SET next_at_us = 0 WHERE id = ?", {webhookId});
        insertDelivery(connection_, webhookId, {.id = eventId, .event = WebhookEvent::Test, .createdAt = now},
                       Timestamp{});
        return true;
    });
}

bool WebhookTables::isWaiting(const Uuid& webhookId, const Uuid& eventId) {
    return connection_
        .queryOne("SELECT 1 FROM webhook_deliveries WHERE event_id = ? AND webhook_id = ?", {eventId, webhookId})
        .has_value();
}

void WebhookTables::reseal(const Webhook& before, const std::string& secret,
                           const std::optional<std::string>& previous) {
    connection_.execute("UPDATE webhooks SET previous_secret = ?, secret = ? WHERE id = ? AND secret = ?",
                        {previous ? db::Param::blob(*previous) : db::Param{std::nullopt}, db::Param::blob(secret),
                         before.id, db::Param::blob(before.sealedSecret)});
}

void WebhookTables::noteListeners() {
    connection_.known().haveListeners =
        connection_.queryOne("SELECT 1 FROM webhooks WHERE disabled_at_us IS NULL LIMIT 1").has_value();
}

bool WebhookTables::spread(unsigned most) {
    static const std::string sql =
        "SELECT id, " + std::string{kToldColumns} + " FROM webhook_events ORDER BY id LIMIT ?";
    const auto rows = connection_.query(sql, {most});
    if (rows.empty()) return true;
    connection_.transact([&] {
        const auto webhooks = list();
        for (const db::Row& row : rows) {
            const domain::ToldEvent told = readTold(row);
            // Of several processes one spreads it.
            if (connection_.execute("DELETE FROM webhook_events WHERE id = ?", {told.id}) == 0) continue;
            for (const Webhook& webhook : webhooks) {
                if (waitsFor(webhook, told.event)) insertDelivery(connection_, webhook.id, told, told.createdAt);
            }
        }
    });
    return rows.size() < most;
}

std::vector<WebhookDelivery> WebhookTables::take(const Webhook& webhook, Timestamp now, Timestamp leaseUntil,
                                                 unsigned most) {
    static const std::string sql = "SELECT event_id, " + std::string{kToldColumns} +
                                   ", attempts, available_at_us FROM webhook_deliveries"
                                   " WHERE webhook_id = ? AND available_at_us <= ? ORDER BY available_at_us LIMIT ?";
    std::vector<WebhookDelivery> taken;
    if (webhook.disabledAt || webhook.nextAt > now) return taken;
    for (const db::Row& row : connection_.query(sql, {webhook.id, now, webhook.failingSince ? 1 : most})) {
        WebhookDelivery delivery{webhook.id, readTold(row), static_cast<unsigned>(row.integer(6)), leaseUntil};
        const bool isOurs = connection_.execute(
                                "UPDATE webhook_deliveries SET available_at_us = ?"
                                " WHERE event_id = ? AND webhook_id = ? AND available_at_us = ?",
                                {leaseUntil, delivery.told.id, webhook.id, row.timestamp(7)}) > 0;
        if (isOurs) taken.push_back(std::move(delivery));  // else another process took it meanwhile
    }
    return taken;
}

void WebhookTables::noteDelivered(const WebhookDelivery& delivery, Timestamp now) {
    connection_.transact([&] {
        connection_.execute("DELETE FROM webhook_deliveries WHERE event_id = ? AND webhook_id = ?",
                            {delivery.told.id, delivery.webhookId});
        connection_.execute(
            "UPDATE webhooks SET last_delivered_at_us = ?, failing_since_us = NULL, failures = 0, next_at_us = 0,"
            " last_fault = '' WHERE id = ?",
            {now, delivery.webhookId});
    });
}

void WebhookTables::giveBack(const WebhookDelivery& delivery, Timestamp now) {
    connection_.execute(
        "UPDATE webhook_deliveries SET available_at_us = ?"
        " WHERE event_id = ? AND webhook_id = ? AND available_at_us = ?",
        {now, delivery.told.id, delivery.webhookId, delivery.leaseUntil});
}

void WebhookTables::noteFailed(const WebhookDelivery& delivery, const std::string& fault, bool isDead,
                               Timestamp nextTry, Timestamp receiverNext, Timestamp now) {
    connection_.transact([&] {
        connection_.execute(
            "UPDATE webhook_deliveries SET attempts = ?, available_at_us = ?, dead_at_us = ?"
            " WHERE event_id = ? AND webhook_id = ? AND available_at_us = ?",
            {delivery.attempts + 1, isDead ? domain::kNever : nextTry, isDead ? std::optional{now} : std::nullopt,
             delivery.told.id, delivery.webhookId, delivery.leaseUntil});
        connection_.execute(
            "UPDATE webhooks SET failures = failures + 1, next_at_us = ?, last_fault = ?,"
            " failing_since_us = COALESCE(failing_since_us, ?) WHERE id = ?",
            {receiverNext, plainReason(fault), now, delivery.webhookId});
    });
}

void WebhookTables::noteGone(const Uuid& webhookId, const std::string& fault, Timestamp now) {
    connection_.transact([&] {
        connection_.execute(
            "UPDATE webhooks SET disabled_at_us = ?, last_fault = ?, failing_since_us = COALESCE(failing_since_us, ?)"
            " WHERE id = ?",
            {now, plainReason(fault), now, webhookId});
        connection_.execute(
            "UPDATE webhook_deliveries SET dead_at_us = ?, available_at_us = ?"
            " WHERE webhook_id = ? AND dead_at_us IS NULL",
            {now, domain::kNever, webhookId});
    });
}

}  // namespace otpgate::store
