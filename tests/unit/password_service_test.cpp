// What is counted, compared, given back and made anew when a password is checked.
#include "otpgate/domain/password_service.h"

#include "otpgate/base/errors.h"
#include "otpgate/domain/otp_rules.h"
#include "support_cpp/counted.h"
#include "support_cpp/counting_random.h"
#include "support_cpp/fake_account_store.h"
#include "support_cpp/fake_clock.h"
#include "support_cpp/fake_messenger.h"
#include "support_cpp/fake_otp_store.h"

#include <cppunit/extensions/HelperMacros.h>

#include <future>
#include <latch>
#include <utility>
#include <vector>

namespace otpgate::domain {
namespace password_service_test {

const std::string kPassword = "correct horse battery staple";
// PBKDF2 of it with one iteration and the salt "salt", as Django writes it.
const std::string kImported = "pbkdf2_sha256$1$salt$ouhwH5QjXU2O1gHvuMrHWhFGwGQ8zEmYRlu7N1suuDo=";

using test::FakeAccountStore;
using test::FakeMessenger;

// Stops whoever makes a salt, once it is told to, until it is let go.
class HoldingRandom final : public Random {
public:
    void fill(std::span<std::uint8_t> bytes) override {
        if (holds) {
            entered.count_down();
            release.wait();
        }
        random_.fill(bytes);
    }
    std::atomic<bool> holds = false;
    std::latch entered{1};
    std::latch release{1};

private:
    test::CountingRandom random_;
};

class PasswordServiceTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(PasswordServiceTest);
    CPPUNIT_TEST(takesARightPasswordAndGivesThePlaceBack);
    CPPUNIT_TEST(countsAWrongOneAndAuditsIt);
    CPPUNIT_TEST(notesForRequestsThatNoShortCodeCountsAnyMore);
    CPPUNIT_TEST(takesNobodyForWrong);
    CPPUNIT_TEST(takesAnAccountWithoutAPasswordForWrong);
    CPPUNIT_TEST(takesADisabledAccountForWrong);
    CPPUNIT_TEST(comparesNothingBeyondTheLimit);
    CPPUNIT_TEST(comparesNothingBeyondTheLimitOfTheClient);
    CPPUNIT_TEST(keepsAChangeCounted);
    CPPUNIT_TEST(notesWhatAHashCostsBeforeItCompares);
    CPPUNIT_TEST(givesThePlaceBackWhereTheGateIsFull);
    CPPUNIT_TEST(makesAnImportedHashAnew);
    CPPUNIT_TEST(makesAHashOfOneKeyboardAnewForAll);
    CPPUNIT_TEST(makesNothingAnewForAWrongPassword);
    CPPUNIT_TEST(changesFromTheHashThatItCompared);
    CPPUNIT_TEST(takesAPasswordThatWasChangedMeanwhileForWrong);
    CPPUNIT_TEST(givesNoticeOfANewPassword);
    CPPUNIT_TEST(givesNoNoticeWhereNothingChangedOrNoneIsWanted);
    CPPUNIT_TEST(resetsByAGuessThatTheStoreCounts);
    CPPUNIT_TEST(tellsOfACodeThatSetNoPassword);
    CPPUNIT_TEST(givesNoticeOfAResetByCode);
    CPPUNIT_TEST(resetsNothingWhereTheStoreFails);
    CPPUNIT_TEST(knowsWhosePasswordItIs);
    CPPUNIT_TEST_SUITE_END();

    FakeAccountStore store_;
    test::FakeClock clock_;
    HoldingRandom random_;
    crypto::PasswordGate gate_{{.cost = {.memoryKib = 64, .iterations = 1}, .slots = 1, .queue = 0}, random_};
    PasswordPolicy policy_{2, "example.org"};
    FakeMessenger messenger_;
    PasswordService passwords_{store_,     gate_,
                               policy_,    clock_,
                               random_,    {LimitRule::parse("10/1h").value(), LimitRule::parse("30/1h").value()},
                               messenger_, {}};
    const Destination ada_ = Destination::parse("ada@example.org").value();
    const crypto::KeyRing ring_ = crypto::KeyRing::parse(
        "otpgate1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n", "master.key");
    const OtpCodes codes_{ring_, {}, ""};
    test::FakeOtpStore otps_;
    OtpMetrics metrics_;
    ProcessCounts unknownGuesses_;
    UnansweredGuesses unansweredGuesses_;
    OtpService otp_{otps_,           messenger_,         codes_, ring_, clock_, random_, metrics_,
                    unknownGuesses_, unansweredGuesses_, {},     {}};
    const Uuid otpId_ = Uuid::makeV7(clock_.now(), random_);

