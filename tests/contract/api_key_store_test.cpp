// The table api_keys: who has which keys, which of them are good, and that nobody has more than allowed.
#include "contract/store_test.h"
#include "otpgate/store/stores.h"

namespace otpgate::test {
namespace api_key_store_test {

using namespace std::chrono_literals;
using namespace std::string_literals;
using domain::ApiScope;

template <class Engine>
class ApiKeyStoreTest : public StoreTest<ApiKeyStoreTest<Engine>, Engine> {
    using Base = StoreTest<ApiKeyStoreTest<Engine>, Engine>;
    using Base::assertWords;
    using Base::auditEvents;
    using Base::client;
    using Base::clock_;
    using Base::connection_;
    using Base::count;
    using Base::newId;
    using Base::now;
    using Base::only;
    using Base::onSixteenThreads;

    CPPUNIT_TEST_SUITE(ApiKeyStoreTest);
    CPPUNIT_TEST(keepsAllOfAKey);
    CPPUNIT_TEST(findsNoKeyByAnotherPrefix);
    CPPUNIT_TEST(findsNoRevokedKey);
    CPPUNIT_TEST(findsNoExpiredKey);
    CPPUNIT_TEST(findsNoKeyOfADisabledUser);
    CPPUNIT_TEST(findsNoKeyOfADeletedUser);
    CPPUNIT_TEST(revokesTheOwnersKeysOnly);
    CPPUNIT_TEST(listsTheGoodOnesFirst);
    CPPUNIT_TEST(countsTheGoodOnesOnly);
    CPPUNIT_TEST(letsExactlyFiftyOfManyThroughAtOnce);
    CPPUNIT_TEST(makesNoKeyForASessionThatHasEnded);
    CPPUNIT_TEST(endsWithTheSessionsOfItsUser);
    CPPUNIT_TEST(makesSoManyADayRevokedOnesToo);
    CPPUNIT_TEST(knowsWhatItsUserIs);
    CPPUNIT_TEST(notesTheLastUse);
    CPPUNIT_TEST(tellsTheAuditTrailWhichKey);
    CPPUNIT_TEST(listsThoseOfEverybodyTheNewestFirst);
    CPPUNIT_TEST(revokesWhoseverItIs);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override {
        Base::setUp();
        store_ = store::makeApiKeyStore(*connection_);
        owner_ = addUser();
    }

private:
    Uuid addUser() {
        const Uuid id = newId();
        connection_->execute("INSERT INTO users (id, username, joined_at_us) VALUES (?, ?, ?)",
                             {id, id.toString(), now()});
        return id;
    }
    domain::NewApiKey newKey(const Uuid& owner, std::optional<Timestamp> expiresAt = {}) {
        // Letters in both cases: a prefix that differs in nothing else is another one.
        return {.key = {.id = newId(),
                        .userId = owner,
                        .name = "Shop " + keys(90),
                        .prefix = "aB" + std::to_string(100'000 + ++number_),
                        .scopes = {ApiScope::Verify, ApiScope::VerifyCaller},
                        .createdAt = now(),
                        .expiresAt = expiresAt,
                        .lastUsedAt = {}},
                .secretHash = std::string(31, '\xff') + "\0"s,
                .sessionId = std::nullopt,
                .maxActive = 50,
                .bucket = domain::limitBucket("api-keys", owner.bytes()),
                .rule = domain::LimitRule::parse("100/1d").value(),
                .auditId = newId(),
                .client = client()};
    }
    using Created = domain::ApiKeyInsertion::Outcome;
    bool isCreated(const domain::NewApiKey& key) { return store_->create(key).outcome == Created::Created; }
    domain::ApiKey add(const Uuid& owner, std::optional<Timestamp> expiresAt = {}) {
        const auto key = newKey(owner, expiresAt);
        CPPUNIT_ASSERT(isCreated(key));
        return key.key;
    }
    bool revoke(const Uuid& id, const std::optional<Uuid>& owner) {
        return store_->revoke({id, owner, now(), newId(), client()});
    }
    bool isFound(const domain::ApiKey& key) { return store_->findActive(key.prefix, now()).has_value(); }

    void keepsAllOfAKey() {
        const auto made = newKey(owner_, now() + 1h);
        CPPUNIT_ASSERT(isCreated(made));
        const auto found = store_->findActive(made.key.prefix, now()).value();
        CPPUNIT_ASSERT_EQUAL(made.secretHash, found.secretHash);
        CPPUNIT_ASSERT(found.key.id == made.key.id && found.key.userId == owner_);
        CPPUNIT_ASSERT_EQUAL(made.key.name, found.key.name);
        CPPUNIT_ASSERT_EQUAL(made.key.prefix, found.key.prefix);
        CPPUNIT_ASSERT(found.key.scopes == made.key.scopes);
        CPPUNIT_ASSERT(found.key.createdAt == now() && found.key.expiresAt == now() + 1h && !found.key.lastUsedAt);

        auto bare = newKey(owner_);
        bare.key.scopes = {};
        CPPUNIT_ASSERT(isCreated(bare));
        const auto other = store_->findActive(bare.key.prefix, now()).value();
        CPPUNIT_ASSERT(other.key.scopes.empty() && !other.key.expiresAt);
    }

    void findsNoKeyByAnotherPrefix() {
        const std::string prefix = add(owner_).prefix;
        for (const std::string& other : {"Ab" + prefix.substr(2), prefix + "x", prefix.substr(1), "%"s, ""s}) {
            CPPUNIT_ASSERT(!store_->findActive(other, now()));
        }
    }

    void findsNoRevokedKey() {
        const auto key = add(owner_);
        CPPUNIT_ASSERT(isFound(key));
        CPPUNIT_ASSERT(revoke(key.id, owner_));
        CPPUNIT_ASSERT(!isFound(key));
        CPPUNIT_ASSERT(!revoke(key.id, owner_));
    }

    void findsNoExpiredKey() {
        const auto key = add(owner_, now() + 1s);
        clock_.advance(1s - 1us);
        CPPUNIT_ASSERT(isFound(key));
        clock_.advance(1us);
        CPPUNIT_ASSERT(!isFound(key));
    }

    void findsNoKeyOfADisabledUser() {
        const auto key = add(owner_);
        connection_->execute("UPDATE users SET status = 'disabled' WHERE id = ?", {owner_});
        CPPUNIT_ASSERT(!isFound(key));
        connection_->execute("UPDATE users SET status = 'active' WHERE id = ?", {owner_});
        CPPUNIT_ASSERT(isFound(key));
    }

    void findsNoKeyOfADeletedUser() {
        const auto key = add(owner_);
        connection_->execute("DELETE FROM users WHERE id = ?", {owner_});
        CPPUNIT_ASSERT(!isFound(key));
    }

    void revokesTheOwnersKeysOnly() {
        const auto key = add(owner_);
        CPPUNIT_ASSERT(!revoke(key.id, addUser()));
        CPPUNIT_ASSERT(!revoke(newId(), owner_));
        CPPUNIT_ASSERT(isFound(key));
        assertWords({"API_KEY_CREATED"}, auditEvents());
    }

    void listsTheGoodOnesFirst() {
        const auto old = add(owner_);
        const auto expired = add(owner_, now() + 1s);
        const auto revoked = add(owner_);
        const auto young = add(owner_, now() + 1h);
        add(addUser());
        revoke(revoked.id, owner_);
        clock_.advance(2s);
        const auto listed = store_->list(owner_, now());
        CPPUNIT_ASSERT_EQUAL(std::size_t{3}, listed.size());
        CPPUNIT_ASSERT(listed[0].id == young.id && listed[1].id == old.id && listed[2].id == expired.id);
    }

    void countsTheGoodOnesOnly() {
        for (int i = 0; i < 49; ++i) add(owner_);
        const auto last = add(owner_, now() + 1s);
        CPPUNIT_ASSERT(store_->create(newKey(owner_)).outcome == Created::TooMany);
        add(addUser());
        clock_.advance(1s);
        const auto instead = add(owner_);
        CPPUNIT_ASSERT(store_->create(newKey(owner_)).outcome == Created::TooMany);
        revoke(instead.id, owner_);
        add(owner_);
    }

    void letsExactlyFiftyOfManyThroughAtOnce() {
        std::vector<domain::NewApiKey> wanted;
        for (std::size_t i = 0; i < 64; ++i) wanted.push_back(newKey(owner_));
        std::atomic<int> made{0};
        onSixteenThreads([&](db::Connection& connection, std::size_t thread) {
            const auto store = store::makeApiKeyStore(connection);
            for (std::size_t i = thread; i < wanted.size(); i += 16)
                made += store->create(wanted[i]).outcome == Created::Created ? 1 : 0;
        });
        CPPUNIT_ASSERT_EQUAL(50, made.load());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{50}, count("api_keys"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{50}, count("audit_events"));
    }

    Uuid addSession(const Uuid& owner) {
        const Uuid id = newId();
        connection_->execute(
            "INSERT INTO sessions (id, user_id, created_at_us, last_seen_at_us, expires_at_us, authenticated_at_us,"
            " ip_address, user_agent) VALUES (?, ?, ?, ?, ?, ?, '', '')",
            {id, owner, now(), now(), now() + 1h, now()});
        return id;
    }
    void endAll(const Uuid& owner, const std::optional<Uuid>& kept) {
        store::makeSessionStore(*connection_, nullptr)
            ->revokeAll({.userId = owner,
                         .keptSession = kept,
                         .reason = "logout_all",
                         .now = now(),
                         .auditId = newId(),
                         .client = client()});
    }

    void makesNoKeyForASessionThatHasEnded() {
        auto key = newKey(owner_);
        key.sessionId = addSession(owner_);
        CPPUNIT_ASSERT(isCreated(key));
        endAll(owner_, std::nullopt);
        auto late = newKey(owner_);
        late.sessionId = key.sessionId;
        CPPUNIT_ASSERT(store_->create(late).outcome == Created::SessionEnded);
        CPPUNIT_ASSERT(!isFound(key.key) && !isFound(late.key));
    }

    // Whoever is signed out of everywhere must not go on by a key that he made; others' keys stay.
    void endsWithTheSessionsOfItsUser() {
        const auto mine = add(owner_);
        const auto others = add(addUser());
        endAll(owner_, addSession(owner_));
        CPPUNIT_ASSERT(!isFound(mine));
        CPPUNIT_ASSERT(isFound(others));
    }

    void makesSoManyADayRevokedOnesToo() {
        for (int i = 0; i < 3; ++i) {
            auto key = newKey(owner_);
            key.rule = domain::LimitRule::parse("3/1d").value();
            CPPUNIT_ASSERT(isCreated(key));
            revoke(key.key.id, owner_);
        }
        auto key = newKey(owner_);
        key.rule = domain::LimitRule::parse("3/1d").value();
        CPPUNIT_ASSERT(store_->create(key).outcome == Created::Limited);
        clock_.advance(24h);
        key.key.createdAt = now();
        CPPUNIT_ASSERT(isCreated(key));
    }

    void knowsWhatItsUserIs() {
        const auto key = add(owner_);
        const auto role = [&] { return store_->findActive(key.prefix, now()).value().key.ownerRole; };
        CPPUNIT_ASSERT(role() == domain::Role::User);
        connection_->execute("UPDATE users SET role = 'admin' WHERE id = ?", {owner_});
        CPPUNIT_ASSERT(role() == domain::Role::Admin);
    }

    void notesTheLastUse() {
        const auto key = add(owner_);
        const Timestamp first = now();
        const auto lastUse = [&] { return store_->findActive(key.prefix, first).value().key.lastUsedAt; };
        store_->touch(key.id, first, first - 60s);
        CPPUNIT_ASSERT(lastUse() == first);
        store_->touch(key.id, first + 59s, first - 1s);
        CPPUNIT_ASSERT(lastUse() == first);
        store_->touch(key.id, first + 60s, first);
        CPPUNIT_ASSERT(lastUse() == first + 60s);
    }

    void listsThoseOfEverybodyTheNewestFirst() {
        const Uuid other = addUser();
        std::vector<domain::ApiKey> keys;
        for (const Uuid& owner : {owner_, other, owner_, other}) {
            clock_.advance(1s);
            keys.push_back(add(owner, now() + 1h));
        }
        store_->touch(keys[3].id, now(), now());
        revoke(keys[2].id, owner_);
        clock_.advance(2h);  // those that have expired are shown, too
        const auto first = store_->listAll(std::nullopt, 2);
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, first.size());
        CPPUNIT_ASSERT(first[0].key.id == keys[3].id && first[1].key.id == keys[1].id);
        CPPUNIT_ASSERT(first[0].key.lastUsedAt && first[0].key.name == keys[3].name);
        CPPUNIT_ASSERT(first[0].owner.id == other && first[1].owner.id == other);
        const auto rest = store_->listAll(first[1].key.id, 9);
        CPPUNIT_ASSERT(rest.size() == 1 && rest[0].key.id == keys[0].id && rest[0].owner.id == owner_);
    }

