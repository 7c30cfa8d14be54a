#include "otpgate/domain/verification_service.h"

#include "otpgate/domain/otp_rules.h"
#include "support_cpp/counted.h"
#include "support_cpp/counting_random.h"
#include "support_cpp/fake_clock.h"
#include "support_cpp/fake_messenger.h"
#include "support_cpp/fake_verification_store.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::domain {
namespace verification_service_test {

using namespace std::chrono_literals;
using namespace std::string_literals;
using Outcome = CheckedVerification::Outcome;
using Counted = VerificationGuessResult::Outcome;

const std::string kLine = "otpgate1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";

using test::FakeMessenger;
using test::FakeVerificationStore;

class VerificationServiceTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(VerificationServiceTest);
    CPPUNIT_TEST(writesAndHandsOverAMessage);
    CPPUNIT_TEST(sendsTheCodeThatTheContextTakes);
    CPPUNIT_TEST(handsOverNothingThatIsRefused);
    CPPUNIT_TEST(sendsNothingWhereTheCallerDelivers);
    CPPUNIT_TEST(tellsWhatTheOwnerHasSpent);
    CPPUNIT_TEST(tellsWhatWasVerified);
    CPPUNIT_TEST(countsByTheKeyWhereItHasALimit);
    CPPUNIT_TEST(givesTheNextContextForAWrongCode);
    CPPUNIT_TEST(asksNobodyAboutAnothersContext);
    CPPUNIT_TEST(asksNobodyAboutALateContext);
    CPPUNIT_TEST(passesOnWhatTheStoreRefuses);
    CPPUNIT_TEST(countsADestinationForAllAndEachOwner);
    CPPUNIT_TEST(countsRequestsAndGuessesByTheirOutcome);
    CPPUNIT_TEST(worksInItself);
    CPPUNIT_TEST_SUITE_END();

    VerificationQuestion question() const {
        return {.to = Destination::parse("ada@example.org").value(),
                .purpose = "checkout",
                .format = {CodeAlphabet::Letters, 8},
                .metadata = R"({"cart":7})",
                .expiresIn = 300s,
                .sessionExpiresIn = 900s,
                .maxAttempts = 3,
                .delivery = CodeDelivery::Caller};
    }
    RequestedVerification told() { return service_.request(question(), owner_, client_); }
    CheckedVerification check(const RequestedVerification& verification, const std::string& guess) {
        return service_.check(verification.context, guess, owner_, client_);
    }

    void writesAndHandsOverAMessage() {
        auto asked = question();
        asked.delivery = CodeDelivery::Message;
        const auto requested = service_.request(asked, owner_, client_);
        CPPUNIT_ASSERT(requested.isAccepted && requested.code.empty() && !requested.context.empty());
        CPPUNIT_ASSERT_EQUAL(5U, requested.limit.value().state.remaining);
        const auto& written = store_.messages.at(0);
        CPPUNIT_ASSERT(written.ownerId == owner_ && written.now == clock_.now());
        CPPUNIT_ASSERT(written.message->expiresAt == clock_.now() + 300s);
        CPPUNIT_ASSERT_EQUAL(8U, written.message->codeLength);
        CPPUNIT_ASSERT(written.message->codeAlphabet == CodeAlphabet::Letters);
        CPPUNIT_ASSERT(written.message->purpose == Purpose::Verify);
        CPPUNIT_ASSERT(messenger_.messages.at(0).id == written.message->id);
    }

    void sendsTheCodeThatTheContextTakes() {
        auto asked = question();
        asked.delivery = CodeDelivery::Message;
        const auto requested = service_.request(asked, owner_, client_);
        check(requested, codes_.codeFor(messenger_.messages.at(0)));
        CPPUNIT_ASSERT(store_.guesses.at(0).guess == Guess::Right);
    }

    void handsOverNothingThatIsRefused() {
        store_.messageResult.outcome = VerificationMessageResult::Outcome::DestinationLimited;
        auto asked = question();
        asked.delivery = CodeDelivery::Message;
        CPPUNIT_ASSERT(!service_.request(asked, owner_, client_).isAccepted);
        CPPUNIT_ASSERT(messenger_.messages.empty());
    }

    void sendsNothingWhereTheCallerDelivers() {
        const auto requested = told();
        CPPUNIT_ASSERT_EQUAL(std::size_t{8}, requested.code.size());
        CPPUNIT_ASSERT(!requested.limit);
        // It counts as its owner's, and nothing is to be sent.
        CPPUNIT_ASSERT(!store_.messages.at(0).message && store_.guesses.empty() && messenger_.messages.empty());
    }