    void haveAda(std::string hash, UserStatus status = UserStatus::Active) {
        User user;
        user.email = ada_.value();
        user.status = status;
        user.firstName = "Ada";
        user.lastName = "Lovelace";
        store_.next.user = user;
        store_.next.passwordHash = std::move(hash);
    }
    PasswordOutcome check(const std::string& password) { return passwords_.check(ada_, password, {}).outcome; }

    void takesARightPasswordAndGivesThePlaceBack() {
        haveAda(gate_.hash(kPassword));
        const auto checked = passwords_.check(ada_, kPassword, {});
        CPPUNIT_ASSERT(checked.outcome == PasswordOutcome::Right);
        CPPUNIT_ASSERT(checked.user.value().email == ada_.value());
        CPPUNIT_ASSERT(store_.givenBack == std::vector{clock_.now()});
        CPPUNIT_ASSERT(store_.wrong.empty());
        CPPUNIT_ASSERT(store_.upgradedFrom.empty());
        CPPUNIT_ASSERT(store_.guesses.at(0).bucket == limitBucket("password", "ada@example.org"));
    }

    void countsAWrongOneAndAuditsIt() {
        haveAda(gate_.hash(kPassword));
        const auto checked = passwords_.check(ada_, "another password", {});
        CPPUNIT_ASSERT(checked.outcome == PasswordOutcome::Wrong);
        CPPUNIT_ASSERT(!checked.user);
        CPPUNIT_ASSERT(store_.givenBack.empty());
        CPPUNIT_ASSERT(store_.wrong.at(0).userId.has_value());
    }

    void notesForRequestsThatNoShortCodeCountsAnyMore() {
        haveAda(gate_.hash(kPassword));
        for (const bool isKnown : {false, true}) {
            store_.next.isKnownDevice = isKnown;
            store_.next.failures = kMostFailures - 1;
            check("another password");
            CPPUNIT_ASSERT(!store_.wrong.back().failures);
            store_.next.failures = kMostFailures;
            check("another password");
            const auto noted = store_.wrong.back().failures.value();
            CPPUNIT_ASSERT(noted.requestBucket == (isKnown ? deviceRequestBucketOf(ada_) : requestBucketOf(ada_)));
            CPPUNIT_ASSERT_EQUAL(kMostFailures, noted.failures);
        }
    }

    void takesNobodyForWrong() {
        CPPUNIT_ASSERT(check(kPassword) == PasswordOutcome::Wrong);
        CPPUNIT_ASSERT(!store_.wrong.at(0).userId);
        CPPUNIT_ASSERT(store_.givenBack.empty());
    }

    void takesAnAccountWithoutAPasswordForWrong() {
        haveAda({});
        store_.next.passwordHash.reset();
        CPPUNIT_ASSERT(check("") == PasswordOutcome::Wrong);
        CPPUNIT_ASSERT(store_.wrong.at(0).userId.has_value());
    }

    void takesADisabledAccountForWrong() {
        haveAda(gate_.hash(kPassword), UserStatus::Disabled);
        CPPUNIT_ASSERT(check(kPassword) == PasswordOutcome::Wrong);
        CPPUNIT_ASSERT(store_.givenBack.empty());
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store_.wrong.size());
    }

    void comparesNothingBeyondTheLimit() {
        haveAda(gate_.hash(kPassword));
        store_.next.outcome = CountedGuess::Outcome::DestinationLimited;
        const auto checked = passwords_.check(ada_, kPassword, {});
        CPPUNIT_ASSERT(checked.outcome == PasswordOutcome::Limited);
        CPPUNIT_ASSERT(checked.limit.has_value());
        CPPUNIT_ASSERT(!checked.user);
        CPPUNIT_ASSERT(store_.wrong.empty());
        CPPUNIT_ASSERT(store_.givenBack.empty());
    }

