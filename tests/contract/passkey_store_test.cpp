// Passkeys: what the first one does to the account, and who may add another.
#include "contract/session_store_test.h"
#include "otpgate/store/stores.h"

namespace otpgate::test {
namespace passkey_store_test {

using domain::PasskeyInsertion;
using Outcome = domain::PasskeySignInResult::Outcome;

template <class Engine>
class PasskeyStoreTest : public SessionStoreTest<PasskeyStoreTest<Engine>, Engine> {
    using Base = SessionStoreTest<PasskeyStoreTest<Engine>, Engine>;
    using Base::addPasskey;
    using Base::addSession;
    using Base::client;
    using Base::connection_;
    using Base::count;
    using Base::newId;
    using Base::now;
    using Base::only;
    using Base::session_;
    using Base::store_;
    using Base::user_;

    CPPUNIT_TEST_SUITE(PasskeyStoreTest);
    CPPUNIT_TEST(knowsAFactorFromAPasskeyThatIsNone);
    CPPUNIT_TEST(endsTheOtherSessionsWithTheFirstFactor);
    CPPUNIT_TEST(changesNothingByAPasskeyThatVerifiesNobody);
    CPPUNIT_TEST(addsNoneWithoutTheFactorThatIsThere);
    CPPUNIT_TEST(signsInByAFactorAlone);
    CPPUNIT_TEST(refreshesByTheFactorAlone);
    CPPUNIT_TEST(knowsTheFactorUntilTheLastOneIsGone);
    CPPUNIT_TEST(staysTrueHoweverManyAddAndRemove);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override {
        Base::setUp();
        passkeys_ = store::makePasskeyStore(*connection_);
    }

private:
    bool hasFactor() { return store_->findActive(session_, now()).value().user.hasFactor; }
    std::string methods(const Uuid& session) {
        return only("SELECT amr FROM sessions WHERE id = ?", {session}).text(0);
    }
    domain::NewPasskey newPasskey(const Uuid& session, bool verifies) {
        domain::Passkey passkey;
        passkey.id = newId();
        passkey.userId = passkey.userHandle = user_;
        passkey.credentialId = passkey.id.toString();
        passkey.key = {crypto::PasskeyAlgorithm::Es256, "key"};
        passkey.name = "Laptop";
        passkey.aaguid = std::string(16, '\0');
        passkey.verifiesUser = verifies;
        passkey.createdAt = now();
        return {.passkey = passkey,
                .challenge = {newId(), now() + std::chrono::minutes{5}},
                .sessionId = session,
                .methods = verifies ? "hwk user mfa" : "hwk user",
                .rpId = "localhost",
                .most = 20,
                .auditId = newId(),
                .client = client()};
    }
    PasskeyInsertion add(const Uuid& session, bool verifies) {
        return passkeys_->add(newPasskey(session, verifies)).outcome;
    }
    domain::PasskeySignInResult signIn(const Uuid& id, bool verified) {
        domain::PasskeySignIn signIn;
        signIn.passkey.id = id;
        signIn.passkey.userId = user_;
        signIn.challenge = {newId(), now() + std::chrono::minutes{5}};
        signIn.facts = crypto::AuthenticatorFacts{};
        signIn.facts->userVerified = verified;
        signIn.methods = verified ? "hwk user mfa" : "hwk user";
        signIn.clientBucket = domain::limitBucket("passkeys-client", "192.0.2.7");
        signIn.session.now = now();
        signIn.session.id = newId();
        signIn.session.lifetimes.idle = Base::kLifetime;
        signIn.session.newDeviceId = newId();
        signIn.session.client = client();
        signIn.auditId = newId();
        return passkeys_->signIn(signIn);
    }

    void knowsAFactorFromAPasskeyThatIsNone() {
        CPPUNIT_ASSERT(!hasFactor());
        addPasskey(user_, 0);
        addPasskey(Base::addUser("eve@example.org"), 1);
        CPPUNIT_ASSERT(!hasFactor());
        addPasskey(user_, 1);
        CPPUNIT_ASSERT(hasFactor());
    }

    void endsTheOtherSessionsWithTheFirstFactor() {
        const Uuid other = addSession(user_);
        const Uuid stranger = addSession(Base::addUser("eve@example.org"));
        CPPUNIT_ASSERT(add(session_, true) == PasskeyInsertion::Added);
        CPPUNIT_ASSERT(hasFactor());
        CPPUNIT_ASSERT_EQUAL(std::string{"hwk user mfa"}, methods(session_));
        CPPUNIT_ASSERT(!store_->findActive(other, now()));
        CPPUNIT_ASSERT(store_->findActive(stranger, now()));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("sessions WHERE revoked_reason = 'factor_added'"));
        // With the next one nobody loses his.
        const Uuid another = addSession(user_);
        CPPUNIT_ASSERT(add(session_, true) == PasskeyInsertion::Added);
        CPPUNIT_ASSERT(store_->findActive(another, now()));
    }

