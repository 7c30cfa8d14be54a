// Wrong guesses in a row, and the link that takes the place of the short code: counted, set back and consumed alike on
// both engines, whatever comes at once.
#include "contract/otp_store_test.h"
#include "otpgate/domain/short_codes.h"

#include <atomic>

namespace otpgate::test {
namespace otp_store_links_test {

using namespace std::chrono_literals;
using domain::Guess;
using domain::GuessBy;
using domain::kMostFailures;
using domain::LinkUse;
using domain::Means;
using domain::Purpose;

const std::string kAda = "ada@example.org";

template <class Engine>
class OtpStoreLinksTest : public OtpStoreTest<OtpStoreLinksTest<Engine>, Engine> {
    using Base = OtpStoreTest<OtpStoreLinksTest<Engine>, Engine>;
    using Base::assertOutcome;
    using Base::clock_;
    using Base::connection_;
    using Base::count;
    using Base::guessRight;
    using Base::guessWrong;
    using Base::newGuess;
    using Base::newId;
    using Base::newRequest;
    using Base::now;
    using Base::only;
    using Base::onSixteenThreads;
    using Base::requestAnotherCode;
    using Base::requestCode;
    using Base::store_;

    CPPUNIT_TEST_SUITE(OtpStoreLinksTest);
    CPPUNIT_TEST(countsInARowAndBeginsAnewAfterASuccess);
    CPPUNIT_TEST(countsOnlyWhatLetsSomebodyIn);
    CPPUNIT_TEST(takesNoShortCodeAfterAHundredFailuresInARow);
    CPPUNIT_TEST(sendsALinkToWhoseShortCodeWasRefused);
    CPPUNIT_TEST(sendsASignInLinkInPlaceOfAReset);
    CPPUNIT_TEST(countsPasswordsWithCodes);
    CPPUNIT_TEST(tellsTheOwnerOnceOfPasswords);
    CPPUNIT_TEST(consumesByLinkWhateverWasTriedAtTheCode);
    CPPUNIT_TEST(consumesNothingForAnotherAddressOrPurpose);
    CPPUNIT_TEST(letsOneOfSixteenLinksAndCodesWin);
    CPPUNIT_TEST(looksAtALinkAndChangesNothing);
    CPPUNIT_TEST_SUITE_END();

    std::int64_t failuresOf(const std::string& to) {
        return only("SELECT failures FROM rate_limits WHERE bucket = ?",
                    {db::Param::blob(domain::limitBucket("guess", to))})
            .integer(0);
    }
    domain::OtpVerification byLink(const Uuid& otpId) {
        auto guess = newGuess(otpId, Guess::Right);
        guess.by = GuessBy::Link;
        return guess;
    }
    domain::NoticeDraft draft() {
        return {.id = newId(),
                .kind = domain::MessageKind::ManyFailures,
                .facts = {"198.51.100.1", "Browser", ""},
                .bySms = domain::NoticeBySms::Never,
                .requestId = "request-1",
                .createdAt = now(),
                .expiresAt = now() + 24h,
                .availableAt = now() + 10s};
    }
    // Many wrong guesses, as many as one code has tries, and none in the same moment.
    void fail(const std::string& to, unsigned times) {
        const Uuid code = requestAnotherCode(to, times);
        for (unsigned i = 0; i < times; ++i) {
            clock_.advance(1ms);
            CPPUNIT_ASSERT_EQUAL(VerifyOutcome::WrongCode, guessWrong(code).outcome);
        }
    }
    domain::PasswordGuess passwordGuess() {
        return {.destination = destination(kAda),
                .device = std::nullopt,
                .bucket = domain::limitBucket("password", kAda),
                .deviceBucket = {},
                .failureBucket = domain::limitBucket("guess", kAda),
                .deviceFailureBucket = {},
                .rule = {},
                .clientBucket = domain::limitBucket("password-client", "192.0.2.7"),
                .clientRule = {},
                .now = now(),
                .auditId = newId(),
                .client = Base::client()};
    }

    void countsInARowAndBeginsAnewAfterASuccess() {
        fail(kAda, 2);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, failuresOf(kAda));
        const auto kept = only("SELECT expires_at_us FROM rate_limits WHERE failures > 0", {}).timestamp(0);
        CPPUNIT_ASSERT(kept > now() + std::chrono::days{300});

        guessRight(requestCode(kAda), rule("10/1h"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, failuresOf(kAda));
        CPPUNIT_ASSERT(only("SELECT expires_at_us FROM rate_limits WHERE failures = 0 AND bucket = ?",
                            {db::Param::blob(domain::limitBucket("guess", kAda))})
                           .timestamp(0) <= now() + 1h);
    }

