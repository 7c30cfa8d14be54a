// Clients, their grants, and who is told of the end of a session.
#include "contract/store_test.h"
#include "otpgate/store/stores.h"

#include <algorithm>
#include <atomic>

namespace otpgate::test {
namespace oidc_store_test {

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
    CPPUNIT_TEST(writesAGrantWithItsEventAloneAndTogether);
    CPPUNIT_TEST(remembersWhatUsersAllow);
    CPPUNIT_TEST(listsWhatAUserHasAtApplications);
    CPPUNIT_TEST(takesBackAllOfOneUserAtOneClient);
    CPPUNIT_TEST(tellsWhoDidWhatToAClient);
    CPPUNIT_TEST(listsClientsByPages);
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
    domain::AuditNote note() { return {newId(), asker_, now()}; }
    domain::OidcGrant added() {
        store_->addClient(client(now()), note());
        const domain::OidcGrant one = grant();
        store_->addGrant(one, note());
        return one;
    }
    void addSession(const Uuid& id, const Uuid& userId) {
        connection_->execute(
            "INSERT INTO sessions (id, user_id, created_at_us, last_seen_at_us, expires_at_us, authenticated_at_us,"
            " ip_address, user_agent) VALUES (?, ?, ?, ?, ?, ?, '', '')",
            {id, userId, now(), now(), now() + 1h, now()});
    }
    std::int64_t events(const char* event, const std::string& metadata) {
        return connection_
            ->queryOne("SELECT COUNT(*) FROM audit_events WHERE event = ? AND metadata = ?", {event, metadata})
            ->integer(0);
    }

