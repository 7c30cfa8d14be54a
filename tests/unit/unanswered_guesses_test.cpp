// Who may have the answer to a guess that was lost at its commit.
#include "otpgate/domain/unanswered_guesses.h"

#include "support_cpp/counting_random.h"
#include "support_cpp/fake_clock.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::domain {
namespace unanswered_guesses_test {

using namespace std::chrono_literals;

class UnansweredGuessesTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(UnansweredGuessesTest);
    CPPUNIT_TEST(knowsTheClientByTheCodesId);
    CPPUNIT_TEST(knowsTheClientByItsDevice);
    CPPUNIT_TEST(givesNothingToAStranger);
    CPPUNIT_TEST(makesTheSameGuessAgain);
    CPPUNIT_TEST(doesSoOnce);
    CPPUNIT_TEST(doesSoForAMinute);
    CPPUNIT_TEST(remembersNoWrongGuess);
    CPPUNIT_TEST(keepsToItsSize);
    CPPUNIT_TEST_SUITE_END();

    Uuid newId() { return Uuid::makeV7(now_, random_); }
    // By a browser that has never been here and asked for the code just now.
    OtpVerification guess() {
        OtpVerification guess;
        guess.otpId = otpId_;
        guess.namedBy = CodeNamedBy::Id;
        guess.guess = Guess::Right;
        guess.now = now_;
        guess.sessionId = newId();
        guess.client = {"192.0.2.7", "192.0.2.7", "Browser/1.0", "request-1", "de"};
        return guess;
    }

    void knowsTheClientByTheCodesId() {
        const OtpVerification first = guess();
        CPPUNIT_ASSERT(isBySameClient(first, guess()));
        OtpVerification moved = guess();
        moved.client.address = "192.0.2.8";  // within one network of IPv6
        moved.client.requestId = "request-2";
        CPPUNIT_ASSERT(isBySameClient(first, moved));
    }

    // Wherever it is, and however it names the code: nobody else has its token.
    void knowsTheClientByItsDevice() {
        OtpVerification first = guess();
        first.shownDevice = newId();
        OtpVerification second = first;
        second.namedBy = CodeNamedBy::Address;
        second.client = {"198.51.100.1", "198.51.100.1", "Browser/2.0", "request-2", "fr"};
        CPPUNIT_ASSERT(isBySameClient(first, second));
    }

    void givesNothingToAStranger() {
        const OtpVerification first = guess();
        const auto differs = [&](const auto& change) {
            OtpVerification other = guess();
            change(other);
            CPPUNIT_ASSERT(!isBySameClient(first, other));
            CPPUNIT_ASSERT(!isBySameClient(other, first));
        };
        differs([&](OtpVerification& other) { other.otpId = newId(); });
        differs([](OtpVerification& other) { other.guess = Guess::Wrong; });
        // Who has read the code alone.
        differs([](OtpVerification& other) { other.namedBy = CodeNamedBy::Address; });
        differs([](OtpVerification& other) { other.client.network = "192.0.2.8"; });
        differs([](OtpVerification& other) { other.client.userAgent = "Browser/1.1"; });
        differs([](OtpVerification& other) { other.device.installId = "install-1"; });
        differs([&](OtpVerification& other) { other.shownDevice = newId(); });
        differs([](OtpVerification& other) { other.purpose = Purpose::Login; });
        differs([&](OtpVerification& other) { other.ownerId = newId(); });

        OtpVerification byDevice = guess();
        byDevice.shownDevice = newId();
        OtpVerification byAnother = byDevice;
        byAnother.shownDevice = newId();
        CPPUNIT_ASSERT(!isBySameClient(byDevice, byAnother));
        OtpVerification nameless = guess();
        nameless.namedBy = CodeNamedBy::Address;
        CPPUNIT_ASSERT(!isBySameClient(nameless, nameless));
    }

    void makesTheSameGuessAgain() {
        const OtpVerification first = guess();
        guesses_.remember(first);
        OtpVerification second = guess();
        second.now = now_ + 3s;
        second.client.requestId = "request-2";
        const auto again = guesses_.take(second);
        CPPUNIT_ASSERT(again && again->isRepeated);
        CPPUNIT_ASSERT(again->sessionId == first.sessionId && again->now == first.now);
        CPPUNIT_ASSERT_EQUAL(std::string{"request-2"}, again->client.requestId);
    }

    void doesSoOnce() {
        guesses_.remember(guess());
        OtpVerification stranger = guess();
        stranger.client.userAgent = "Other/1.0";
        CPPUNIT_ASSERT(!guesses_.take(stranger));  // and takes nothing away
        CPPUNIT_ASSERT(guesses_.take(guess()));
        CPPUNIT_ASSERT(!guesses_.take(guess()));
    }

    void doesSoForAMinute() {
        guesses_.remember(guess());
        OtpVerification late = guess();
        late.now = now_ + UnansweredGuesses::kRemembered;
        CPPUNIT_ASSERT(!guesses_.take(late));
    }

    void remembersNoWrongGuess() {
        OtpVerification wrong = guess();
        wrong.guess = Guess::Wrong;
        guesses_.remember(wrong);
        CPPUNIT_ASSERT(!guesses_.take(guess()));
    }

    void keepsToItsSize() {
        UnansweredGuesses few{1};
        OtpVerification other = guess();
        other.otpId = newId();
        few.remember(guess());
        few.remember(other);
        CPPUNIT_ASSERT(!few.take(other));
        other.now = now_ + UnansweredGuesses::kRemembered;
        few.remember(other);
        CPPUNIT_ASSERT(few.take(other));
        CPPUNIT_ASSERT(!few.take(guess()));
    }

    test::CountingRandom random_;
    const Timestamp now_ = test::FakeClock{}.now();
    const Uuid otpId_ = newId();
    UnansweredGuesses guesses_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(UnansweredGuessesTest);

}  // namespace unanswered_guesses_test
}  // namespace otpgate::domain
