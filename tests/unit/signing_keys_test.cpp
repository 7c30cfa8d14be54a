#include "otpgate/domain/signing_keys.h"

#include "otpgate/base/errors.h"
#include "support_cpp/counting_random.h"
#include "support_cpp/fake_clock.h"
#include "support_cpp/fake_signing_key_store.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::domain {
namespace signing_keys_test {

using namespace std::chrono_literals;
using namespace std::string_literals;

const std::string kLineA = "otpgate1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
const std::string kLineB = "otpgate1:ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
constexpr auto kAccessLifetime = 15min;

class SigningKeysTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(SigningKeysTest);
    CPPUNIT_TEST(makesTheFirstKey);
    CPPUNIT_TEST(sealsWhatItStores);
    CPPUNIT_TEST(readsTheKeyThatIsThere);
    CPPUNIT_TEST(knowsNoKeyBeforeItHasRead);
    CPPUNIT_TEST(opensAKeyOnce);
    CPPUNIT_TEST(takesTheKeyOfTheProcessThatWasFaster);
    CPPUNIT_TEST(publishesTheNextKeyAhead);
    CPPUNIT_TEST(signsWithTheNextKeyOnceItIsActive);
    CPPUNIT_TEST(signsWithTheOldestKeyWhereNoneIsActiveYet);
    CPPUNIT_TEST(rotatesOnceAtATime);
    CPPUNIT_TEST(rotatesNotWhereAnotherProcessDid);
    CPPUNIT_TEST(makesTheFirstKeyByRotating);
    CPPUNIT_TEST(verifiesTheLastTokenOfAFormerKey);
    CPPUNIT_TEST(forgetsAKeyWhoseLastTokenIsDead);
    CPPUNIT_TEST(removesSpentKeysOnly);
    CPPUNIT_TEST(removesSeveralSpentKeys);
    CPPUNIT_TEST(forgetsKeysThatAreGoneFromTheStore);
    CPPUNIT_TEST(namesTheKeyThatDoesNotOpen);
    CPPUNIT_TEST(goesOnBesideAKeyThatDoesNotOpen);
    CPPUNIT_TEST(sealsAllKeysAnew);
    CPPUNIT_TEST(opensUnderAFormerMasterKey);
    CPPUNIT_TEST(keepsRsaKeysBesideTheOthers);
    CPPUNIT_TEST(listsThemWithTheirStates);
    CPPUNIT_TEST_SUITE_END();

    static crypto::KeyRing ring(const std::string& lines) { return crypto::KeyRing::parse(lines, "master.key"); }
    Timestamp now() const { return clock_.now(); }
    void reload(SigningKeys& keys) { keys.reload(store_, random_, now()); }
    std::string currentId(const SigningKeys& keys) const { return keys.current(now())->id(); }
    std::size_t published(const SigningKeys& keys) const {
        const std::string jwks = keys.jwks(now());
        CPPUNIT_ASSERT(jwks.starts_with("{\"keys\":[") && jwks.ends_with("]}"));
        std::size_t count = 0;
        for (auto at = jwks.find("\"kid\""); at != std::string::npos; at = jwks.find("\"kid\"", at + 1)) ++count;
        return count;
    }
    // The keys after the first and one rotation; the clock stands where the second becomes active.
    std::string rotated(SigningKeys& keys) {
        reload(keys);
        std::string first = currentId(keys);
        CPPUNIT_ASSERT(keys.rotate(store_, random_, now()));
        reload(keys);
        clock_.advance(SigningKeys::kPublishedAhead);
        CPPUNIT_ASSERT(currentId(keys) != first);
        return first;
    }

