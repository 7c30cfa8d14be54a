// Webhooks: what is written for them with what it tells, who gets it, and what becomes of a delivery.
#include "otpgate/domain/webhook_store.h"

#include "contract/session_store_test.h"
#include "otpgate/domain/outbox_store.h"
#include "otpgate/store/webhook_levels.h"

#include <atomic>

namespace otpgate::test {
namespace webhook_store_test {

using namespace std::chrono_literals;
using namespace std::string_literals;
using domain::WebhookEvent;

template <class Engine>
class WebhookStoreTest : public SessionStoreTest<WebhookStoreTest<Engine>, Engine> {
    using Base = SessionStoreTest<WebhookStoreTest<Engine>, Engine>;
    using Base::addSession;
    using Base::auditEvents;
    using Base::client;
    using Base::connection_;
    using Base::count;
    using Base::newId;
    using Base::now;
    using Base::only;
    using Base::onSixteenThreads;
    using Base::revoke;
    using Base::session_;
    using Base::store_;
    using Base::user_;

    CPPUNIT_TEST_SUITE(WebhookStoreTest);
    CPPUNIT_TEST(keepsAWebhookAsItWas);
    CPPUNIT_TEST(keepsNoMoreThanItIsTold);
    CPPUNIT_TEST(audits);
    CPPUNIT_TEST(writesNothingWhereNobodyListens);
    CPPUNIT_TEST(tellsOfTheEndOfASessionOnce);
    CPPUNIT_TEST(tellsOfNobodysElseSession);
    CPPUNIT_TEST(tellsOfAllSessionsButTheKeptOne);
    CPPUNIT_TEST(spreadsToWhoWaitsForIt);
    CPPUNIT_TEST(spreadsEachEventOnceForSixteenThreads);
    CPPUNIT_TEST(handsEachDeliveryToOne);
    CPPUNIT_TEST(takesOneAtATimeWhileItFails);
    CPPUNIT_TEST(forgetsFailuresWithADelivery);
    CPPUNIT_TEST(givesUpAndTriesAgain);
    CPPUNIT_TEST(keepsNothingForWhoIsGone);
    CPPUNIT_TEST(losesAllOfAWebhookWithIt);
    CPPUNIT_TEST(changesTheSecretAndKeepsTheOneBefore);
    CPPUNIT_TEST(tellsMonitorsWhatWaitsAndFails);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override {
        Base::setUp();
        webhooks_ = store::makeWebhookStore(*connection_);
        connection_->known().haveListeners = true;
    }

private:
    domain::WebhookAct act(const Uuid& id) { return {id, now(), newId(), client_}; }
    domain::Webhook added(std::vector<WebhookEvent> events = {}) {
        domain::Webhook webhook{.id = newId(),
                                .url = "https://shop.example.com/events",
                                .events = std::move(events),
                                .sealedSecret = "\x01\x00secret"s,
                                .createdAt = now()};
        CPPUNIT_ASSERT(webhooks_->add(webhook, 20, act(webhook.id)));
        return webhook;
    }
    // Events of the kind, as one that was disabled.
    void tell(unsigned times) {
        for (unsigned i = 0; i < times; ++i)
            connection_->execute(
                "INSERT INTO webhook_events (id, event, user_id, details, created_at_us)"
                " VALUES (?, 'user.disabled', ?, '', ?)",
                {newId(), user_, now()});
    }
    std::vector<domain::WebhookDelivery> take(const domain::Webhook& webhook, Timestamp at, unsigned most = 10) {
        return webhooks_->take(webhooks_->find(webhook.id).value(), at, at + 3min, most);
    }

    void keepsAWebhookAsItWas() {
        const auto webhook = added({WebhookEvent::UserCreated, WebhookEvent::SessionEnded});
        const auto found = webhooks_->find(webhook.id).value();
        CPPUNIT_ASSERT(found.id == webhook.id && found.url == webhook.url && found.events == webhook.events);
        CPPUNIT_ASSERT(found.sealedSecret == webhook.sealedSecret && !found.sealedPreviousSecret);
        CPPUNIT_ASSERT(found.createdAt == now() && !found.disabledAt && !found.failingSince && found.failures == 0);
        CPPUNIT_ASSERT(found.lastFault.empty() && !found.lastDeliveredAt);
        CPPUNIT_ASSERT(webhooks_->list().size() == 1 && !webhooks_->find(newId()));
    }