    void changesNothingByAPasskeyThatVerifiesNobody() {
        const Uuid other = addSession(user_);
        CPPUNIT_ASSERT(add(session_, false) == PasskeyInsertion::Added);
        CPPUNIT_ASSERT(!hasFactor());
        CPPUNIT_ASSERT_EQUAL(std::string{"otp"}, methods(session_));
        CPPUNIT_ASSERT(store_->findActive(other, now()));
    }

    // The route has asked before, and somebody else may have added one meanwhile.
    void addsNoneWithoutTheFactorThatIsThere() {
        const Uuid thief = addSession(user_);
        addPasskey(user_, 1);
        for (const bool verifies : {true, false}) {
            CPPUNIT_ASSERT(add(thief, verifies) == PasskeyInsertion::NeedsFactor);
        }
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("passkeys"));
        CPPUNIT_ASSERT_EQUAL(std::string{"otp"}, methods(thief));
    }

    void signsInByAFactorAlone() {
        const Uuid key = addPasskey(user_, 0);
        CPPUNIT_ASSERT(signIn(key, false).outcome == Outcome::SignedIn);
        CPPUNIT_ASSERT(!hasFactor());
        // Whatever it was when it was made, it verifies its user now.
        const auto sure = signIn(key, true);
        CPPUNIT_ASSERT(sure.outcome == Outcome::SignedIn);
        CPPUNIT_ASSERT(!store_->findActive(session_, now()));
        session_ = sure.signIn->sessionId;
        CPPUNIT_ASSERT(hasFactor());
        const auto refused = signIn(key, false);
        CPPUNIT_ASSERT(refused.outcome == Outcome::NeedsFactor && !refused.signIn);
        CPPUNIT_ASSERT(hasFactor());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("audit_events WHERE event = 'LOGIN_FAILED'"));
    }

    void refreshesByTheFactorAlone() {
        addPasskey(user_, 1);
        const auto outcome = [&] {
            return store_
                ->refresh({.sessionId = session_,
                           .counter = 0,
                           .now = now(),
                           .lifetimes = {},
                           .graceSince = now(),
                           .auditId = newId(),
                           .client = client()})
                .outcome;
        };
        CPPUNIT_ASSERT(outcome() == domain::SessionRefreshResult::Outcome::NeedsFactor);
        connection_->execute("UPDATE sessions SET amr = 'hwk user mfa' WHERE id = ?", {session_});
        CPPUNIT_ASSERT(outcome() == domain::SessionRefreshResult::Outcome::Rotated);
    }

    bool remove(const Uuid& id) {
        return passkeys_->remove({.id = id, .userId = user_, .now = now(), .auditId = newId(), .client = client()})
            .isDone;
    }

    void knowsTheFactorUntilTheLastOneIsGone() {
        CPPUNIT_ASSERT(add(session_, true) == PasskeyInsertion::Added);
        CPPUNIT_ASSERT(add(session_, true) == PasskeyInsertion::Added);
        CPPUNIT_ASSERT(add(session_, false) == PasskeyInsertion::Added);
        for (const auto& passkey : passkeys_->list(user_)) {
            CPPUNIT_ASSERT_EQUAL(count("passkeys WHERE verifies_user = 1") > 0, hasFactor());
            CPPUNIT_ASSERT(remove(passkey.id));
        }
        CPPUNIT_ASSERT(!hasFactor() && !remove(newId()));
    }

    // Half of them remove what is there, half add another.
    void staysTrueHoweverManyAddAndRemove() {
        std::vector<Uuid> there;
        for (int i = 0; i < 8; ++i) there.push_back(addPasskey(user_, 1));
        connection_->execute("UPDATE sessions SET amr = 'hwk user mfa' WHERE id = ?", {session_});
        std::vector<domain::NewPasskey> others;
        for (int i = 0; i < 8; ++i) others.push_back(newPasskey(session_, false));
        std::vector<domain::RemovedPasskey> removed;
        for (const Uuid& id : there) {
            removed.push_back({.id = id, .userId = user_, .now = now(), .auditId = newId(), .client = client()});
        }
        Base::onSixteenThreads([&](db::Connection& connection, std::size_t i) {
            const auto passkeys = store::makePasskeyStore(connection);
            if (i % 2 == 0) {
                passkeys->remove(removed.at(i / 2));
            } else {
                passkeys->add(others.at(i / 2));
            }
        });
        CPPUNIT_ASSERT_EQUAL(std::int64_t{8}, count("passkeys"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("passkeys WHERE verifies_user = 1"));
        CPPUNIT_ASSERT(!hasFactor());
    }

    std::unique_ptr<domain::PasskeyStore> passkeys_;
};

REGISTER_ON_BOTH_ENGINES(PasskeyStoreTest);

}  // namespace passkey_store_test
}  // namespace otpgate::test