    void makesTheFirstKey() {
        SigningKeys keys(ring_, kAccessLifetime);
        reload(keys);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store_.keys.size());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, store_.keys[0].sequence);
        CPPUNIT_ASSERT(store_.keys[0].createdAt == now());
        CPPUNIT_ASSERT(store_.keys[0].activeFrom == now());
        CPPUNIT_ASSERT_EQUAL(store_.keys[0].keyId, currentId(keys));
        CPPUNIT_ASSERT(keys.find(currentId(keys), now()) == keys.current(now()));
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, published(keys));
        reload(keys);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store_.keys.size());
    }

    void sealsWhatItStores() {
        SigningKeys keys(ring_, kAccessLifetime);
        reload(keys);
        const auto& stored = store_.keys.at(0);
        CPPUNIT_ASSERT(stored.sealedPem.find("PRIVATE KEY") == std::string::npos);
        CPPUNIT_ASSERT(crypto::open(ring_, stored.sealedPem, stored.keyId).value().find("PRIVATE KEY") !=
                       std::string::npos);
        // Bound to its id: a row cannot take the place of another.
        CPPUNIT_ASSERT(!crypto::open(ring_, stored.sealedPem, "another"));
    }

    void readsTheKeyThatIsThere() {
        SigningKeys first(ring_, kAccessLifetime);
        SigningKeys second(ring_, kAccessLifetime);
        reload(first);
        reload(second);
        CPPUNIT_ASSERT_EQUAL(currentId(first), currentId(second));
        CPPUNIT_ASSERT_EQUAL(first.jwks(now()), second.jwks(now()));
        crypto::AccessClaims claims;
        claims.issuer = "i";
        claims.audience = "a";
        claims.issuedAt = now();
        claims.expiresAt = now() + 1min;
        const std::string token = first.current(now())->sign(claims);
        CPPUNIT_ASSERT(crypto::verifyAccessToken(token, *second.current(now()), "i", "a", now()));
    }

    void knowsNoKeyBeforeItHasRead() {
        const SigningKeys keys(ring_, kAccessLifetime);
        CPPUNIT_ASSERT_THROW(keys.current(now()), ServiceUnavailable);
        CPPUNIT_ASSERT(!keys.find("x", now()));
        CPPUNIT_ASSERT_EQUAL("{\"keys\":[]}"s, keys.jwks(now()));
    }

    void opensAKeyOnce() {
        SigningKeys keys(ring_, kAccessLifetime);
        reload(keys);
        const auto key = keys.current(now());
        reload(keys);
        CPPUNIT_ASSERT(key == keys.current(now()));
    }

    void takesTheKeyOfTheProcessThatWasFaster() {
        SigningKeys slow(ring_, kAccessLifetime);
        SigningKeys fast(ring_, kAccessLifetime);
        store_.beforeAdd = [&] { reload(fast); };
        reload(slow);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store_.keys.size());
        CPPUNIT_ASSERT_EQUAL(currentId(fast), currentId(slow));
    }

    void publishesTheNextKeyAhead() {
        SigningKeys keys(ring_, kAccessLifetime);
        reload(keys);
        const std::string first = currentId(keys);
        clock_.advance(1h);
        CPPUNIT_ASSERT(keys.rotate(store_, random_, now()));
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, store_.keys.size());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, store_.keys[1].sequence);
        CPPUNIT_ASSERT(store_.keys[1].activeFrom == now() + 10min);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, published(keys));  // known at the next reading
        reload(keys);
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, published(keys));
        CPPUNIT_ASSERT(keys.find(store_.keys[1].keyId, now()));
        CPPUNIT_ASSERT_EQUAL(first, currentId(keys));
    }

    void signsWithTheNextKeyOnceItIsActive() {
        SigningKeys keys(ring_, kAccessLifetime);
        reload(keys);
        const std::string first = currentId(keys);
        keys.rotate(store_, random_, now());
        reload(keys);
        clock_.advance(10min - 1us);
        CPPUNIT_ASSERT_EQUAL(first, currentId(keys));
        clock_.advance(1us);
        CPPUNIT_ASSERT_EQUAL(store_.keys[1].keyId, currentId(keys));
    }

    // Made by a host whose clock is ahead of ours, with the next one too.
    void signsWithTheOldestKeyWhereNoneIsActiveYet() {
        SigningKeys keys(ring_, kAccessLifetime);
        reload(keys);
        CPPUNIT_ASSERT(keys.rotate(store_, random_, now()));
        const std::string first = store_.keys.at(0).keyId;
        clock_.advance(-30s);
        SigningKeys behind(ring_, kAccessLifetime);
        reload(behind);
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, store_.keys.size());
        CPPUNIT_ASSERT_EQUAL(first, currentId(behind));
        CPPUNIT_ASSERT(behind.find(first, now()));
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, published(behind));
        clock_.advance(30s + SigningKeys::kPublishedAhead);
        CPPUNIT_ASSERT_EQUAL(store_.keys.at(1).keyId, currentId(behind));
    }

    void rotatesOnceAtATime() {
        SigningKeys keys(ring_, kAccessLifetime);
        reload(keys);
        CPPUNIT_ASSERT(keys.rotate(store_, random_, now()));
        CPPUNIT_ASSERT(!keys.rotate(store_, random_, now()));
        clock_.advance(10min - 1us);
        CPPUNIT_ASSERT(!keys.rotate(store_, random_, now()));
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, store_.keys.size());
        clock_.advance(1us);
        CPPUNIT_ASSERT(keys.rotate(store_, random_, now()));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{3}, store_.keys[2].sequence);
    }

    void rotatesNotWhereAnotherProcessDid() {
        SigningKeys keys(ring_, kAccessLifetime);
        reload(keys);
        store_.beforeAdd = [&] { CPPUNIT_ASSERT(SigningKeys(ring_, kAccessLifetime).rotate(store_, random_, now())); };
        CPPUNIT_ASSERT(!keys.rotate(store_, random_, now()));
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, store_.keys.size());
    }

    void makesTheFirstKeyByRotating() {
        SigningKeys keys(ring_, kAccessLifetime);
        CPPUNIT_ASSERT(keys.rotate(store_, random_, now()));
        reload(keys);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store_.keys.size());
        CPPUNIT_ASSERT_EQUAL(store_.keys[0].keyId, currentId(keys));
    }

    void verifiesTheLastTokenOfAFormerKey() {
        SigningKeys keys(ring_, kAccessLifetime);
        const std::string first = rotated(keys);
        clock_.advance(kAccessLifetime);
        CPPUNIT_ASSERT(keys.find(first, now()));
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, published(keys));
        // And for as long again as it may take until every process has changed keys.
        clock_.advance(5min - 1us);
        CPPUNIT_ASSERT(keys.find(first, now()));
    }

    void forgetsAKeyWhoseLastTokenIsDead() {
        SigningKeys keys(ring_, kAccessLifetime);
        const std::string first = rotated(keys);
        clock_.advance(kAccessLifetime + 5min);
        CPPUNIT_ASSERT(!keys.find(first, now()));
        CPPUNIT_ASSERT(keys.find(currentId(keys), now()));
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, published(keys));
        CPPUNIT_ASSERT(keys.jwks(now()).find(first) == std::string::npos);
    }

    void removesSpentKeysOnly() {
        SigningKeys keys(ring_, kAccessLifetime);
        rotated(keys);
        clock_.advance(kAccessLifetime + 5min - 1us);
        keys.removeSpent(store_, now());
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, store_.keys.size());
        clock_.advance(1us);
        keys.removeSpent(store_, now());
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store_.keys.size());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, store_.keys[0].sequence);
        // The last one stays, however old.
        reload(keys);
        clock_.advance(24h * 10'000);
        keys.removeSpent(store_, now());
        reload(keys);
        CPPUNIT_ASSERT_EQUAL(store_.keys.at(0).keyId, currentId(keys));
        CPPUNIT_ASSERT(keys.rotate(store_, random_, now()));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{3}, store_.keys.at(1).sequence);
    }

    void removesSeveralSpentKeys() {
        SigningKeys keys(ring_, kAccessLifetime);
        reload(keys);
        for (int i = 0; i < 3; ++i) {
            keys.rotate(store_, random_, now());
            clock_.advance(10min);
        }
        reload(keys);
        // Each signed for ten minutes. The fourth begins now; the last token of the first has just died.
        CPPUNIT_ASSERT_EQUAL(std::size_t{3}, published(keys));
        clock_.advance(15min);
        keys.removeSpent(store_, now());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{3}, store_.keys.at(0).sequence);
        reload(keys);
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, published(keys));
    }

    void forgetsKeysThatAreGoneFromTheStore() {
        SigningKeys keys(ring_, kAccessLifetime);
        const std::string first = rotated(keys);
        store_.removeUpTo(1);
        reload(keys);
        CPPUNIT_ASSERT(!keys.find(first, now()));
        CPPUNIT_ASSERT_EQUAL(store_.keys.at(0).keyId, currentId(keys));
    }

    void namesTheKeyThatDoesNotOpen() {
        SigningKeys keys(ring_, kAccessLifetime);
        reload(keys);
        const auto otherRing = ring(kLineB);
        SigningKeys wrong(otherRing, kAccessLifetime);
        try {
            reload(wrong);
            CPPUNIT_FAIL("it opened");
        } catch (const ConfigurationError& error) {
            const std::string message = error.what();
            CPPUNIT_ASSERT_MESSAGE(message, message.find(store_.keys.at(0).keyId) != std::string::npos);
            CPPUNIT_ASSERT_MESSAGE(message, message.find("master key") != std::string::npos);
        }
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store_.keys.size());
    }

    // The fault: one that another host had sealed with a master key of its own stopped this one for good.
    void goesOnBesideAKeyThatDoesNotOpen() {
        SigningKeys keys(ring_, kAccessLifetime);
        reload(keys);
        auto broken = store_.keys.at(0);
        broken.sequence = 2;
        broken.keyId = "broken";
        store_.add(broken);
        reload(keys);
        CPPUNIT_ASSERT_EQUAL(store_.keys.at(0).keyId, currentId(keys));
        CPPUNIT_ASSERT((keys.unopened() == std::vector<std::string>{"broken"}));
        CPPUNIT_ASSERT_THROW(keys.requireOpens(broken), ConfigurationError);
        store_.keys.pop_back();
        reload(keys);
        CPPUNIT_ASSERT(keys.unopened().empty());
    }

    void sealsAllKeysAnew() {
        SigningKeys keys(ring_, kAccessLifetime);
        rotated(keys);
        const auto both = ring(kLineB + kLineA);
        SigningKeys(both, kAccessLifetime).reseal(store_, random_);
        const auto next = ring(kLineB);
        SigningKeys later(next, kAccessLifetime);
        for (const auto& key : store_.keys) later.requireOpens(key);
        CPPUNIT_ASSERT_THROW(keys.requireOpens(store_.keys.at(0)), ConfigurationError);
    }

    void opensUnderAFormerMasterKey() {
        SigningKeys keys(ring_, kAccessLifetime);
        reload(keys);
        const auto both = ring(kLineB + kLineA);
        SigningKeys later(both, kAccessLifetime);
        reload(later);
        CPPUNIT_ASSERT_EQUAL(currentId(keys), currentId(later));
    }

    void listsThemWithTheirStates() {
        SigningKeys keys(ring_, kAccessLifetime);
        CPPUNIT_ASSERT(keys.list(now()).empty());
        const std::string first = rotated(keys);
        CPPUNIT_ASSERT(keys.rotate(store_, random_, now()));
        reload(keys);
        const auto listed = keys.list(now());
        CPPUNIT_ASSERT_EQUAL(std::size_t{3}, listed.size());
        CPPUNIT_ASSERT_EQUAL(first, listed[0].keyId);
        CPPUNIT_ASSERT(listed[0].state == KeyState::Former && listed[2].state == KeyState::Next);
        CPPUNIT_ASSERT(listed[1].state == KeyState::Current && listed[1].keyId == currentId(keys));
        CPPUNIT_ASSERT(listed[1].algorithm == crypto::SigningAlgorithm::Es256 && listed[1].activeFrom == now());
        CPPUNIT_ASSERT((std::vector{KeyState::Next}) == statesOf({now() + 1us}, now()));
        CPPUNIT_ASSERT(statesOf({}, now()).empty());
    }

    void keepsRsaKeysBesideTheOthers() {
        SigningKeys keys(ring_, kAccessLifetime);
        reload(keys);
        test::FakeSigningKeyStore idStore;
        SigningKeys idKeys(ring_, kAccessLifetime, crypto::SigningAlgorithm::Rs256);
        idKeys.reload(idStore, random_, clock_.now());
        CPPUNIT_ASSERT(idKeys.current(clock_.now())->algorithm() == crypto::SigningAlgorithm::Rs256);
        const std::string both = keys.jwks(clock_.now(), &idKeys);
        CPPUNIT_ASSERT(both.find(R"("alg":"ES256")") != std::string::npos);
        CPPUNIT_ASSERT(both.find(R"(},{"kty":"RSA")") != std::string::npos);
        // Another process reads the same one.
        SigningKeys other(ring_, kAccessLifetime, crypto::SigningAlgorithm::Rs256);
        other.reload(idStore, random_, clock_.now());
        CPPUNIT_ASSERT_EQUAL(currentId(idKeys), currentId(other));
    }

    const crypto::KeyRing ring_ = ring(kLineA);
    test::FakeClock clock_;
    test::CountingRandom random_;
    test::FakeSigningKeyStore store_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(SigningKeysTest);

}  // namespace signing_keys_test
}  // namespace otpgate::domain