    void keepsAClientAsItWas() {
        const domain::OidcClient wiki = client(now());
        CPPUNIT_ASSERT(store_->addClient(wiki, note()));
        CPPUNIT_ASSERT(!store_->addClient(wiki, note()));
        const auto found = store_->findClient("wiki").value();
        CPPUNIT_ASSERT_EQUAL(wiki.title, found.title);
        CPPUNIT_ASSERT(found.secretHash == wiki.secretHash && found.redirectUris == wiki.redirectUris);
        CPPUNIT_ASSERT(found.postLogoutUris == wiki.postLogoutUris && found.backchannelUri == wiki.backchannelUri);
        CPPUNIT_ASSERT(found.groups == wiki.groups && found.consent == wiki.consent &&
                       found.algorithm == wiki.algorithm);
        CPPUNIT_ASSERT(!found.needsPkce && !found.isDisabled && found.createdAt == wiki.createdAt);
        CPPUNIT_ASSERT(!store_->findClient("WIKI") && store_->listClients("", 10).size() == 1);
        CPPUNIT_ASSERT(store_->setClientSecret("wiki", std::string(32, 's'), note()) &&
                       !store_->setClientSecret("shop", std::string(32, 's'), note()));
        CPPUNIT_ASSERT(store_->findClient("wiki")->secretHash == std::string(32, 's'));
        CPPUNIT_ASSERT(store_->setClientDisabled("wiki", true, note()) &&
                       store_->setClientDisabled("wiki", true, note()));
        CPPUNIT_ASSERT(store_->findClient("wiki")->isDisabled && !store_->setClientDisabled("shop", true, note()));
        CPPUNIT_ASSERT(store_->setClientDisabled("wiki", false, note()) && !store_->findClient("wiki")->isDisabled);
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
        store_->putConsent(user, "wiki", "openid", note());
        store_->putConsent(user, "wiki", "openid email", note());
        CPPUNIT_ASSERT(store_->findConsent(user, "wiki") == "openid email"s && !store_->findConsent(user, "shop"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, events("CONSENT_GIVEN", R"({"client":"wiki"})"));
    }

    void writesAGrantWithItsEventAloneAndTogether() {
        added();
        onSixteenThreads([&](db::Connection& connection, std::size_t thread) {
            domain::OidcGrant mine = grant();
            mine.id = Uuid::fromBytes(std::string(15, 'g') + static_cast<char>('a' + thread));
            const Uuid event = Uuid::fromBytes(std::string(15, 'e') + static_cast<char>('a' + thread));
            store::makeOidcStore(connection, Base::groupsOf(thread))->addGrant(mine, {event, asker_, now()});
        });
        CPPUNIT_ASSERT_EQUAL(std::int64_t{17}, count("oidc_grants"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{17}, events("APPLICATION_SIGNED_IN", R"({"client":"wiki"})"));
    }

    void listsWhatAUserHasAtApplications() {
        domain::User user;
        user.id = newId();
        auto first = added();  // of somebody else
        CPPUNIT_ASSERT(store_->listGrants(user, now()).empty() && store_->listConsents(user.id).empty());
        first = grant();
        first.userId = user.id;
        addSession(first.sessionId, user.id);
        auto second = first;
        second.id = newId();
        second.createdAt = now() + 1s;
        for (const auto& each : {first, second}) store_->addGrant(each, note());
        CPPUNIT_ASSERT(store_->listGrants(user, now()).empty());  // the application has not shown its code yet

        store_->redeem(first.id, now() + 2s);
        store_->redeem(second.id, now() + 3s);
        store_->rotate(second.id, 0, now() + 4s);
        auto third = first;
        third.id = newId();
        third.sessionId = newId();  // which is over
        third.scopes = domain::parseScopes("openid offline_access");
        store_->addGrant(third, note());
        store_->redeem(third.id, now() + 1s);
        store_->putConsent(user.id, "wiki", "openid groups", note());

        const auto grants = store_->listGrants(user, now());
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, grants.size());
        const auto newest = std::ranges::max(grants, {}, &domain::GrantsAlike::lastUsedAt);
        CPPUNIT_ASSERT(newest.lastUsedAt == now() + 4s && newest.use.grant.createdAt == now());
        CPPUNIT_ASSERT(newest.use.sessionIsAlive && newest.use.grant.sessionId == first.sessionId);
        CPPUNIT_ASSERT(newest.use.client.id == "wiki" && newest.use.client.consent == domain::ConsentPolicy::Ask);
        CPPUNIT_ASSERT(newest.use.grant.scopes == first.scopes && newest.use.grant.methods == "pwd otp");
        const auto other = std::ranges::min(grants, {}, &domain::GrantsAlike::lastUsedAt);
        CPPUNIT_ASSERT(!other.use.sessionIsAlive && other.use.grant.scopes == third.scopes);
        const auto consents = store_->listConsents(user.id);
        CPPUNIT_ASSERT(consents.size() == 1 && consents[0].client.title == "The W\xc3\xafki" &&
                       consents[0].givenAt == now());
        CPPUNIT_ASSERT(consents[0].scopes == domain::parseScopes("openid groups"));
        store_->endGrant(second.id, now());
        store_->endGrant(third.id, now());
        CPPUNIT_ASSERT(store_->listGrants(user, now()).at(0).lastUsedAt == now() + 2s);
    }

    void takesBackAllOfOneUserAtOneClient() {
        const auto other = added();
        const auto mine = grant();
        addSession(mine.sessionId, mine.userId);
        store_->addGrant(mine, note());
        store_->redeem(mine.id, now());
        store_->putConsent(mine.userId, "wiki", "openid", note());
        store_->putConsent(other.userId, "wiki", "openid", note());

        CPPUNIT_ASSERT(store_->withdraw(mine.userId, "wiki", note()) && !store_->withdraw(mine.userId, "wiki", note()));

        CPPUNIT_ASSERT(!store_->findGrant(mine.id, now()) && store_->findGrant(other.id, now()));
        CPPUNIT_ASSERT(!store_->findConsent(mine.userId, "wiki") && store_->findConsent(other.userId, "wiki"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, events("CONSENT_WITHDRAWN", R"({"client":"wiki"})"));
        const auto told = store_->takeLogouts(now(), now() + 30s, 10);
        CPPUNIT_ASSERT(told.size() == 1 && told[0].sessionId == mine.sessionId && told[0].userId == mine.userId);
        // The session goes on, and its end is not told a second time.
        const auto sessions = store::makeSessionStore(*connection_);
        CPPUNIT_ASSERT(sessions->revoke({.sessionId = mine.sessionId,
                                         .userId = mine.userId,
                                         .reason = "logout",
                                         .deviceFate = domain::DeviceFate::Keep,
                                         .now = now(),
                                         .auditId = newId(),
                                         .client = asker_}));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("oidc_logouts"));
    }

    void tellsWhoDidWhatToAClient() {
        asker_.actor = newId();
        const std::string metadata = R"({"by":")" + asker_.actor->toString() + R"(","client":"wiki"})";
        auto wiki = client(now());
        store_->addClient(wiki, note());
        store_->addClient(wiki, note());
        wiki.title = "Wiki";
        wiki.groups = {};
        wiki.needsPkce = true;
        CPPUNIT_ASSERT(store_->changeClient(wiki, note()) && store_->changeClient(wiki, note()));
        const auto changed = store_->findClient("wiki").value();
        CPPUNIT_ASSERT(changed.title == "Wiki" && changed.groups.empty() && changed.needsPkce);
        CPPUNIT_ASSERT(changed.redirectUris == wiki.redirectUris && changed.secretHash == wiki.secretHash);
        store_->setClientSecret("wiki", std::string(32, 's'), note());
        for (const bool isDisabled : {true, true, false, false}) store_->setClientDisabled("wiki", isDisabled, note());
        store_->removeClient("wiki", note());
        for (const char* event :
             {"CLIENT_CREATED", "CLIENT_SECRET_ROTATED", "CLIENT_DISABLED", "CLIENT_ENABLED", "CLIENT_DELETED"})
            CPPUNIT_ASSERT_EQUAL_MESSAGE(event, std::int64_t{1}, events(event, metadata));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, events("CLIENT_CHANGED", metadata));
        CPPUNIT_ASSERT(!store_->changeClient(wiki, note()));
        // A public one gets no secret by any way.
        wiki.secretHash.reset();
        store_->addClient(wiki, note());
        CPPUNIT_ASSERT(!store_->setClientSecret("wiki", std::string(32, 's'), note()));
        asker_.actor.reset();
    }

    void listsClientsByPages() {
        for (const char* id : {"b", "a.c", "c"}) {
            auto one = client(now());
            one.id = id;
            store_->addClient(one, note());
        }
        const auto first = store_->listClients("", 2);
        CPPUNIT_ASSERT(first.size() == 2 && first[0].id == "a.c" && first[1].id == "b");
        const auto second = store_->listClients("b", 2);
        CPPUNIT_ASSERT(second.size() == 1 && second[0].id == "c");
    }

    void losesAllOfAClientWithIt() {
        const auto one = added();
        store_->putConsent(one.userId, "wiki", "openid", note());
        CPPUNIT_ASSERT(store_->removeClient("wiki", note()) && !store_->removeClient("wiki", note()));
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
    domain::Client asker_ = Base::client("192.0.2.7");
};

REGISTER_ON_BOTH_ENGINES(OidcStoreTest);

}  // namespace oidc_store_test
}  // namespace otpgate::test