    void tellsWhatTheOwnerHasSpent() {
        store_.messageResult.outcome = VerificationMessageResult::Outcome::OwnerLimited;
        const auto refused = told();
        CPPUNIT_ASSERT(!refused.isAccepted && refused.code.empty());
        CPPUNIT_ASSERT(refused.limit.value().name == "verifications_per_account");
        CPPUNIT_ASSERT_EQUAL(200U, store_.messages.at(0).ownerRule.capacity());
    }

    // A key with a limit of its own neither spends its owner's nor is stopped by it.
    void countsByTheKeyWhereItHasALimit() {
        auto asked = question();
        asked.keyLimit = KeyLimit{owner_, LimitRule::parse("500/1h").value()};
        store_.messageResult.outcome = VerificationMessageResult::Outcome::OwnerLimited;
        const auto refused = service_.request(asked, owner_, client_);
        CPPUNIT_ASSERT(refused.limit.value().name == "verifications_per_key");
        CPPUNIT_ASSERT_EQUAL(500U, store_.messages.at(0).ownerRule.capacity());
        CPPUNIT_ASSERT(store_.messages.at(0).ownerBucket == limitBucket("verification-key", owner_.bytes()));
    }

    void tellsWhatWasVerified() {
        const auto requested = told();
        store_.guessResult = {Counted::Verified, 2, {}};
        clock_.advance(299s);
        const auto checked = check(requested, requested.code);
        CPPUNIT_ASSERT(checked.outcome == Outcome::Verified);
        CPPUNIT_ASSERT_EQUAL("ada@example.org"s, checked.identifier);
        CPPUNIT_ASSERT_EQUAL("checkout"s, checked.purpose);
        CPPUNIT_ASSERT_EQUAL(R"({"cart":7})"s, checked.metadata);
        CPPUNIT_ASSERT_EQUAL(1U, checked.retryCount);
        const auto& guess = store_.guesses.at(0);
        CPPUNIT_ASSERT(guess.guess == Guess::Right && guess.ownerId == owner_ && guess.maxAttempts == 3);
        CPPUNIT_ASSERT(guess.expiresAt == clock_.now() - 299s + 900s);
    }

    void givesTheNextContextForAWrongCode() {
        const auto requested = told();
        store_.guessResult = {Counted::WrongCode, 1, {}};
        const auto first = check(requested, "22222222");
        CPPUNIT_ASSERT(first.outcome == Outcome::WrongCode);
        CPPUNIT_ASSERT_EQUAL(2U, first.attemptsLeft);
        CPPUNIT_ASSERT(first.context != requested.context);
        // The old one, shown again: the database knows better than the context how often it was tried.
        store_.guessResult = {Counted::WrongCode, 3, {}};
        CPPUNIT_ASSERT_EQUAL(0U, check(requested, "22222222").attemptsLeft);
        service_.check(first.context, requested.code, owner_, client_);
        CPPUNIT_ASSERT(store_.guesses.at(0).guess == Guess::Wrong && store_.guesses.at(2).guess == Guess::Right);
        CPPUNIT_ASSERT(store_.guesses.at(0).id == store_.guesses.at(2).id);
    }

    void asksNobodyAboutAnothersContext() {
        const auto requested = told();
        const Uuid other = Uuid::makeV7(clock_.now(), random_);
        for (const std::string& context : {requested.context, ""s, "garbage"s, std::string(9000, 'A')}) {
            CPPUNIT_ASSERT(service_.check(context, requested.code, other, client_).outcome == Outcome::InvalidContext);
        }
        CPPUNIT_ASSERT(store_.guesses.empty());
    }

    void asksNobodyAboutALateContext() {
        const auto requested = told();
        clock_.advance(300s);
        CPPUNIT_ASSERT(check(requested, requested.code).outcome == Outcome::CodeExpired);
        clock_.advance(600s - 1us);
        CPPUNIT_ASSERT(check(requested, requested.code).outcome == Outcome::CodeExpired);
        clock_.advance(1us);
        CPPUNIT_ASSERT(check(requested, requested.code).outcome == Outcome::SessionExpired);
        CPPUNIT_ASSERT(store_.guesses.empty());
    }