    void keepsNoMoreThanItIsTold() {
        const auto webhook = added();
        CPPUNIT_ASSERT(!webhooks_->add(webhook, 1, act(webhook.id)));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("webhooks"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("audit_events"));
    }

    void audits() {
        const Uuid admin = newId();
        client_.actor = admin;
        const auto webhook = added();
        webhooks_->setSecret("s", now(), act(webhook.id));
        webhooks_->retry(act(webhook.id));
        webhooks_->remove(act(webhook.id));
        Base::assertWords({"WEBHOOK_ADDED", "WEBHOOK_SECRET_ROTATED", "WEBHOOK_RETRIED", "WEBHOOK_REMOVED"},
                          auditEvents());
        CPPUNIT_ASSERT_EQUAL(R"({"by":")" + admin.toString() + R"(","webhook":")" + webhook.id.toString() + R"("})",
                             only("SELECT metadata FROM audit_events WHERE event = 'WEBHOOK_ADDED'").text(0));
        CPPUNIT_ASSERT(!webhooks_->remove(act(webhook.id)) && !webhooks_->retry(act(webhook.id)));
        CPPUNIT_ASSERT(!webhooks_->setSecret("s", now(), act(webhook.id)));
        CPPUNIT_ASSERT(!webhooks_->putTest(webhook.id, newId(), now()));
    }

    void writesNothingWhereNobodyListens() {
        webhooks_->noteListeners();
        CPPUNIT_ASSERT(!connection_->known().haveListeners);
        CPPUNIT_ASSERT(revoke(session_, user_));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("webhook_events"));
        added();
        CPPUNIT_ASSERT(connection_->known().haveListeners);
        connection_->known().haveListeners = false;
        webhooks_->noteListeners();
        CPPUNIT_ASSERT(connection_->known().haveListeners);
        // A disabled one listens no more, and whom a retry enables does.
        webhooks_->noteGone(webhooks_->list().front().id, "gone", now());
        webhooks_->noteListeners();
        CPPUNIT_ASSERT(!connection_->known().haveListeners);
        webhooks_->retry(act(webhooks_->list().front().id));
        CPPUNIT_ASSERT(connection_->known().haveListeners);
    }

    void tellsOfTheEndOfASessionOnce() {
        onSixteenThreads([&](db::Connection& connection, std::size_t i) {
            const auto bytes = std::string(15, '\x7f') + static_cast<char>(i);
            store::makeSessionStore(connection)
                ->revoke({session_, user_, "ended_by_user", domain::DeviceFate::Keep, now(), Uuid::fromBytes(bytes),
                          client_});
        });
        const auto row = only("SELECT id, event, user_id, session_id, created_at_us FROM webhook_events");
        CPPUNIT_ASSERT(row.uuid(0) == session_ && row.uuid(2) == user_ && row.uuid(3) == session_);
        CPPUNIT_ASSERT(row.text(1) == "session.ended" && row.timestamp(4) == now());
    }

    void tellsOfNobodysElseSession() {
        const Uuid other = Base::addUser("bob@example.org");
        CPPUNIT_ASSERT(!revoke(session_, other));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("webhook_events"));
    }

    void tellsOfAllSessionsButTheKeptOne() {
        const Uuid second = addSession(user_);
        addSession(Base::addUser("bob@example.org"));
        store_->revokeAll({user_, session_, "ended_by_user", now(), newId(), client_});
        CPPUNIT_ASSERT(only("SELECT session_id FROM webhook_events").uuid(0) == second);
    }

