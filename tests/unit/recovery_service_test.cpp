// Recovery codes: what becomes of them between being made and being used.
#include "otpgate/domain/recovery_service.h"

#include "otpgate/crypto/random.h"
#include "otpgate/domain/recovery_codes.h"
#include "support_cpp/fake_clock.h"
#include "support_cpp/fake_messenger.h"
#include "support_cpp/fake_totp_store.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <map>

namespace otpgate::domain {
namespace recovery_service_test {

using namespace std::chrono_literals;

// The codes of one user, as a database keeps them.
class SmallRecoveryStore final : public RecoveryStore {
public:
    std::vector<StoredRecoveryCode> list(const Uuid&) override { return codes; }
    std::optional<std::string> takeTurn(const std::string& bucket, const LimitRule&, Timestamp) override {
        ++turns[bucket];
        return isFull ? std::optional{std::string{}} : std::nullopt;
    }
    void propose(const Uuid&, const std::vector<StoredRecoveryCode>& proposed) override {
        std::erase_if(codes, [](const StoredRecoveryCode& code) { return !code.isConfirmed; });
        codes.insert(codes.end(), proposed.begin(), proposed.end());
    }
    ConfirmedRecovery confirm(const RecoveryConfirmation&) override {
        std::erase_if(codes, [](const StoredRecoveryCode& code) { return code.isConfirmed; });
        for (StoredRecoveryCode& code : codes) code.isConfirmed = true;
        return {true};
    }

    std::vector<StoredRecoveryCode> codes;
    std::map<std::string, int> turns;  // that were asked for, by bucket
    bool isFull = false;
};

class RecoveryServiceTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(RecoveryServiceTest);
    CPPUNIT_TEST(countsNoCodeBeforeOneOfThemIsTypedBack);
    CPPUNIT_TEST(replacesASetOnlyByOneThatWasTypedBack);
    CPPUNIT_TEST(signsInByACodeAsPeopleTypeIt);
    CPPUNIT_TEST(takesNoCodeThatIsUsedOrOfAnotherNumber);
    CPPUNIT_TEST(countsEachGuessBeforeItIsLookedAt);
    CPPUNIT_TEST(asksNobodyForATokenThatIsNone);
    CPPUNIT_TEST_SUITE_END();

    using Outcome = SecondStepVerdict::Outcome;

    test::FakeClock clock_;
    crypto::SystemRandom random_;  // a counted one has codes that are alike
    test::FakeMessenger messenger_;
    test::FakeTotpStore steps_;
    SmallRecoveryStore store_;
    const crypto::KeyRing ring_ = crypto::KeyRing::parse("otpgate1:" + std::string(64, '1') + "\n", "master.key");
    crypto::PasswordGate gate_{{.cost = {64, 1}, .slots = 1}, random_};
    const LimitRule turns_ = LimitRule::parse("10/1h").value();
    TotpService totps_{steps_, messenger_, ring_, clock_, random_, {turns_}, {}};
    RecoveryService service_{store_, totps_, gate_, messenger_, clock_, random_, turns_, {}};
    AuthenticatedSession caller_;

public:
    void setUp() override { caller_.user.id = Uuid::makeV7(clock_.now(), random_); }

private:
    std::vector<std::string> makeAndConfirm() {
        const auto made = service_.make(caller_.user.id).codes;
        CPPUNIT_ASSERT(service_.confirm(caller_, made.front(), {}).isDone);
        return made;
    }
    SecondStepVerdict signIn(const std::string& typed) {
        const std::string token = makeSecondStepToken(
            ring_,
            {Uuid::makeV7(clock_.now(), random_), {caller_.user.id, "otp", std::string(16, 'b')}, clock_.now() + 1min});
        return service_.signIn(token, typed, {}, {});
    }

    void countsNoCodeBeforeOneOfThemIsTypedBack() {
        const auto made = service_.make(caller_.user.id);
        CPPUNIT_ASSERT_EQUAL(std::size_t{kRecoveryCodes}, made.codes.size());
        CPPUNIT_ASSERT(!made.limit);
        for (const StoredRecoveryCode& code : store_.codes) {
            CPPUNIT_ASSERT(code.hash.starts_with("$argon2id$"));
            CPPUNIT_ASSERT(code.hash.find(parseRecoveryCode(made.codes.at(code.number))->letters) == std::string::npos);
        }
        CPPUNIT_ASSERT_EQUAL(0U, service_.state(caller_.user.id).left);
        CPPUNIT_ASSERT(signIn(made.codes.at(0)).outcome == Outcome::Wrong);

        CPPUNIT_ASSERT(!service_.confirm(caller_, "0-0000-0000-0000-0000", {}).isDone);
        CPPUNIT_ASSERT(!service_.confirm(caller_, "no code", {}).isDone);
        CPPUNIT_ASSERT_EQUAL(0U, service_.state(caller_.user.id).left);
        CPPUNIT_ASSERT(service_.confirm(caller_, made.codes.at(4), {}).isDone);
        const RecoveryState state = service_.state(caller_.user.id);
        CPPUNIT_ASSERT_EQUAL(kRecoveryCodes, state.left);
        CPPUNIT_ASSERT(state.madeAt == clock_.now());
    }