    void countsOnlyWhatLetsSomebodyIn() {
        auto request = newRequest(kAda);
        request.purpose = Purpose::Verify;
        store_->request(request);
        guessWrong(request.id, rule("10/1h"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, failuresOf(kAda));
    }

    // Five days, twenty guesses a day, each from another address, as the limits allow.
    void takesNoShortCodeAfterAHundredFailuresInARow() {
        const auto owner = guessRight(requestCode(kAda)).signIn.value();
        const auto limit = rule("10/1h,20/1d");
        unsigned told = 0;
        for (unsigned stranger = 0; stranger < kMostFailures; ++stranger) {
            clock_.advance(stranger % 20 == 0 ? 25h : (stranger % 10 == 0 ? 61min : 1min));
            const Uuid code = requestCode(kAda);
            auto guess = newGuess(code, Guess::Wrong, limit);
            guess.client = Base::client("198.51.100." + std::to_string(stranger));
            guess.failuresNotice = draft();
            const auto result = store_->verify(guess);
            CPPUNIT_ASSERT_EQUAL(VerifyOutcome::WrongCode, result.outcome);
            if (result.notice) ++told;
            CPPUNIT_ASSERT_EQUAL(stranger + 1 == kMostFailures, result.notice.has_value());
        }
        CPPUNIT_ASSERT_EQUAL(1U, told);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("outbox WHERE kind = 'many_failures'"));

        clock_.advance(25h);
        const auto request = newRequest(kAda);
        const auto sent = store_->request(request);
        CPPUNIT_ASSERT_EQUAL(Means::Link, sent.means);
        CPPUNIT_ASSERT_EQUAL(std::string{"link"},
                             only("SELECT kind FROM outbox WHERE id = ?", {request.outboxId}).text(0));
        // Neither a right nor a wrong one, and neither counts.
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::AttemptsExhausted, guessRight(request.id, limit).outcome);
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::AttemptsExhausted, guessWrong(request.id, limit).outcome);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{kMostFailures}, failuresOf(kAda));