    void passesOnWhatTheStoreRefuses() {
        const auto requested = told();
        store_.guessResult = {Counted::Used, 1, {}};
        CPPUNIT_ASSERT(check(requested, requested.code).outcome == Outcome::Used);
        store_.guessResult = {Counted::AttemptsExhausted, 3, {}};
        const auto exhausted = check(requested, requested.code);
        CPPUNIT_ASSERT(exhausted.outcome == Outcome::AttemptsExhausted && exhausted.retryAfter == 30s);
        store_.guessResult = {Counted::BudgetExhausted, 1, {}};
        const auto budget = check(requested, requested.code);
        CPPUNIT_ASSERT(budget.outcome == Outcome::BudgetExhausted && budget.limit.has_value());
        for (const auto& refused : {exhausted, budget}) {
            CPPUNIT_ASSERT(refused.context.empty() && refused.identifier.empty() && refused.metadata.empty());
        }
    }

    void countsADestinationForAllAndEachOwner() {
        const Uuid other = Uuid::makeV7(clock_.now(), random_);
        auto asked = question();
        asked.delivery = CodeDelivery::Message;
        service_.request(asked, owner_, client_);
        service_.request(asked, other, client_);
        asked.to = Destination::parse("bob@example.org").value();
        const auto third = service_.request(asked, owner_, client_);
        // What is sent to one address counts together, whoever asks; each owner has a budget of his own besides.
        CPPUNIT_ASSERT_EQUAL(store_.messages.at(0).bucket, store_.messages.at(1).bucket);
        CPPUNIT_ASSERT_EQUAL(requestBucketOf(asked.to), store_.messages.at(2).bucket);
        CPPUNIT_ASSERT(store_.messages.at(0).bucket != store_.messages.at(2).bucket);
        CPPUNIT_ASSERT(store_.messages.at(0).ownerBucket != store_.messages.at(1).ownerBucket);
        CPPUNIT_ASSERT_EQUAL(store_.messages.at(0).ownerBucket, store_.messages.at(2).ownerBucket);
        check(third, "22222222");
        CPPUNIT_ASSERT(store_.guesses.at(0).bucket != store_.messages.at(2).bucket);
    }

    void countsRequestsAndGuessesByTheirOutcome() {
        using Answer = VerificationGuessResult::Outcome;
        auto asked = question();
        const auto requested = told();
        asked.delivery = CodeDelivery::Message;
        service_.request(asked, owner_, client_);
        store_.messageResult.outcome = VerificationMessageResult::Outcome::DestinationLimited;
        service_.request(asked, owner_, client_);
        for (const auto outcome :
             {Answer::Verified, Answer::WrongCode, Answer::Used, Answer::AttemptsExhausted, Answer::BudgetExhausted}) {
            store_.guessResult = {};
            store_.guessResult.outcome = outcome;
            store_.guessResult.attempts = 1;
            check(requested, "22222222");
        }
        service_.check("nonsense", "22222222", owner_, client_);
        clock_.advance(1h);
        check(requested, "22222222");
        const std::vector<std::string> expected{R"(otpgate_otp_requested_total{channel="email",purpose="verify"} 2)",
                                                R"(otpgate_otp_rate_limited_total{channel="email",purpose="verify"} 1)",
                                                R"(otpgate_otp_verified_total{channel="email",purpose="verify"} 1)",
                                                R"(otpgate_otp_failed_total{channel="email",purpose="verify"} 2)",
                                                R"(otpgate_otp_failed_total{channel="unknown",purpose="unknown"} 1)",
                                                R"(otpgate_otp_expired_total{channel="email",purpose="verify"} 1)",
                                                R"(otpgate_otp_locked_total{channel="email",purpose="verify"} 2)"};
        CPPUNIT_ASSERT_EQUAL(test::lines(expected), test::counted(metrics_));
    }

    void worksInItself() { CPPUNIT_ASSERT(service_.worksInItself()); }

    const crypto::KeyRing ring_ = crypto::KeyRing::parse(kLine, "master.key");
    test::FakeClock clock_;
    test::CountingRandom random_;
    const OtpCodes codes_{ring_, {CodeAlphabet::Digits, 6}, ""};
    FakeVerificationStore store_;
    FakeMessenger messenger_;
    const Uuid owner_ = Uuid::makeV7(clock_.now(), random_);
    const Client client_{"192.0.2.7", "192.0.2.7", "Backend/1.0", "request-1"};
    OtpMetrics metrics_;
    VerificationService service_{
        store_,
        messenger_,
        codes_,
        ring_,
        clock_,
        random_,
        metrics_,
        {LimitRule::parse("5/1h").value(), LimitRule::parse("200/1h").value(), LimitRule::parse("10/1h").value(), 30s}};
};

CPPUNIT_TEST_SUITE_REGISTRATION(VerificationServiceTest);

}  // namespace verification_service_test
}  // namespace otpgate::domain
