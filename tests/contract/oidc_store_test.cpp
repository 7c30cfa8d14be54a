// Clients, their grants, and who is told of the end of a session.
#include "contract/store_test.h"
#include "otpgate/store/stores.h"

#include <atomic>

namespace otpgate::test {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

template <class Engine>
class OidcStoreTest : public StoreTest<OidcStoreTest<Engine>, Engine> {
    using Base = StoreTest<OidcStoreTest<Engine>, Engine>;
    using Base::connection_;
    using Base::count;
    using Base::newId;
    using Base::now;
    using Base::onSixteenThreads;

    CPPUNIT_TEST_SUITE(OidcStoreTest);
    CPPUNIT_TEST(keepsAClientAsItWas);
    CPPUNIT_TEST(keepsAGrantAsItWas);
    CPPUNIT_TEST(letsExactlyOneOfSixteenRedeem);
    CPPUNIT_TEST(letsExactlyOneOfSixteenRotate);
    CPPUNIT_TEST(redeemsNothingThatHasEnded);
    CPPUNIT_TEST(remembersWhatUsersAllow);
    CPPUNIT_TEST(losesAllOfAClientWithIt);
    CPPUNIT_TEST(handsEachNoticeToOne);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override {
        Base::setUp();
        store_ = store::makeOidcStore(*connection_);
    }

private:
    static domain::OidcClient client(Timestamp now) {
        domain::OidcClient client;
        client.id = "wiki";
        client.title = "The W\xc3\xafki";
        client.secretHash = std::string("\x00\xff", 2) + std::string(30, 'h');
        client.redirectUris = {"https://wiki.example.com/cb", "http://127.0.0.1/cb"};
        client.postLogoutUris = {"https://wiki.example.com/bye"};
        client.backchannelUri = "http://wiki/out";
        client.needsPkce = false;
        client.algorithm = crypto::SigningAlgorithm::Es256;
        client.groups = {"editors", "staff"};
        client.consent = domain::ConsentPolicy::Ask;
        client.createdAt = now;
        return client;
    }
    domain::OidcGrant grant() {
        domain::OidcGrant grant;
        grant.id = newId();
        grant.clientId = "wiki";
        grant.userId = newId();
        grant.sessionId = newId();
        grant.scopes = domain::parseScopes("openid email");
        grant.nonce = "n";
        grant.challenge = std::string(43, 'c');
        grant.redirectHash = std::string(32, '\0');
        grant.methods = "pwd otp";
        grant.acr = "urn:otpgate:aal1";
        grant.authenticatedAt = now() - 5s;
        grant.createdAt = now();
        grant.expiresAt = now() + 1h;
        return grant;
    }
    domain::OidcGrant added() {
        store_->addClient(client(now()));
        const domain::OidcGrant one = grant();
        store_->addGrant(one);
        return one;
    }

    void keepsAClientAsItWas() {
        const domain::OidcClient wiki = client(now());
        CPPUNIT_ASSERT(store_->addClient(wiki));
        CPPUNIT_ASSERT(!store_->addClient(wiki));
        const auto found = store_->findClient("wiki").value();
        CPPUNIT_ASSERT_EQUAL(wiki.title, found.title);
        CPPUNIT_ASSERT(found.secretHash == wiki.secretHash && found.redirectUris == wiki.redirectUris);
        CPPUNIT_ASSERT(found.postLogoutUris == wiki.postLogoutUris && found.backchannelUri == wiki.backchannelUri);
        CPPUNIT_ASSERT(found.groups == wiki.groups && found.consent == wiki.consent &&
                       found.algorithm == wiki.algorithm);
        CPPUNIT_ASSERT(!found.needsPkce && !found.isDisabled && found.createdAt == wiki.createdAt);
        CPPUNIT_ASSERT(!store_->findClient("WIKI") && store_->listClients().size() == 1);
        CPPUNIT_ASSERT(store_->setClientSecret("wiki", std::string(32, 's')) && !store_->setClientSecret("shop", "s"));
        CPPUNIT_ASSERT(store_->findClient("wiki")->secretHash == std::string(32, 's'));
        CPPUNIT_ASSERT(store_->setClientDisabled("wiki", true, now()) &&
                       store_->setClientDisabled("wiki", true, now()));
        CPPUNIT_ASSERT(store_->findClient("wiki")->isDisabled && !store_->setClientDisabled("shop", true, now()));
        CPPUNIT_ASSERT(store_->setClientDisabled("wiki", false, now()) && !store_->findClient("wiki")->isDisabled);
    }

