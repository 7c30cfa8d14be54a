// The attempts at contexts: counted by their id from the first check on, exactly, however many ask at once.
#include "contract/store_test.h"
#include "otpgate/store/stores.h"

#include <map>
#include <mutex>

namespace otpgate::test {
namespace verification_store_test {

using namespace std::chrono_literals;
using namespace std::string_literals;
using domain::Guess;
using Outcome = domain::VerificationGuessResult::Outcome;

template <class Engine>
class VerificationStoreTest : public StoreTest<VerificationStoreTest<Engine>, Engine> {
    using Base = StoreTest<VerificationStoreTest<Engine>, Engine>;
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

    CPPUNIT_TEST_SUITE(VerificationStoreTest);
    CPPUNIT_TEST(writesAMessageThatTheCourierFinds);
    CPPUNIT_TEST(acceptsExactlyFiveOfManyMessages);
    CPPUNIT_TEST(countsForItsOwnerWhateverTheDestination);
    CPPUNIT_TEST(countsWhatTheApplicationSendsForItsOwnerAlone);
    CPPUNIT_TEST(countsFromTheFirstCheckOn);
    CPPUNIT_TEST(verifiesOnce);
    CPPUNIT_TEST(verifiesAfterWrongGuesses);
    CPPUNIT_TEST(refusesTheRightCodeAfterThreeWrongOnes);
    CPPUNIT_TEST(knowsNoLimitWhereThereIsNone);
    CPPUNIT_TEST(refusesBothWhenTheBudgetIsSpent);
    CPPUNIT_TEST(countsNoRightGuessAgainstTheBudget);
    CPPUNIT_TEST(countsNoRefusedGuess);
    CPPUNIT_TEST(letsExactlyOneOfSixteenRightGuessesWin);
    CPPUNIT_TEST(comparesExactlyThreeOfManyWrongGuesses);
    CPPUNIT_TEST(comparesExactlyTenOfManyWrongGuessesAtADestination);
    CPPUNIT_TEST(tellsTheOwnersAuditTrail);
    CPPUNIT_TEST(forgetsAttemptsWhenTheContextIsLongOver);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override {
        Base::setUp();
        store_ = store::makeVerificationStore(*connection_);
    }

private:
    using Sent = domain::VerificationMessageResult::Outcome;
    domain::VerificationMessage newMessage(const domain::LimitRule& limit = {}) {
        return {.message = domain::OutboxMessage{.id = newId(),
                                                 .otpId = newId(),
                                                 .purpose = domain::Purpose::Verify,
                                                 .destination = destination("ada@example.org"),
                                                 .locale = {},
                                                 .requestId = "request-1",
                                                 .codeLength = 9,
                                                 .codeAlphabet = domain::CodeAlphabet::Letters,
                                                 .expiresAt = now() + 5min,
                                                 .availableAt = now() + 10s},
                .destination = destination("ada@example.org"),
                .ownerId = owner_,
                .bucket = domain::limitBucket("request", "ada"),
                .rule = limit,
                .ownerBucket = domain::limitBucket("verification-owner", "ada"),
                .ownerRule = {},
                .now = now(),
                .auditId = newId(),
                .client = client()};
    }
    domain::VerificationGuess newGuess(const Uuid& context, Guess guess,
                                       const domain::LimitRule& budget = rule("1000/1h")) {
        return {.id = context,
                .guess = guess,
                .maxAttempts = 3,
                .expiresAt = now() + 15min,
                .ownerId = owner_,
                .destination = destination("ada@example.org"),
                .bucket = domain::limitBucket("verification-guess", "ada"),
                .rule = budget,
                .now = now(),
                .auditId = newId(),
                .client = client()};
    }
    domain::VerificationGuessResult right(const Uuid& context, const domain::LimitRule& budget = rule("1000/1h")) {
        return store_->check(newGuess(context, Guess::Right, budget));
    }
    domain::VerificationGuessResult wrong(const Uuid& context, const domain::LimitRule& budget = rule("1000/1h")) {
        return store_->check(newGuess(context, Guess::Wrong, budget));
    }
    static void assertResult(Outcome outcome, unsigned attempts, const domain::VerificationGuessResult& result) {
        CPPUNIT_ASSERT(outcome == result.outcome);
        CPPUNIT_ASSERT_EQUAL(attempts, result.attempts);
    }
    std::int64_t attemptsInAll() {
        return connection_->queryOne("SELECT COALESCE(SUM(attempts), 0) FROM verification_attempts").value().integer(0);
    }

    // How often each outcome came of the guesses, made by sixteen threads.
    std::map<Outcome, int> guessAtOnce(const std::vector<domain::VerificationGuess>& guesses) {
        std::map<Outcome, int> tally;
        std::mutex mutex;
        onSixteenThreads([&](db::Connection& connection, std::size_t thread) {
            const auto store = store::makeVerificationStore(connection);
            for (std::size_t i = thread; i < guesses.size(); i += 16) {
                const auto result = store->check(guesses[i]);
                const std::lock_guard lock(mutex);
                ++tally[result.outcome];
            }
        });
        return tally;
    }