    void comparesNothingBeyondTheLimitOfTheClient() {
        haveAda(gate_.hash(kPassword));
        store_.next.outcome = CountedGuess::Outcome::ClientLimited;
        const Client client{"2001:db8::1", "2001:db8::/64", "", ""};
        const auto checked = passwords_.check(ada_, kPassword, {client, std::nullopt});
        CPPUNIT_ASSERT(checked.outcome == PasswordOutcome::ClientLimited);
        CPPUNIT_ASSERT(checked.limit.value().name == "passwords_per_client");
        CPPUNIT_ASSERT(store_.wrong.empty() && store_.givenBack.empty());
        CPPUNIT_ASSERT(store_.guesses.at(0).clientBucket == limitBucket("password-client", "2001:db8::/64"));
        CPPUNIT_ASSERT_EQUAL(30U, store_.guesses.at(0).clientRule.capacity());
    }

    // Each writes rows and sends a notice.
    void keepsAChangeCounted() {
        haveAda(gate_.hash(kPassword));
        passwords_.change(*store_.next.user, {}, kPassword, "quite another phrase", {});
        CPPUNIT_ASSERT(store_.givenBack.empty());
    }

    void notesWhatAHashCostsBeforeItCompares() {
        haveAda(kImported);
        check("another password");
        check("another password");
        CPPUNIT_ASSERT(store_.costs == std::vector<std::string>{"pbkdf2_sha256$1"});
        CPPUNIT_ASSERT(gate_.knows("pbkdf2_sha256$1"));
        store_.next.passwordHash = gate_.hash(kPassword);
        check("another password");
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store_.costs.size());
    }

    void givesThePlaceBackWhereTheGateIsFull() {
        haveAda(gate_.hash(kPassword));
        random_.holds = true;
        auto other = std::async(std::launch::async, [this] { return gate_.hash("of somebody else"); });
        random_.entered.wait();
        random_.holds = false;
        {
            // Where a check fails, too: the other one would wait for ever.
            struct Release {
                std::latch& latch;
                ~Release() { latch.count_down(); }
            } const atTheEnd{random_.release};
            CPPUNIT_ASSERT_THROW(check("another password"), ServiceUnavailable);
            CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store_.givenBack.size());
            // As much is hashed for who has no account.
            const CountedGuess adas = std::exchange(store_.next, {});
            CPPUNIT_ASSERT_THROW(check("another password"), ServiceUnavailable);
            CPPUNIT_ASSERT_EQUAL(std::size_t{2}, store_.givenBack.size());
            CPPUNIT_ASSERT(store_.wrong.empty());
            store_.next = adas;
        }
        other.get();
        CPPUNIT_ASSERT(check(kPassword) == PasswordOutcome::Right);
    }

    void makesAnImportedHashAnew() {
        haveAda(kImported);
        CPPUNIT_ASSERT(check(kPassword) == PasswordOutcome::Right);
        CPPUNIT_ASSERT(store_.upgradedFrom == std::vector{kImported});
    }

    // At its own cost, but of what a Mac sends.
    void makesAHashOfOneKeyboardAnewForAll() {
        const std::string composed = "M\u00fcllers Br\u00fccke";
        const std::string decomposed = "Mu\u0308llers Bru\u0308cke";
        haveAda(gate_.hash(composed));
        CPPUNIT_ASSERT(check(decomposed) == PasswordOutcome::Right);
        CPPUNIT_ASSERT(store_.upgradedFrom.empty());
        const std::string old = "pbkdf2_sha256$1000$salt$UtW7b7Wyo4Q3HiLsNmFmyuOOFfzc5UKStVYXmrDe1Ng=";
        haveAda(old);
        CPPUNIT_ASSERT(check(decomposed) == PasswordOutcome::Right);
        CPPUNIT_ASSERT(store_.upgradedFrom == std::vector{old});
        haveAda(old, UserStatus::Disabled);
        CPPUNIT_ASSERT(check(decomposed) == PasswordOutcome::Wrong);
    }

    void makesNothingAnewForAWrongPassword() {
        haveAda(kImported);
        CPPUNIT_ASSERT(check("another password") == PasswordOutcome::Wrong);
        CPPUNIT_ASSERT(store_.upgradedFrom.empty());
    }

    void changesFromTheHashThatItCompared() {
        haveAda(kImported);
        const User user = *store_.next.user;
        const auto changed = passwords_.change(user, {}, kPassword, "quite another phrase", {});
        CPPUNIT_ASSERT(changed.outcome == PasswordOutcome::Right);
        CPPUNIT_ASSERT(store_.upgradedFrom.empty());
        CPPUNIT_ASSERT_EQUAL(kImported, store_.changes.at(0).oldHash);
        CPPUNIT_ASSERT(gate_.verify("quite another phrase", store_.changes.at(0).newHash) ==
                       crypto::PasswordMatch::Right);
        const auto refused = passwords_.change(user, {}, "wrong", "quite another phrase", {});
        CPPUNIT_ASSERT(refused.outcome == PasswordOutcome::Wrong);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store_.changes.size());
    }

    void takesAPasswordThatWasChangedMeanwhileForWrong() {
        haveAda(gate_.hash(kPassword));
        store_.changesPasswords = false;
        const auto changed = passwords_.change(*store_.next.user, {}, kPassword, "quite another phrase", {});
        CPPUNIT_ASSERT(changed.outcome == PasswordOutcome::Wrong);
    }

    void givesNoticeOfANewPassword() {
        const Client client{"192.0.2.7", "192.0.2.7", "curl/8.5", "request-1"};
        haveAda(gate_.hash(kPassword));
        Session session;
        session.device.name = "Ada's phone";
        passwords_.change(*store_.next.user, session, kPassword, "quite another phrase", {client, std::nullopt});
        passwords_.reset({}, "hash", client);
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, messenger_.messages.size());
        for (const OutboxMessage& message : messenger_.messages) {
            CPPUNIT_ASSERT(message.kind == MessageKind::PasswordChanged);
            CPPUNIT_ASSERT_EQUAL(std::string{"192.0.2.7"}, message.notice.ipAddress);
        }
        CPPUNIT_ASSERT_EQUAL(std::string{"Ada's phone"}, messenger_.messages.at(0).notice.device);
        CPPUNIT_ASSERT_EQUAL(std::string{"curl 8.5"}, messenger_.messages.at(1).notice.device);
    }

    void givesNoNoticeWhereNothingChangedOrNoneIsWanted() {
        haveAda(gate_.hash(kPassword));
        passwords_.change(*store_.next.user, {}, "wrong", "quite another phrase", {});
        store_.changesPasswords = false;
        passwords_.change(*store_.next.user, {}, kPassword, "quite another phrase", {});
        CPPUNIT_ASSERT(messenger_.messages.empty());

        NoticeSettings none;
        none.passwordChanged = false;
        PasswordService silent{store_, gate_, policy_, clock_, random_, {}, messenger_, none};
        CPPUNIT_ASSERT(silent.reset({}, "hash", {}));
        CPPUNIT_ASSERT(!store_.resets.back().notice);
        CPPUNIT_ASSERT(messenger_.messages.empty());
    }

    void resetsByAGuessThatTheStoreCounts() {
        const Client client{"192.0.2.7", "192.0.2.7", "curl/8.5", "request-1"};
        store_.codeResult.outcome = OtpVerifyResult::Outcome::Verified;
        store_.codeResult.destination = ada_;
        store_.codeResult.purpose = Purpose::Reset;
        // What the reference says of the purpose does not count: no other code may set a password.
        const auto result =
            passwords_.resetByCode(otp_, {otpId_, {}, Purpose::Login}, codes_.codeFor(otpId_), "new", {client, {}});
        CPPUNIT_ASSERT(result.isDone);
        CPPUNIT_ASSERT(result.code.outcome == OtpVerifyResult::Outcome::Verified);
        CPPUNIT_ASSERT(result.code.otpId == otpId_);
        const PasswordReset& reset = store_.resets.at(0);
        CPPUNIT_ASSERT_EQUAL(std::string{"new"}, reset.passwordHash);
        const auto& guess = std::get<OtpVerification>(reset.proof);
        CPPUNIT_ASSERT(guess.otpId == otpId_);
        CPPUNIT_ASSERT(guess.guess == Guess::Right);
        CPPUNIT_ASSERT(guess.purpose == Purpose::Reset);
        CPPUNIT_ASSERT(guess.now == reset.now);
        for (const Uuid& id : guess.auditIds) CPPUNIT_ASSERT(id != reset.auditId);
        CPPUNIT_ASSERT_EQUAL(std::string{"request-1"}, reset.client.requestId);
        // It is counted in the transaction of the reset, and nowhere else.
        CPPUNIT_ASSERT(otps_.verifications.empty());
    }

    void tellsOfACodeThatSetNoPassword() {
        store_.setsPasswords = false;
        for (const auto outcome :
             {OtpVerifyResult::Outcome::WrongCode, OtpVerifyResult::Outcome::Unknown, OtpVerifyResult::Outcome::Used,
              OtpVerifyResult::Outcome::Expired, OtpVerifyResult::Outcome::AttemptsExhausted,
              OtpVerifyResult::Outcome::BudgetExhausted, OtpVerifyResult::Outcome::Verified}) {
            store_.codeResult.outcome = outcome;
            const auto result = passwords_.resetByCode(otp_, {otpId_, {}, {}}, "no code", "new", {});
            CPPUNIT_ASSERT(!result.isDone);
            CPPUNIT_ASSERT(result.code.outcome == outcome);
            CPPUNIT_ASSERT(std::get<OtpVerification>(store_.resets.back().proof).guess == Guess::Wrong);
        }
        CPPUNIT_ASSERT(messenger_.messages.empty());
    }

    void givesNoticeOfAResetByCode() {
        const Client client{"192.0.2.7", "192.0.2.7", "curl/8.5", "request-1"};
        store_.codeResult.outcome = OtpVerifyResult::Outcome::Verified;
        passwords_.resetByCode(otp_, {otpId_, {}, {}}, codes_.codeFor(otpId_), "new", {client, {}});
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, messenger_.messages.size());
        const OutboxMessage& message = messenger_.messages.at(0);
        CPPUNIT_ASSERT(message.kind == MessageKind::PasswordChanged);
        CPPUNIT_ASSERT(message.id == store_.resets.at(0).notice.value().id);
        CPPUNIT_ASSERT_EQUAL(std::string{"192.0.2.7"}, message.notice.ipAddress);
        CPPUNIT_ASSERT_EQUAL(std::string{"curl 8.5"}, message.notice.device);
    }

    // The code is good still, so nobody may be told that it was used, and nothing is counted as verified.
    void resetsNothingWhereTheStoreFails() {
        store_.fails = true;
        CPPUNIT_ASSERT_THROW(passwords_.resetByCode(otp_, {otpId_, {}, {}}, codes_.codeFor(otpId_), "new", {}),
                             ServiceUnavailable);
        CPPUNIT_ASSERT(messenger_.messages.empty());
        CPPUNIT_ASSERT_EQUAL(std::string{}, test::counted(metrics_));
    }

    void knowsWhosePasswordItIs() {
        haveAda({});
        CPPUNIT_ASSERT(passwords_.reasonToRefuse("lovelace7", *store_.next.user).has_value());
        CPPUNIT_ASSERT(passwords_.reasonToRefuse("1 ada@example.org 2", ada_).has_value());
        CPPUNIT_ASSERT(!passwords_.reasonToRefuse(kPassword, ada_).has_value());
        CPPUNIT_ASSERT(!passwords_.reasonToRefuse(kPassword, std::nullopt).has_value());
        CPPUNIT_ASSERT(passwords_.reasonToRefuse("password", std::nullopt).has_value());
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(PasswordServiceTest);

}  // namespace password_service_test
}  // namespace otpgate::domain
