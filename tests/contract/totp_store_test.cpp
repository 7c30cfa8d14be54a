// Authenticator apps: what the first one does to the account, and that a code of one is taken once.
#include "contract/session_store_test.h"
#include "otpgate/domain/short_codes.h"
#include "otpgate/domain/totp_rules.h"
#include "otpgate/store/stores.h"

#include <algorithm>

namespace otpgate::test {
namespace totp_store_test {

using domain::TotpInsertion;
using Outcome = domain::SecondStepResult::Outcome;

template <class Engine>
class TotpStoreTest : public SessionStoreTest<TotpStoreTest<Engine>, Engine> {
    using Base = SessionStoreTest<TotpStoreTest<Engine>, Engine>;
    using Base::addSession;
    using Base::client;
    using Base::clock_;
    using Base::connection_;
    using Base::count;
    using Base::newId;
    using Base::now;
    using Base::only;
    using Base::session_;
    using Base::store_;
    using Base::user_;

    CPPUNIT_TEST_SUITE(TotpStoreTest);
    CPPUNIT_TEST(protectsTheAccountFromTheFirstToTheLast);
    CPPUNIT_TEST(staysAFactorBesideAPasskey);
    CPPUNIT_TEST(addsNoneWithoutTheFactorThatIsThere);
    CPPUNIT_TEST(addsFiveAndEachOnce);
    CPPUNIT_TEST(signsInByTheSecondStep);
    CPPUNIT_TEST(takesAStepOnceOfSixteen);
    CPPUNIT_TEST(takesATokenOnce);
    CPPUNIT_TEST(countsWrongOnesInTheBudgetOfCodesToo);
    CPPUNIT_TEST(takesNoneAfterAHundredInARow);
    CPPUNIT_TEST(signsInNobodyWhoIsDisabledOrGone);
    CPPUNIT_TEST(sealsAnewWhatHasNotChanged);
    CPPUNIT_TEST(countsRecoveryCodesOnceTheyWereKept);
    CPPUNIT_TEST(takesARecoveryCodeOnceOfSixteen);
    CPPUNIT_TEST(endsASessionOfTwoFactorsSooner);
    CPPUNIT_TEST(trustsTheDeviceUntilSomethingEndsIt);
    CPPUNIT_TEST(letsInToAddAFactorWhoMustHaveOne);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override {
        Base::setUp();
        totps_ = store::makeTotpStore(*connection_);
        recovery_ = store::makeRecoveryStore(*connection_);
    }

private:
    domain::User user() { return store_->findActive(session_, now()).value().user; }
    std::string methods(const Uuid& session) {
        return only("SELECT amr FROM sessions WHERE id = ?", {session}).text(0);
    }
    domain::NewTotp newTotp(const Uuid& session) {
        return {.totp = {.id = newId(),
                         .userId = user_,
                         .sealedSecret = "sealed",
                         .name = "Phone",
                         .lastStep = 100,
                         .createdAt = now(),
                         .lastUsedAt = std::nullopt},
                .sessionId = session,
                .most = 5,
                .auditId = newId(),
                .client = client()};
    }
    TotpInsertion add(const Uuid& session) {
        auto totp = newTotp(session);
        last_ = totp.totp.id;
        return totps_->add(totp).outcome;
    }
    bool remove(const Uuid& id) {
        return totps_->remove({.id = id, .userId = user_, .now = now(), .auditId = newId(), .client = client()}).isDone;
    }
    domain::SecondStepGuess guessAt(std::int64_t step, std::string_view limit = "1000/1h") {
        domain::SecondStepGuess guess;
        guess.pending = {newId(), {user_, "pwd otp", firstBucket_}, now() + domain::kSecondStepLifetime};
        if (step > 0) guess.proof.match = {{last_, step}};
        guess.guessRule = rule(limit);
        guess.bucket = domain::limitBucket("second-step", user_.bytes());
        guess.deviceBucket = domain::limitBucket("second-step-device", user_.bytes());
        guess.session.id = newId();
        guess.session.now = now();
        guess.session.lifetimes.idle = Base::kLifetime;
        guess.session.newDeviceId = newId();
        guess.session.client = client();
        guess.auditId = newId();
        return guess;
    }
    Outcome outcomeOf(const domain::SecondStepGuess& guess) { return totps_->guess(guess).outcome; }