    void writesAMessageThatTheCourierFinds() {
        const auto written = newMessage(rule("5/1h"));
        const auto result = store_->send(written);
        CPPUNIT_ASSERT(result.outcome == Sent::Accepted);
        CPPUNIT_ASSERT_EQUAL(std::size_t{8}, result.hits.size());
        const auto found =
            store::makeOutboxStore(*connection_)->claimAvailable(domain::Channel::Email, now() + 11s, now() + 60s, 10);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, found.size());
        CPPUNIT_ASSERT(found[0].id == written.message->id && found[0].otpId == written.message->otpId);
        CPPUNIT_ASSERT(found[0].destination == written.message->destination);
        CPPUNIT_ASSERT(found[0].purpose == domain::Purpose::Verify);
        CPPUNIT_ASSERT_EQUAL(9U, found[0].codeLength);
        CPPUNIT_ASSERT(found[0].codeAlphabet == domain::CodeAlphabet::Letters);
        CPPUNIT_ASSERT(!found[0].isDiscarded && found[0].expiresAt == now() + 5min);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("otp_requests") + count("verification_attempts"));
        const auto audit = only("SELECT event, user_id, destination FROM audit_events");
        CPPUNIT_ASSERT_EQUAL("VERIFICATION_REQUESTED"s, audit.text(0));
        CPPUNIT_ASSERT(audit.uuid(1) == owner_);
        CPPUNIT_ASSERT_EQUAL("ada@example.org"s, audit.text(2));
    }

