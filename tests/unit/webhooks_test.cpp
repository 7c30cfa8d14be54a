// Webhooks as administrators make them: what is kept of a secret, for how long two of them sign, and another master
// key.
#include "otpgate/domain/webhooks.h"

#include "otpgate/base/errors.h"
#include "support_cpp/counting_random.h"
#include "support_cpp/fake_clock.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <map>

namespace otpgate::domain {
namespace webhooks_test {

using namespace std::chrono_literals;

class FakeWebhookStore final : public WebhookStore {
public:
    bool add(const Webhook& webhook, std::uint64_t most, const WebhookAct&) override {
        return webhooks.size() < most && webhooks.emplace(webhook.id, webhook).second;
    }
    std::vector<Webhook> list() override {
        std::vector<Webhook> all;
        for (const auto& [id, webhook] : webhooks) all.push_back(webhook);
        return all;
    }
    std::optional<Webhook> find(const Uuid& id) override {
        const auto found = webhooks.find(id);
        return found == webhooks.end() ? std::nullopt : std::optional{found->second};
    }
    WebhookQueue queue(const Uuid&) override { return {2, 1}; }
    bool remove(const WebhookAct& act) override { return webhooks.erase(act.webhookId) > 0; }
    bool setSecret(const std::string& sealedSecret, Timestamp previousUntil, const WebhookAct& act) override {
        const auto found = webhooks.find(act.webhookId);
        if (found == webhooks.end()) return false;
        Webhook& webhook = found->second;
        webhook.sealedPreviousSecret = std::exchange(webhook.sealedSecret, sealedSecret);
        webhook.previousUntil = previousUntil;
        return true;
    }
    bool retry(const WebhookAct& act) override { return webhooks.contains(act.webhookId); }
    bool putTest(const Uuid& webhookId, const Uuid&, Timestamp) override { return webhooks.contains(webhookId); }
    bool isWaiting(const Uuid&, const Uuid&) override { return true; }
    void reseal(const Webhook& before, const std::string& secret, const std::optional<std::string>& previous) override {
        webhooks.at(before.id).sealedSecret = secret;
        webhooks.at(before.id).sealedPreviousSecret = previous;
    }
    // Of who posts.
    void noteListeners() override {}
    bool spread(unsigned) override { return true; }
    std::vector<WebhookDelivery> take(const Webhook&, Timestamp, Timestamp, unsigned) override { return {}; }
    void noteDelivered(const WebhookDelivery&, Timestamp) override {}
    void giveBack(const WebhookDelivery&, Timestamp) override {}
    void noteFailed(const WebhookDelivery&, const std::string&, bool, Timestamp, Timestamp, Timestamp) override {}
    void noteGone(const Uuid&, const std::string&, Timestamp) override {}

    std::map<Uuid, Webhook> webhooks;
};

class WebhooksTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(WebhooksTest);
    CPPUNIT_TEST(sealsWhatItShowsOnce);
    CPPUNIT_TEST(addsNoMoreThanTwenty);
    CPPUNIT_TEST(signsByTwoSecretsForADay);
    CPPUNIT_TEST(sealsUnderAnotherMasterKey);
    CPPUNIT_TEST(knowsNothingOfWhatIsNotThere);
    CPPUNIT_TEST_SUITE_END();

    MadeWebhook add() { return webhooks_.add({"https://shop.example.com/", {}}, {}).value(); }
    std::vector<std::string> secretsOf(const Uuid& id, const crypto::KeyRing& ring) {
        std::vector<std::string> shown;
        for (const std::string& secret : openSecrets(ring, store_.webhooks.at(id), clock_.now()))
            shown.push_back(shownSecret(secret));
        return shown;
    }

    void sealsWhatItShowsOnce() {
        const MadeWebhook made = add();
        CPPUNIT_ASSERT(made.secret.starts_with("whsec_") && made.secret.size() == 50);
        CPPUNIT_ASSERT(secretsOf(made.webhook.id, ring_) == std::vector<std::string>{made.secret});
        const auto other = add();
        CPPUNIT_ASSERT(other.secret != made.secret);
        // A seal is of its webhook alone.
        store_.webhooks.at(other.webhook.id).sealedSecret = made.webhook.sealedSecret;
        CPPUNIT_ASSERT_THROW(secretsOf(other.webhook.id, ring_), ServiceUnavailable);
        CPPUNIT_ASSERT(webhooks_.list().size() == 2 && webhooks_.list().front().queue.dead == 1);
    }

    void addsNoMoreThanTwenty() {
        for (unsigned i = 0; i < kMostWebhooks; ++i) add();
        CPPUNIT_ASSERT(!webhooks_.add({"https://shop.example.com/", {}}, {}));
    }

    void signsByTwoSecretsForADay() {
        const auto first = add();
        const auto second = webhooks_.rotateSecret(first.webhook.id, {}).value();
        CPPUNIT_ASSERT((secretsOf(first.webhook.id, ring_) == std::vector{second.secret, first.secret}));
        clock_.advance(kBothSecretsFor);
        CPPUNIT_ASSERT(secretsOf(first.webhook.id, ring_) == std::vector{second.secret});
    }

    void sealsUnderAnotherMasterKey() {
        const auto first = add();
        const auto second = webhooks_.rotateSecret(first.webhook.id, {}).value();
        const std::string newer = "otpgate1:" + std::string(64, 'a') + "\n";
        const auto both = crypto::KeyRing::parse(newer + key_, "k");
        const auto alone = crypto::KeyRing::parse(newer, "k");
        CPPUNIT_ASSERT_THROW(secretsOf(first.webhook.id, alone), ServiceUnavailable);
        resealWebhooks(store_, both, random_);
        CPPUNIT_ASSERT((secretsOf(first.webhook.id, alone) == std::vector{second.secret, first.secret}));
        CPPUNIT_ASSERT_THROW(resealWebhooks(store_, ring_, random_), ServiceUnavailable);
    }

    void knowsNothingOfWhatIsNotThere() {
        const Uuid id = Uuid::makeV7(clock_.now(), random_);
        CPPUNIT_ASSERT(!webhooks_.find(id) && !webhooks_.rotateSecret(id, {}) && !webhooks_.test(id));
        CPPUNIT_ASSERT(!webhooks_.retry(id, {}) && !webhooks_.remove(id, {}));
        CPPUNIT_ASSERT(webhooks_.test(add().webhook.id));
    }

    const std::string key_ = "otpgate1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
    const crypto::KeyRing ring_ = crypto::KeyRing::parse(key_, "master.key");
    test::FakeClock clock_;
    test::CountingRandom random_;
    FakeWebhookStore store_;
    Webhooks webhooks_{store_, ring_, clock_, random_};
};

CPPUNIT_TEST_SUITE_REGISTRATION(WebhooksTest);

}  // namespace webhooks_test
}  // namespace otpgate::domain