    void protectsTheAccountFromTheFirstToTheLast() {
        const Uuid other = addSession(user_);
        CPPUNIT_ASSERT(add(session_) == TotpInsertion::Added);
        CPPUNIT_ASSERT(user().hasFactor && user().hasTotp && !user().hasVerifyingPasskey);
        CPPUNIT_ASSERT_EQUAL(std::string{"otp totp"}, methods(session_));
        CPPUNIT_ASSERT(!store_->findActive(other, now()));
        const Uuid first = last_;
        const Uuid another = addSession(user_);
        CPPUNIT_ASSERT(add(session_) == TotpInsertion::Added);
        CPPUNIT_ASSERT(store_->findActive(another, now()));
        CPPUNIT_ASSERT(totps_->list(user_).size() == 2 && totps_->list(user_)[0].id == first);
        CPPUNIT_ASSERT(remove(first) && user().hasTotp);
        CPPUNIT_ASSERT(!remove(first) && remove(last_) && !user().hasFactor && !user().hasTotp);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, count("audit_events WHERE event = 'AUTHENTICATOR_ADDED'"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, count("audit_events WHERE event = 'AUTHENTICATOR_REMOVED'"));
    }

    void staysAFactorBesideAPasskey() {
        CPPUNIT_ASSERT(add(session_) == TotpInsertion::Added);
        const Uuid passkey = Base::addPasskey(user_, 1);
        CPPUNIT_ASSERT(add(session_) == TotpInsertion::Added);
        CPPUNIT_ASSERT(user().hasTotp && user().hasVerifyingPasskey);
        CPPUNIT_ASSERT(
            store::makePasskeyStore(*connection_)
                ->remove({.id = passkey, .userId = user_, .now = now(), .auditId = newId(), .client = client()})
                .isDone);
        CPPUNIT_ASSERT(user().hasTotp && !user().hasVerifyingPasskey);
    }

    void addsNoneWithoutTheFactorThatIsThere() {
        const Uuid thief = addSession(user_);
        Base::addPasskey(user_, 1);
        CPPUNIT_ASSERT(add(thief) == TotpInsertion::NeedsFactor);
        connection_->execute("UPDATE sessions SET revoked_at_us = 1 WHERE id = ?", {thief});
        CPPUNIT_ASSERT(add(thief) == TotpInsertion::SessionEnded);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("totps"));
    }

    void addsFiveAndEachOnce() {
        const auto totp = newTotp(session_);
        CPPUNIT_ASSERT(totps_->add(totp).outcome == TotpInsertion::Added);
        CPPUNIT_ASSERT(totps_->add(totp).outcome == TotpInsertion::KnownAlready);
        for (int i = 0; i < 4; ++i) CPPUNIT_ASSERT(add(session_) == TotpInsertion::Added);
        CPPUNIT_ASSERT(add(session_) == TotpInsertion::TooMany);
    }

    void signsInByTheSecondStep() {
        CPPUNIT_ASSERT(add(session_) == TotpInsertion::Added);
        // The step that it was added with is none for a sign-in.
        CPPUNIT_ASSERT(outcomeOf(guessAt(100)) == Outcome::Wrong);
        const auto guess = guessAt(101);
        const auto result = totps_->guess(guess);
        CPPUNIT_ASSERT(result.outcome == Outcome::SignedIn && result.signIn->sessionId == guess.session.id);
        CPPUNIT_ASSERT_EQUAL(std::string{"pwd otp totp mfa"}, methods(guess.session.id));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("devices WHERE id = ?", {guess.session.newDeviceId}));
        CPPUNIT_ASSERT(totps_->list(user_)[0].lastUsedAt == now() && totps_->list(user_)[0].lastStep == 101);
        CPPUNIT_ASSERT(outcomeOf(guessAt(101)) == Outcome::Wrong && outcomeOf(guessAt(0)) == Outcome::Wrong);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{3}, count("audit_events WHERE event = 'LOGIN_FAILED'"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("audit_events WHERE event = 'LOGIN_SUCCEEDED'"));
    }

    void takesAStepOnceOfSixteen() {
        CPPUNIT_ASSERT(add(session_) == TotpInsertion::Added);
        std::vector<domain::SecondStepGuess> guesses;
        for (std::size_t i = 0; i < Base::kThreads; ++i) guesses.push_back(guessAt(101));
        std::vector<Outcome> outcomes(guesses.size());
        Base::onSixteenThreads([&](db::Connection& connection, std::size_t i) {
            outcomes.at(i) = store::makeTotpStore(connection)->guess(guesses.at(i)).outcome;
        });
        CPPUNIT_ASSERT(std::ranges::count(outcomes, Outcome::SignedIn) == 1);
        CPPUNIT_ASSERT(std::ranges::count(outcomes, Outcome::Wrong) == 15);
    }