    void revokesWhoseverItIs() {
        const auto key = add(owner_);
        CPPUNIT_ASSERT(!revoke(newId(), std::nullopt) && !revoke(key.id, newId()));
        CPPUNIT_ASSERT(isFound(key));
        CPPUNIT_ASSERT(revoke(key.id, std::nullopt) && !revoke(key.id, std::nullopt));
        CPPUNIT_ASSERT(!isFound(key));
        CPPUNIT_ASSERT(only("SELECT user_id FROM audit_events WHERE event = ?", {"API_KEY_REVOKED"}).uuid(0) == owner_);
    }

    void tellsTheAuditTrailWhichKey() {
        const auto key = add(owner_);
        clock_.advance(1s);
        revoke(key.id, owner_);
        assertWords({"API_KEY_CREATED", "API_KEY_REVOKED"}, auditEvents());
        for (const char* event : {"API_KEY_CREATED", "API_KEY_REVOKED"}) {
            const auto row = only("SELECT user_id, metadata, ip_address FROM audit_events WHERE event = ?", {event});
            CPPUNIT_ASSERT(row.uuid(0) == owner_);
            CPPUNIT_ASSERT_EQUAL(R"({"prefix":")" + key.prefix + R"("})", row.text(1));
            CPPUNIT_ASSERT_EQUAL("192.0.2.7"s, row.text(2));
        }
    }

    std::unique_ptr<domain::ApiKeyStore> store_;
    Uuid owner_;
    int number_ = 0;
};

REGISTER_ON_BOTH_ENGINES(ApiKeyStoreTest);

}  // namespace api_key_store_test
}  // namespace otpgate::test