    void spreadsToWhoWaitsForIt() {
        const auto all = added();
        const auto some = added({WebhookEvent::UserDisabled, WebhookEvent::UserEnabled});
        const auto other = added({WebhookEvent::UserEnabled});
        const auto gone = added();
        webhooks_->noteGone(gone.id, "gone", now());
        tell(3);
        CPPUNIT_ASSERT(!webhooks_->spread(2));
        CPPUNIT_ASSERT(webhooks_->spread(2));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("webhook_events"));
        CPPUNIT_ASSERT(webhooks_->queue(all.id).waiting == 3 && webhooks_->queue(some.id).waiting == 3);
        CPPUNIT_ASSERT(webhooks_->queue(other.id).waiting == 0 && webhooks_->queue(gone.id).waiting == 0);
        const auto taken = take(all, now());
        CPPUNIT_ASSERT_EQUAL(std::size_t{3}, taken.size());
        CPPUNIT_ASSERT(taken.front().told.event == WebhookEvent::UserDisabled && taken.front().told.userId == user_);
        CPPUNIT_ASSERT(!taken.front().told.sessionId && taken.front().told.createdAt == now());
    }

    void tellsMonitorsWhatWaitsAndFails() {
        const auto levels = [&] { return store::readWebhookLevels(*connection_); };
        CPPUNIT_ASSERT(levels().waiting == 0 && levels().dead == 0 && levels().failing == 0 && !levels().failingSince);
        const auto shop = added();
        const auto wiki = added();
        tell(2);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, levels().waiting);
        webhooks_->spread(10);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{4}, levels().waiting);
        const auto taken = take(shop, now());
        webhooks_->noteFailed(taken[0], "status 500", true, now(), now(), now());
        CPPUNIT_ASSERT(levels().waiting == 3 && levels().dead == 1 && levels().failing == 1);
        webhooks_->noteFailed(take(wiki, now())[0], "status 500", false, now(), now(), now() - 1h);
        CPPUNIT_ASSERT(levels().failing == 2 && levels().failingSince == now() - 1h);
        // Nobody waits for who is gone.
        webhooks_->noteGone(wiki.id, "status 410", now());
        CPPUNIT_ASSERT(levels().failing == 1 && levels().failingSince == now());
        CPPUNIT_ASSERT(levels().waiting == 1 && levels().dead == 3);
    }

    void spreadsEachEventOnceForSixteenThreads() {
        const auto webhook = added();
        tell(20);
        onSixteenThreads([&](db::Connection& connection, std::size_t) {
            const auto store = store::makeWebhookStore(connection);
            while (!store->spread(7)) {
            }
        });
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{20}, webhooks_->queue(webhook.id).waiting);
    }

    void handsEachDeliveryToOne() {
        const auto webhook = added();
        tell(5);
        webhooks_->spread(10);
        CPPUNIT_ASSERT(take(webhook, now() - 1us).empty());
        std::atomic<std::size_t> taken{0};
        onSixteenThreads([&](db::Connection& connection, std::size_t) {
            taken += store::makeWebhookStore(connection)->take(webhook, now(), now() + 3min, 10).size();
        });
        CPPUNIT_ASSERT_EQUAL(std::size_t{5}, taken.load());
        // What somebody had when he was killed.
        CPPUNIT_ASSERT_EQUAL(std::size_t{5}, take(webhook, now() + 3min).size());
    }

    void takesOneAtATimeWhileItFails() {
        const auto webhook = added();
        tell(3);
        webhooks_->spread(10);
        const auto taken = take(webhook, now());
        webhooks_->noteFailed(taken[0], "status 500", false, now() + 5s, now() + 4s, now());
        webhooks_->giveBack(taken[1], now());
        webhooks_->giveBack(taken[2], now());
        const auto failing = webhooks_->find(webhook.id).value();
        CPPUNIT_ASSERT(failing.failures == 1 && failing.failingSince == now() && failing.lastFault == "status 500");
        CPPUNIT_ASSERT(domain::stateOf(failing) == domain::WebhookState::Failing);
        CPPUNIT_ASSERT(take(webhook, now() + 3s).empty());
        const auto next = take(webhook, now() + 4s);
        CPPUNIT_ASSERT(next.size() == 1 && next[0].told.id == taken[1].told.id && next[0].attempts == 0);
        webhooks_->noteFailed(next[0], "status 502", false, now() + 1h, now() + 9s, now() + 4s);
        CPPUNIT_ASSERT(webhooks_->find(webhook.id)->failingSince == now());
    }

    void forgetsFailuresWithADelivery() {
        const auto webhook = added();
        tell(2);
        webhooks_->spread(10);
        const auto taken = take(webhook, now());
        webhooks_->noteFailed(taken[0], "status 500", false, now() + 5s, now() + 4s, now());
        webhooks_->noteDelivered(taken[1], now() + 1s);
        const auto well = webhooks_->find(webhook.id).value();
        CPPUNIT_ASSERT(domain::stateOf(well) == domain::WebhookState::Active && well.lastFault.empty());
        CPPUNIT_ASSERT(well.lastDeliveredAt == now() + 1s && well.failures == 0);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("webhook_deliveries"));
        const auto again = take(webhook, now() + 5s);
        CPPUNIT_ASSERT(again.size() == 1 && again[0].attempts == 1 && again[0].told.id == taken[0].told.id);
    }

    void givesUpAndTriesAgain() {
        const auto webhook = added();
        tell(1);
        webhooks_->spread(10);
        webhooks_->noteFailed(take(webhook, now()).at(0), "status 500", true, now(), now(), now());
        CPPUNIT_ASSERT(webhooks_->queue(webhook.id).dead == 1 && webhooks_->queue(webhook.id).waiting == 0);
        CPPUNIT_ASSERT(take(webhook, now() + 24h).empty());
        CPPUNIT_ASSERT(webhooks_->retry(act(webhook.id)));
        CPPUNIT_ASSERT(domain::stateOf(webhooks_->find(webhook.id).value()) == domain::WebhookState::Active);
        const auto again = take(webhook, now());
        CPPUNIT_ASSERT(again.size() == 1 && again[0].attempts == 0);
        // What failed while it was in other hands already changes nothing of it.
        webhooks_->retry(act(webhook.id));
        webhooks_->noteFailed(again[0], "status 500", true, now(), now(), now());
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, webhooks_->queue(webhook.id).waiting);
    }

    void keepsNothingForWhoIsGone() {
        const auto webhook = added();
        tell(2);
        webhooks_->spread(1);
        webhooks_->noteGone(webhook.id, "status 410", now());
        webhooks_->spread(10);
        CPPUNIT_ASSERT(domain::stateOf(webhooks_->find(webhook.id).value()) == domain::WebhookState::Disabled);
        CPPUNIT_ASSERT(webhooks_->queue(webhook.id).dead == 1 && webhooks_->queue(webhook.id).waiting == 0);
        CPPUNIT_ASSERT(take(webhook, now() + 1h).empty());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("webhook_deliveries WHERE available_at_us = ?", {domain::kNever}));
    }

    void losesAllOfAWebhookWithIt() {
        const auto webhook = added();
        const auto other = added();
        CPPUNIT_ASSERT(webhooks_->putTest(webhook.id, newId(), now()));
        const Uuid event = newId();
        CPPUNIT_ASSERT(webhooks_->putTest(other.id, event, now()) && webhooks_->isWaiting(other.id, event));
        CPPUNIT_ASSERT(webhooks_->remove(act(webhook.id)) && !webhooks_->find(webhook.id));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("webhook_deliveries"));
        webhooks_->noteDelivered(take(other, now()).at(0), now());
        CPPUNIT_ASSERT(!webhooks_->isWaiting(other.id, event));
    }

    void changesTheSecretAndKeepsTheOneBefore() {
        const auto webhook = added();
        CPPUNIT_ASSERT(webhooks_->setSecret("\xff\x00new"s, now() + 24h, act(webhook.id)));
        auto changed = webhooks_->find(webhook.id).value();
        CPPUNIT_ASSERT(changed.sealedSecret == "\xff\x00new"s && changed.sealedPreviousSecret == webhook.sealedSecret);
        CPPUNIT_ASSERT(changed.previousUntil == now() + 24h);
        webhooks_->reseal(changed, "resealed", "resealed before");
        changed = webhooks_->find(webhook.id).value();
        CPPUNIT_ASSERT(changed.sealedSecret == "resealed" && changed.sealedPreviousSecret == "resealed before");
        // One that has changed meanwhile keeps its own.
        webhooks_->reseal(webhook, "late", std::nullopt);
        CPPUNIT_ASSERT(webhooks_->find(webhook.id)->sealedSecret == "resealed");
    }

    std::unique_ptr<domain::WebhookStore> webhooks_;
    domain::Client client_ = client();
};

REGISTER_ON_BOTH_ENGINES(WebhookStoreTest);

}  // namespace webhook_store_test
}  // namespace otpgate::test