    void replacesASetOnlyByOneThatWasTypedBack() {
        const auto first = makeAndConfirm();
        const auto second = service_.make(caller_.user.id).codes;
        // What counts already confirms nothing.
        CPPUNIT_ASSERT(!service_.confirm(caller_, first.at(1), {}).isDone);
        CPPUNIT_ASSERT(signIn(first.at(1)).outcome == Outcome::SignedIn);
        CPPUNIT_ASSERT(service_.confirm(caller_, second.at(1), {}).isDone);
        CPPUNIT_ASSERT(signIn(first.at(2)).outcome == Outcome::Wrong);
        CPPUNIT_ASSERT(signIn(second.at(2)).outcome == Outcome::SignedIn);
    }

    void signsInByACodeAsPeopleTypeIt() {
        std::string typed = makeAndConfirm().at(3);
        std::ranges::replace(typed, '-', ' ');
        std::ranges::transform(typed, typed.begin(), [](char c) { return static_cast<char>(std::tolower(c)); });
        CPPUNIT_ASSERT(signIn(" " + typed).outcome == Outcome::SignedIn);
        CPPUNIT_ASSERT(steps_.last->proof.isRecovery && !steps_.last->proof.match);
        CPPUNIT_ASSERT(steps_.last->proof.recoveryCode == store_.codes.at(3).id);
    }

    void takesNoCodeThatIsUsedOrOfAnotherNumber() {
        const auto made = makeAndConfirm();
        store_.codes.at(2).usedAt = clock_.now();
        CPPUNIT_ASSERT_EQUAL(kRecoveryCodes - 1, service_.state(caller_.user.id).left);
        CPPUNIT_ASSERT(signIn(made.at(2)).outcome == Outcome::Wrong);
        CPPUNIT_ASSERT(signIn("5" + made.at(4).substr(1)).outcome == Outcome::Wrong);
        CPPUNIT_ASSERT(signIn(std::string(100'000, 'A')).outcome == Outcome::Wrong);
        CPPUNIT_ASSERT(signIn("").outcome == Outcome::Wrong);
        CPPUNIT_ASSERT(!steps_.last->proof.recoveryCode);
    }

    void countsEachGuessBeforeItIsLookedAt() {
        const auto made = makeAndConfirm();
        const auto sum = [&] {
            int all = 0;
            for (const auto& [bucket, count] : store_.turns) all += count;
            return all;
        };
        const int before = sum();
        signIn(made.at(1));
        signIn("no code");
        CPPUNIT_ASSERT_EQUAL(before + 2, sum());
        // Making and confirming are counted apart from guesses: neither spends the other's turns.
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, store_.turns.size());

        store_.isFull = true;
        steps_.last.reset();
        const SecondStepVerdict refused = signIn(made.at(1));
        CPPUNIT_ASSERT(refused.outcome == Outcome::Limited && refused.limit && !steps_.last);
        CPPUNIT_ASSERT(service_.make(caller_.user.id).limit && service_.make(caller_.user.id).codes.empty());
        const KeptRecovery kept = service_.confirm(caller_, made.at(1), {});
        CPPUNIT_ASSERT(kept.limit && !kept.isDone);
    }

    void asksNobodyForATokenThatIsNone() {
        const auto made = makeAndConfirm();
        const auto before = store_.turns;
        CPPUNIT_ASSERT(service_.signIn("no token", made.at(1), {}, {}).outcome == Outcome::BadToken);
        const std::string expired = makeSecondStepToken(
            ring_, {Uuid::makeV7(clock_.now(), random_), {caller_.user.id, "otp", std::string(16, 'b')}, clock_.now()});
        CPPUNIT_ASSERT(service_.signIn(expired, made.at(1), {}, {}).outcome == Outcome::BadToken);
        CPPUNIT_ASSERT(before == store_.turns);
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(RecoveryServiceTest);

}  // namespace recovery_service_test
}  // namespace otpgate::domain