    void countsForItsOwnerWhateverTheDestination() {
        for (const Sent expected : {Sent::Accepted, Sent::Accepted, Sent::OwnerLimited}) {
            auto message = newMessage(rule("5/1h"));
            message.bucket = domain::limitBucket("request", std::to_string(count("outbox")));
            message.ownerRule = rule("2/1h");
            CPPUNIT_ASSERT(store_->send(message).outcome == expected);
        }
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, count("outbox"));
    }

    void countsWhatTheApplicationSendsForItsOwnerAlone() {
        for (const Sent expected : {Sent::Accepted, Sent::OwnerLimited}) {
            auto message = newMessage(rule("1/1h"));
            message.message.reset();
            message.ownerRule = rule("1/1h");
            CPPUNIT_ASSERT(store_->send(message).outcome == expected);
        }
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("outbox"));
        CPPUNIT_ASSERT(store_->send(newMessage(rule("1/1h"))).outcome == Sent::Accepted);
    }

    void acceptsExactlyFiveOfManyMessages() {
        std::vector<domain::VerificationMessage> messages;
        messages.reserve(48);
        for (int i = 0; i < 48; ++i) messages.push_back(newMessage(rule("5/1h")));
        std::atomic<int> accepted{0};
        onSixteenThreads([&](db::Connection& connection, std::size_t thread) {
            const auto store = store::makeVerificationStore(connection);
            for (std::size_t i = thread; i < messages.size(); i += 16)
                accepted += store->send(messages[i]).outcome == Sent::Accepted ? 1 : 0;
        });
        CPPUNIT_ASSERT_EQUAL(5, accepted.load());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{5}, count("outbox"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{5}, count("audit_events WHERE event = 'VERIFICATION_REQUESTED'"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("audit_events WHERE event = 'OTP_RATE_LIMITED'"));
        clock_.advance(1h);
        CPPUNIT_ASSERT(store_->send(newMessage(rule("5/1h"))).outcome == Sent::Accepted);
    }

    void countsFromTheFirstCheckOn() {
        const Uuid context = newId();
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("verification_attempts"));
        assertResult(Outcome::WrongCode, 1, wrong(context));
        const auto row = only("SELECT id, attempts, consumed_at_us, expires_at_us FROM verification_attempts");
        CPPUNIT_ASSERT(row.uuid(0) == context && row.isNull(2) && row.timestamp(3) == now() + 15min);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, row.integer(1));
    }

    void verifiesOnce() {
        const Uuid context = newId();
        assertResult(Outcome::Verified, 1, right(context));
        assertResult(Outcome::Used, 1, right(context));
        assertResult(Outcome::Used, 1, wrong(context));
        assertResult(Outcome::Verified, 1, right(newId()));
    }

    void verifiesAfterWrongGuesses() {
        const Uuid context = newId();
        assertResult(Outcome::WrongCode, 1, wrong(context));
        assertResult(Outcome::WrongCode, 2, wrong(context));
        assertResult(Outcome::Verified, 3, right(context));
        assertResult(Outcome::Used, 3, right(context));
    }

    void refusesTheRightCodeAfterThreeWrongOnes() {
        const Uuid context = newId();
        for (const unsigned attempts : {1U, 2U, 3U}) assertResult(Outcome::WrongCode, attempts, wrong(context));
        assertResult(Outcome::AttemptsExhausted, 3, right(context));
        assertResult(Outcome::AttemptsExhausted, 3, wrong(context));
        assertWords({"VERIFICATION_FAILED", "VERIFICATION_FAILED", "VERIFICATION_FAILED"}, auditEvents());
    }

    void knowsNoLimitWhereThereIsNone() {
        for (int i = 0; i < 20; ++i) assertResult(Outcome::WrongCode, 1, wrong(newId(), {}));
        assertResult(Outcome::Verified, 1, right(newId(), {}));
    }

    void refusesBothWhenTheBudgetIsSpent() {
        const auto budget = rule("2/1h");
        const Uuid context = newId();
        wrong(context, budget);
        wrong(newId(), budget);
        const auto refused = right(context, budget);
        assertResult(Outcome::BudgetExhausted, 1, refused);
        CPPUNIT_ASSERT_EQUAL(std::size_t{16}, refused.hits.size());
        assertResult(Outcome::BudgetExhausted, 0, wrong(newId(), budget));
        assertWords({"VERIFICATION_FAILED", "VERIFICATION_FAILED", "OTP_LOCKED"}, auditEvents());
        clock_.advance(1h);
        assertResult(Outcome::Verified, 2, right(context, budget));
    }

    void countsNoRightGuessAgainstTheBudget() {
        for (int i = 0; i < 5; ++i) assertResult(Outcome::Verified, 1, right(newId(), rule("2/1h")));
    }

    void countsNoRefusedGuess() {
        const auto budget = rule("4/1h");
        const Uuid context = newId();
        for (int i = 0; i < 10; ++i) wrong(context, budget);
        assertResult(Outcome::WrongCode, 1, wrong(newId(), budget));  // three of four places were taken
        assertResult(Outcome::BudgetExhausted, 0, wrong(newId(), budget));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{4}, attemptsInAll());
    }

    void letsExactlyOneOfSixteenRightGuessesWin() {
        for (int round = 0; round < 5; ++round) {
            const Uuid context = newId();
            std::vector<domain::VerificationGuess> guesses;
            guesses.reserve(16);
            for (int i = 0; i < 16; ++i) guesses.push_back(newGuess(context, Guess::Right, rule("10/1h,20/1d")));
            auto tally = guessAtOnce(guesses);
            CPPUNIT_ASSERT_EQUAL(1, tally[Outcome::Verified]);
            CPPUNIT_ASSERT_EQUAL(15, tally[Outcome::Used]);
        }
        CPPUNIT_ASSERT_EQUAL(std::int64_t{5}, count("audit_events WHERE event = 'VERIFICATION_SUCCEEDED'"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{5}, attemptsInAll());
    }

    void comparesExactlyThreeOfManyWrongGuesses() {
        const Uuid context = newId();
        std::vector<domain::VerificationGuess> guesses;
        guesses.reserve(48);
        for (int i = 0; i < 48; ++i) guesses.push_back(newGuess(context, Guess::Wrong, rule("10/1h,20/1d")));
        auto tally = guessAtOnce(guesses);
        CPPUNIT_ASSERT_EQUAL(3, tally[Outcome::WrongCode]);
        CPPUNIT_ASSERT_EQUAL(45, tally[Outcome::AttemptsExhausted]);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{3}, attemptsInAll());
    }

    void comparesExactlyTenOfManyWrongGuessesAtADestination() {
        std::vector<domain::VerificationGuess> guesses;
        guesses.reserve(48);
        for (int i = 0; i < 48; ++i) guesses.push_back(newGuess(newId(), Guess::Wrong, rule("10/1h,20/1d")));
        auto tally = guessAtOnce(guesses);
        CPPUNIT_ASSERT_EQUAL(10, tally[Outcome::WrongCode]);
        CPPUNIT_ASSERT_EQUAL(38, tally[Outcome::BudgetExhausted]);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{10}, attemptsInAll());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("audit_events WHERE event = 'OTP_LOCKED'"));
    }

    void tellsTheOwnersAuditTrail() {
        const Uuid context = newId();
        wrong(context);
        right(context);
        assertWords({"VERIFICATION_FAILED", "VERIFICATION_SUCCEEDED"}, auditEvents());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2},
                             count("audit_events WHERE user_id = ? AND destination = 'ada@example.org'", {owner_}));
    }

    void forgetsAttemptsWhenTheContextIsLongOver() {
        wrong(newId());
        clock_.advance(1h);
        const Uuid young = newId();
        wrong(young);
        const auto purge = [&] {
            domain::RetentionStore::Bounds bounds{};
            bounds.now = now();
            store::makeRetentionStore(*connection_)->purge(bounds, 500);
        };
        purge();
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, count("verification_attempts"));
        clock_.advance(15min + 1us);
        purge();
        CPPUNIT_ASSERT(only("SELECT id FROM verification_attempts").uuid(0) == young);
        clock_.advance(1h);
        purge();
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("verification_attempts"));
    }

    std::unique_ptr<domain::VerificationStore> store_;
    const Uuid owner_ = newId();
};

REGISTER_ON_BOTH_ENGINES(VerificationStoreTest);

}  // namespace verification_store_test
}  // namespace otpgate::test