        // Her own device goes on as before, and the strangers' lane stays as it is.
        auto own = newRequest(kAda);
        own.device = owner.deviceId;
        own.deviceBucket = domain::limitBucket("request-device", kAda);
        own.deviceGuessBucket = domain::limitBucket("guess-device", kAda);
        CPPUNIT_ASSERT_EQUAL(Means::Code, store_->request(own).means);
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, guessRight(own.id, limit).outcome);
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::AttemptsExhausted, guessRight(request.id, limit).outcome);

        // And she gets in by the link from anywhere; then short codes count again.
        CPPUNIT_ASSERT(store_->verify(byLink(request.id)).signIn);
        const auto after = newRequest(kAda);
        CPPUNIT_ASSERT_EQUAL(Means::Code, store_->request(after).means);
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, guessRight(after.id, limit).outcome);
    }

    // As after a restore, or where two processes were at it.
    void sendsALinkToWhoseShortCodeWasRefused() {
        fail(kAda, kMostFailures);
        connection_->execute("UPDATE rate_limits SET failures = 0 WHERE bucket = ?",
                             {db::Param::blob(domain::limitBucket("request", kAda))});
        const auto request = newRequest(kAda);
        CPPUNIT_ASSERT_EQUAL(Means::Code, store_->request(request).means);
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::AttemptsExhausted, guessRight(request.id).outcome);
        CPPUNIT_ASSERT_EQUAL(Means::Link, store_->request(newRequest(kAda)).means);
    }

    void sendsASignInLinkInPlaceOfAReset() {
        guessRight(requestCode(kAda));
        fail(kAda, kMostFailures);
        auto request = newRequest(kAda);
        request.purpose = Purpose::Reset;
        request.accountRule = domain::AccountRule::Active;
        const auto sent = store_->request(request);
        CPPUNIT_ASSERT_EQUAL(Means::Link, sent.means);
        CPPUNIT_ASSERT_EQUAL(Purpose::Login, sent.purpose);
        CPPUNIT_ASSERT_EQUAL(std::string{"login"},
                             only("SELECT purpose FROM otp_requests WHERE id = ?", {request.id}).text(0));
        CPPUNIT_ASSERT(store_->verify(byLink(request.id)).signIn);
    }

    void countsPasswordsWithCodes() {
        const auto accounts = store::makeAccountStore(*connection_);
        fail(kAda, kMostFailures - 1);
        const auto right = accounts->countGuess(passwordGuess());
        CPPUNIT_ASSERT_EQUAL(kMostFailures, right.failures);
        accounts->giveBackGuess(right.buckets, right.failureBucket, now());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{kMostFailures - 1}, failuresOf(kAda));

        CPPUNIT_ASSERT_EQUAL(kMostFailures, accounts->countGuess(passwordGuess()).failures);
        CPPUNIT_ASSERT(domain::CountedGuess::Outcome::TooManyFailures == accounts->countGuess(passwordGuess()).outcome);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{kMostFailures}, failuresOf(kAda));
        // Where nobody has asked for a code before, too.
        connection_->execute("DELETE FROM rate_limits WHERE bucket = ?",
                             {db::Param::blob(domain::limitBucket("request", kAda))});
        domain::WrongPassword wrong{std::nullopt, destination(kAda), now(), newId(), Base::client()};
        wrong.failures = {domain::limitBucket("request", kAda), kMostFailures};
        accounts->auditWrongPassword(wrong);
        CPPUNIT_ASSERT_EQUAL(Means::Link, store_->request(newRequest(kAda)).means);
    }

    void tellsTheOwnerOnceOfPasswords() {
        const auto accounts = store::makeAccountStore(*connection_);
        const auto ada = guessRight(requestCode(kAda)).signIn.value().user;
        domain::WrongPassword wrong{ada.id, destination(kAda), now(), newId(), Base::client()};
        CPPUNIT_ASSERT(!accounts->auditWrongPassword(wrong));
        wrong.auditId = newId();
        wrong.notice = draft();
        CPPUNIT_ASSERT_EQUAL(kAda, accounts->auditWrongPassword(wrong).value().destination.value());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("outbox WHERE kind = 'many_failures'"));
    }

    void consumesByLinkWhateverWasTriedAtTheCode() {
        const auto limit = rule("3/1h");
        const Uuid code = requestCode(kAda);
        for (int i = 0; i < 3; ++i) guessWrong(code, limit);
        assertOutcome(VerifyOutcome::AttemptsExhausted, guessRight(code, limit));
        auto guess = byLink(code);
        guess.guessRule = limit;
        CPPUNIT_ASSERT(store_->verify(guess).signIn);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, failuresOf(kAda));
        assertOutcome(VerifyOutcome::Used, store_->verify(byLink(code)));
        assertOutcome(VerifyOutcome::Used, guessRight(code, limit));
    }

    void consumesNothingForAnotherAddressOrPurpose() {
        const Uuid code = requestCode(kAda);
        auto guess = byLink(code);
        guess.typedAddress = destination("eve@example.org");
        assertOutcome(VerifyOutcome::Unknown, store_->verify(guess));
        guess = byLink(code);
        guess.typedAddress = destination(kAda);
        CPPUNIT_ASSERT(store_->verify(guess).signIn);

        auto reset = newRequest(kAda);
        reset.purpose = Purpose::Reset;
        store_->request(reset);
        assertOutcome(VerifyOutcome::Unknown, store_->verify(byLink(reset.id)));

        const Uuid old = requestCode(kAda);
        clock_.advance(Base::kLifetime);
        assertOutcome(VerifyOutcome::Expired, store_->verify(byLink(old)));
    }

    void letsOneOfSixteenLinksAndCodesWin() {
        const Uuid code = requestCode(kAda);
        std::atomic<int> winners{0};
        std::atomic<int> losers{0};
        onSixteenThreads([&](db::Connection& connection, std::size_t thread) {
            const auto store = store::makeOtpStore(connection, Base::groupsOf(thread));
            auto guess = newGuess(code, Guess::Right, rule("10/1h"));
            if (thread % 4 < 2) guess.by = GuessBy::Link;
            const auto result = store->verify(guess);
            if (result.outcome == VerifyOutcome::Verified) ++winners;
            if (result.outcome == VerifyOutcome::Used) ++losers;
        });
        CPPUNIT_ASSERT_EQUAL(1, winners.load());
        CPPUNIT_ASSERT_EQUAL(15, losers.load());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("sessions"));
    }

    void looksAtALinkAndChangesNothing() {
        const Uuid code = requestCode(kAda);
        guessWrong(code);
        const auto opened = store_->findOpened(code).value();
        CPPUNIT_ASSERT_EQUAL(kAda, opened.destination.value());
        CPPUNIT_ASSERT_EQUAL(1U, opened.failures);
        CPPUNIT_ASSERT(!opened.consumedAt);
        CPPUNIT_ASSERT(opened.hasTriesLeft);
        CPPUNIT_ASSERT(!store_->findOpened(newId()));
        guessRight(code);
        CPPUNIT_ASSERT(store_->findOpened(code).value().consumedAt == now());
    }
};

REGISTER_ON_BOTH_ENGINES(OtpStoreLinksTest);

}  // namespace otp_store_links_test
}  // namespace otpgate::test