    void keepsAGrantAsItWas() {
        const auto one = added();
        const auto found = store_->find("wiki", one.id, now());
        CPPUNIT_ASSERT(found.client && found.use);
        const auto& read = found.use->grant;
        CPPUNIT_ASSERT(read.id == one.id && read.userId == one.userId && read.sessionId == one.sessionId);
        CPPUNIT_ASSERT(read.scopes == one.scopes && read.nonce == one.nonce && read.challenge == one.challenge);
        CPPUNIT_ASSERT(read.redirectHash == one.redirectHash && read.methods == one.methods && read.acr == one.acr);
        CPPUNIT_ASSERT(read.authenticatedAt == one.authenticatedAt && read.createdAt == one.createdAt);
        CPPUNIT_ASSERT(read.expiresAt == one.expiresAt && !read.redeemedAt && !read.endedAt &&
                       read.refreshCounter == 0);
        // Nobody is signed in.
        CPPUNIT_ASSERT(!found.use->user && !found.use->sessionIsAlive);
        CPPUNIT_ASSERT(store_->findGrant(one.id, now())->client.id == "wiki" && !store_->findGrant(newId(), now()));
        const auto without = store_->find("wiki", newId(), now());
        CPPUNIT_ASSERT(without.client && !without.use && !store_->find("shop", one.id, now()).client);
    }

    void letsExactlyOneOfSixteenRedeem() {
        const auto one = added();
        std::atomic<int> won{0};
        onSixteenThreads([&](db::Connection& connection, std::size_t) {
            if (store::makeOidcStore(connection)->redeem(one.id, now())) ++won;
        });
        CPPUNIT_ASSERT_EQUAL(1, won.load());
    }

    void letsExactlyOneOfSixteenRotate() {
        const auto one = added();
        std::atomic<int> won{0};
        onSixteenThreads([&](db::Connection& connection, std::size_t) {
            if (store::makeOidcStore(connection)->rotate(one.id, 0, now())) ++won;
        });
        CPPUNIT_ASSERT_EQUAL(1, won.load());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, store_->findGrant(one.id, now())->grant.refreshCounter);
    }

    void redeemsNothingThatHasEnded() {
        const auto one = added();
        store_->endGrant(one.id, now());
        CPPUNIT_ASSERT(!store_->redeem(one.id, now()) && !store_->rotate(one.id, 0, now()));
        CPPUNIT_ASSERT(store_->findGrant(one.id, now())->grant.endedAt == now());
    }

    void remembersWhatUsersAllow() {
        const Uuid user = newId();
        CPPUNIT_ASSERT(!store_->findConsent(user, "wiki"));
        store_->putConsent(user, "wiki", "openid", now());
        store_->putConsent(user, "wiki", "openid email", now());
        CPPUNIT_ASSERT(store_->findConsent(user, "wiki") == "openid email"s && !store_->findConsent(user, "shop"));
    }

    void losesAllOfAClientWithIt() {
        const auto one = added();
        store_->putConsent(one.userId, "wiki", "openid", now());
        CPPUNIT_ASSERT(store_->removeClient("wiki") && !store_->removeClient("wiki"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("oidc_grants"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("oidc_consents"));
    }

    void handsEachNoticeToOne() {
        const auto one = added();
        connection_->execute(
            "INSERT INTO oidc_logouts (id, client_id, user_id, session_id, attempts, created_at_us, available_at_us)"
            " VALUES (?, 'wiki', ?, ?, 0, ?, ?)",
            {one.id, one.userId, one.sessionId, now(), now()});
        CPPUNIT_ASSERT(store_->takeLogouts(now() - 1us, now(), 10).empty());
        std::atomic<int> taken{0};
        onSixteenThreads([&](db::Connection& connection, std::size_t) {
            taken += static_cast<int>(store::makeOidcStore(connection)->takeLogouts(now(), now() + 30s, 10).size());
        });
        CPPUNIT_ASSERT_EQUAL(1, taken.load());
        store_->postponeLogout(one.id, now() + 40s);
        const auto later = store_->takeLogouts(now() + 40s, now() + 70s, 10);
        CPPUNIT_ASSERT(later.size() == 1 && later.front().attempts == 1 && later.front().uri == "http://wiki/out");
        store_->removeLogout(one.id);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("oidc_logouts"));
    }

    std::unique_ptr<domain::OidcStore> store_;
};

REGISTER_ON_BOTH_ENGINES(OidcStoreTest);

}  // namespace
}  // namespace otpgate::test