    void takesATokenOnce() {
        CPPUNIT_ASSERT(add(session_) == TotpInsertion::Added);
        auto first = guessAt(101);
        auto second = guessAt(102);
        second.pending = first.pending;
        CPPUNIT_ASSERT(outcomeOf(first) == Outcome::SignedIn && outcomeOf(second) == Outcome::TokenUsed);
    }

    // The thief of a mailbox has a new code as often as he likes, and guesses at the app no oftener for it.
    void countsWrongOnesInTheBudgetOfCodesToo() {
        CPPUNIT_ASSERT(add(session_) == TotpInsertion::Added);
        CPPUNIT_ASSERT(outcomeOf(guessAt(0, "2/1h")) == Outcome::Wrong);
        connection_->execute("DELETE FROM rate_limits WHERE bucket = ?",
                             {db::Param::blob(domain::limitBucket("second-step", user_.bytes()))});
        CPPUNIT_ASSERT(outcomeOf(guessAt(0, "2/1h")) == Outcome::Wrong);
        CPPUNIT_ASSERT(outcomeOf(guessAt(101, "2/1h")) == Outcome::BudgetExhausted);
        firstBucket_ = domain::limitBucket("guess", "another@example.org");
        CPPUNIT_ASSERT(outcomeOf(guessAt(0, "2/1h")) == Outcome::Wrong);
        firstBucket_ = domain::limitBucket("guess", "a-third@example.org");
        CPPUNIT_ASSERT(outcomeOf(guessAt(101, "2/1h")) == Outcome::BudgetExhausted);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, count("audit_events WHERE event = 'OTP_LOCKED'"));
        clock_.advance(std::chrono::hours{2});
        CPPUNIT_ASSERT(outcomeOf(guessAt(101, "2/1h")) == Outcome::SignedIn);
    }

    void takesNoneAfterAHundredInARow() {
        CPPUNIT_ASSERT(add(session_) == TotpInsertion::Added);
        CPPUNIT_ASSERT(outcomeOf(guessAt(0)) == Outcome::Wrong);
        connection_->execute(
            "UPDATE rate_limits SET failures = ? WHERE bucket = ?",
            {domain::kMostFailures - 1, db::Param::blob(domain::limitBucket("second-step", user_.bytes()))});
        CPPUNIT_ASSERT(outcomeOf(guessAt(101)) == Outcome::SignedIn);
        CPPUNIT_ASSERT(outcomeOf(guessAt(0)) == Outcome::Wrong);
        connection_->execute(
            "UPDATE rate_limits SET failures = ? WHERE bucket = ?",
            {domain::kMostFailures - 1, db::Param::blob(domain::limitBucket("second-step", user_.bytes()))});
        CPPUNIT_ASSERT(outcomeOf(guessAt(0)) == Outcome::Wrong);
        CPPUNIT_ASSERT(outcomeOf(guessAt(102)) == Outcome::TooManyFailures);
    }

    void signsInNobodyWhoIsDisabledOrGone() {
        CPPUNIT_ASSERT(add(session_) == TotpInsertion::Added);
        auto stranger = guessAt(101);
        stranger.pending.first.userId = newId();
        CPPUNIT_ASSERT(outcomeOf(stranger) == Outcome::Unknown);
        auto others = guessAt(101);
        others.pending.first.userId = Base::addUser("eve@example.org");
        CPPUNIT_ASSERT(outcomeOf(others) == Outcome::Wrong);
        connection_->execute("UPDATE users SET status = 'disabled' WHERE id = ?", {user_});
        CPPUNIT_ASSERT(outcomeOf(guessAt(101)) == Outcome::AccountDisabled);
    }

    void sealsAnewWhatHasNotChanged() {
        CPPUNIT_ASSERT(add(session_) == TotpInsertion::Added);
        CPPUNIT_ASSERT((totps_->sealedSecrets({}, 10) ==
                        std::vector<std::pair<Uuid, std::string>>{{last_, std::string{"sealed"}}}));
        CPPUNIT_ASSERT(totps_->sealedSecrets(last_, 10).empty());
        totps_->reseal(last_, "another", "lost");
        totps_->reseal(last_, "sealed", "anew");
        CPPUNIT_ASSERT_EQUAL(std::string{"anew"}, totps_->list(user_)[0].sealedSecret);
    }

    std::vector<domain::StoredRecoveryCode> propose() {
        std::vector<domain::StoredRecoveryCode> codes;
        for (unsigned i = 0; i < 2; ++i) {
            codes.push_back({.id = newId(),
                             .userId = user_,
                             .number = i,
                             .hash = "hash",
                             .isConfirmed = false,
                             .createdAt = now(),
                             .usedAt = std::nullopt});
        }
        recovery_->propose(user_, codes);
        return codes;
    }
    bool confirm(const Uuid& code) {
        return recovery_
            ->confirm({.userId = user_, .codeId = code, .now = now(), .auditId = newId(), .client = client()})
            .isDone;
    }
    domain::SecondStepGuess guessBy(const Uuid& code) {
        auto guess = guessAt(0);
        guess.proof.isRecovery = true;
        guess.proof.recoveryCode = code;
        guess.recoveryAuditId = newId();
        guess.proof.notice = domain::NoticeDraft{.id = newId(),
                                                 .kind = domain::MessageKind::RecoveryCodeUsed,
                                                 .facts = {},
                                                 .requestId = {},
                                                 .createdAt = now(),
                                                 .expiresAt = now() + std::chrono::hours{24},
                                                 .availableAt = now()};
        return guess;
    }

    void countsRecoveryCodesOnceTheyWereKept() {
        CPPUNIT_ASSERT(add(session_) == TotpInsertion::Added);
        const auto lost = propose();
        const auto first = propose();
        CPPUNIT_ASSERT(recovery_->list(user_).size() == 2 && !user().hasRecoveryCodes);
        CPPUNIT_ASSERT(outcomeOf(guessBy(first[0].id)) == Outcome::Wrong);
        CPPUNIT_ASSERT(!confirm(lost[0].id) && confirm(first[1].id) && user().hasRecoveryCodes);
        // Others that were made and not kept change nothing of those.
        propose();
        const auto by = guessBy(first[0].id);
        const auto result = totps_->guess(by);
        CPPUNIT_ASSERT(result.outcome == Outcome::SignedIn);
        CPPUNIT_ASSERT_EQUAL(std::string{"pwd otp rc"}, methods(by.session.id));
        CPPUNIT_ASSERT(result.notices.back().notice.codesLeft == 1);
        CPPUNIT_ASSERT(outcomeOf(guessBy(first[0].id)) == Outcome::Wrong);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("audit_events WHERE event = 'RECOVERY_CODE_USED'"));
        // It adds a factor, and is as good as that from then on.
        CPPUNIT_ASSERT(add(by.session.id) == TotpInsertion::Added);
        CPPUNIT_ASSERT_EQUAL(std::string{"pwd otp totp mfa"}, methods(by.session.id));
        CPPUNIT_ASSERT(user().hasRecoveryCodes);
        CPPUNIT_ASSERT(outcomeOf(guessBy(first[1].id)) == Outcome::SignedIn && !user().hasRecoveryCodes);
        // New ones take the place of all before.
        const auto second = propose();
        CPPUNIT_ASSERT(confirm(second[0].id) && user().hasRecoveryCodes);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, count("recovery_codes"));
    }

    void takesARecoveryCodeOnceOfSixteen() {
        CPPUNIT_ASSERT(add(session_) == TotpInsertion::Added);
        const Uuid code = propose()[0].id;
        CPPUNIT_ASSERT(confirm(code));
        std::vector<domain::SecondStepGuess> guesses;
        for (std::size_t i = 0; i < Base::kThreads; ++i) guesses.push_back(guessBy(code));
        std::vector<Outcome> outcomes(guesses.size());
        Base::onSixteenThreads([&](db::Connection& connection, std::size_t i) {
            outcomes.at(i) = store::makeTotpStore(connection)->guess(guesses.at(i)).outcome;
        });
        CPPUNIT_ASSERT(std::ranges::count(outcomes, Outcome::SignedIn) == 1);
    }

    Timestamp endOf(const Uuid& session) {
        return only("SELECT expires_at_us FROM sessions WHERE id = ?", {session}).timestamp(0);
    }

    void endsASessionOfTwoFactorsSooner() {
        connection_->execute("UPDATE sessions SET amr = 'pwd otp'", {});
        CPPUNIT_ASSERT(endOf(session_) == now() + Base::kLifetime);
        CPPUNIT_ASSERT(add(session_) == TotpInsertion::Added);
        CPPUNIT_ASSERT(endOf(session_) == now() + domain::SessionLifetimes{}.aal2Idle);
        auto guess = guessAt(101);
        CPPUNIT_ASSERT(outcomeOf(guess) == Outcome::SignedIn);
        CPPUNIT_ASSERT(endOf(guess.session.id) == now() + domain::SessionLifetimes{}.aal2Idle);
        guess = guessAt(102);
        guess.pending.first.methods = "otp";
        CPPUNIT_ASSERT(outcomeOf(guess) == Outcome::SignedIn);
        CPPUNIT_ASSERT(endOf(guess.session.id) == now() + Base::kLifetime);
    }

    void trustsTheDeviceUntilSomethingEndsIt() {
        CPPUNIT_ASSERT(add(session_) == TotpInsertion::Added);
        std::int64_t step = 100;
        const auto signIn = [&](domain::ShownDevice shown, bool trusts) {
            auto guess = guessAt(++step);
            guess.session.shownDevice = shown;
            guess.session.device.installId = "install-1";
            guess.session.trustsDevice = trusts;
            const auto result = totps_->guess(guess);
            CPPUNIT_ASSERT(result.outcome == Outcome::SignedIn);
            return *result.signIn;
        };
        const auto isTrusted = [&](const Uuid& device) {
            return count("devices WHERE id = ? AND trusted_since_us IS NOT NULL", {device}) == 1;
        };
        const Uuid before = signIn(std::nullopt, false).deviceId;
        CPPUNIT_ASSERT(!isTrusted(before));
        // One of that name is there: somebody else may have its token.
        const auto trusted = signIn(std::nullopt, true);
        const Uuid device = trusted.deviceId;
        CPPUNIT_ASSERT(device != before && isTrusted(device) && !isTrusted(before));
        CPPUNIT_ASSERT(signIn(device, false).deviceId == device && isTrusted(device));
        const auto again = [&] { CPPUNIT_ASSERT(signIn(device, true).deviceId == device && isTrusted(device)); };

        CPPUNIT_ASSERT(add(session_) == TotpInsertion::Added && !isTrusted(device));
        last_ = totps_->list(user_)[0].id;
        again();
        CPPUNIT_ASSERT(remove(totps_->list(user_)[1].id) && !isTrusted(device));
        again();
        // Signing out everywhere, a new password and an administrator end all sessions but one at most.
        store_->revokeAll({user_, trusted.sessionId, "logout_all", now(), newId(), client()});
        CPPUNIT_ASSERT(!isTrusted(device));
        again();
        CPPUNIT_ASSERT(Base::revoke(trusted.sessionId, user_, domain::DeviceFate::Forget));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("devices WHERE id = ? AND revoked_at_us IS NULL", {device}));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{4}, count("audit_events WHERE metadata LIKE '%\"device\":\"trusted\"%'"));
    }

    void letsInToAddAFactorWhoMustHaveOne() {
        domain::SignInRule rule;
        auto guess = guessAt(0);
        guess.proof.addsFactor = true;
        CPPUNIT_ASSERT(outcomeOf(guess) == Outcome::Unknown);
        guess.signIn = &rule;
        CPPUNIT_ASSERT(outcomeOf(guess) == Outcome::Unknown);
        rule.factors = {.whom = domain::FactorRule::Whom::Everybody, .grace = std::chrono::seconds{0}};
        CPPUNIT_ASSERT(outcomeOf(guess) == Outcome::SignedIn);
        CPPUNIT_ASSERT_EQUAL(std::string{"pwd otp"}, methods(guess.session.id));
        CPPUNIT_ASSERT(outcomeOf(guess) == Outcome::TokenUsed);
        // Whoever has one shows that, whatever token he has from before.
        guess.pending.id = newId();
        CPPUNIT_ASSERT(add(session_) == TotpInsertion::Added);
        CPPUNIT_ASSERT(outcomeOf(guess) == Outcome::Unknown);
    }

    std::unique_ptr<domain::TotpStore> totps_;
    std::unique_ptr<domain::RecoveryStore> recovery_;
    Uuid last_;
    std::string firstBucket_ = domain::limitBucket("guess", "ann@example.org");
};

REGISTER_ON_BOTH_ENGINES(TotpStoreTest);

}  // namespace totp_store_test
}  // namespace otpgate::test
