// What is asked of the store when a user redeems a code for another address, and who is told.
#include "otpgate/domain/address_service.h"

#include "otpgate/base/errors.h"
#include "support_cpp/counted.h"
#include "support_cpp/counting_random.h"
#include "support_cpp/fake_account_store.h"
#include "support_cpp/fake_clock.h"
#include "support_cpp/fake_messenger.h"
#include "support_cpp/fake_otp_store.h"
#include "support_cpp/people.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::domain {
namespace address_service_test {

using namespace std::chrono_literals;
using Outcome = OtpVerifyResult::Outcome;

class AddressServiceTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(AddressServiceTest);
    CPPUNIT_TEST(asksInTheNameOfItsUser);
    CPPUNIT_TEST(looksInTheLaneOfItsUser);
    CPPUNIT_TEST(tellsTheUserWithTheNewAddress);
    CPPUNIT_TEST(tellsThatTheAddressIsTaken);
    CPPUNIT_TEST(tellsWhatTheCodeWas);
    CPPUNIT_TEST(handsOverEveryNoticeThatWasWritten);
    CPPUNIT_TEST(draftsNoNoticeThatNobodyWants);
    CPPUNIT_TEST(changesNothingWhereTheStoreFails);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override {
        caller_.user.id = Uuid::makeV7(clock_.now(), random_);
        caller_.session.id = Uuid::makeV7(clock_.now(), random_);
        caller_.session.authenticatedAt = clock_.now();
        caller_.session.device.name = "Ada's phone";
    }

private:
    ChangedAddress change(const OtpReference& reference) {
        return addresses_.change(caller_, reference, codes_.codeFor(otpId_), client_);
    }
    ChangedAddress change() { return change({otpId_, {}, {}}); }
    const AddressChange& asked() const { return store_.addressChanges.back(); }
    // The store finds the code right, and gives this user the address.
    void succeed() {
        store_.addressChanged.code.outcome = Outcome::Verified;
        store_.addressChanged.code.destination = phone_;
        store_.addressChanged.code.channel = Channel::Sms;
        store_.addressChanged.code.purpose = Purpose::Change;
        store_.addressChanged.user = caller_.user;
        store_.addressChanged.user->phoneNumber = phone_.value();
    }

    void asksInTheNameOfItsUser() {
        // Whatever the reference says: another's code, or one for another purpose, must not get in.
        change({otpId_, {}, Purpose::Login, Uuid{}});
        const OtpVerification& guess = asked().guess;
        CPPUNIT_ASSERT(guess.ownerId == caller_.user.id);
        CPPUNIT_ASSERT(guess.purpose == Purpose::Change);
        CPPUNIT_ASSERT(guess.otpId == otpId_);
        CPPUNIT_ASSERT(guess.guess == Guess::Right);
        CPPUNIT_ASSERT(!guess.shownDevice);
        CPPUNIT_ASSERT(guess.now == clock_.now());
        CPPUNIT_ASSERT_EQUAL(std::string{"request-1"}, guess.client.requestId);
        CPPUNIT_ASSERT(asked().keptSession == caller_.session.id);
        for (const Uuid& id : guess.auditIds) CPPUNIT_ASSERT(id != asked().auditId);
        // It is counted in the transaction of the change, and nowhere else.
        CPPUNIT_ASSERT(otps_.verifications.empty());
    }

    void looksInTheLaneOfItsUser() {
        otps_.newest = otpId_;
        change({{}, phone_, {}});
        CPPUNIT_ASSERT(otps_.searches.at(0).device == caller_.user.id);
        CPPUNIT_ASSERT(otps_.searches.at(0).purpose == Purpose::Change);
        CPPUNIT_ASSERT(otps_.searches.at(0).destination == phone_);
        CPPUNIT_ASSERT(asked().guess.otpId == otpId_);
    }

    void tellsTheUserWithTheNewAddress() {
        succeed();
        const auto changed = change();
        CPPUNIT_ASSERT(changed.code.outcome == Outcome::Verified);
        CPPUNIT_ASSERT(changed.code.destination == phone_);
        CPPUNIT_ASSERT(changed.user.value().phoneNumber == phone_.value());
        CPPUNIT_ASSERT_EQUAL(test::lines({R"(otpgate_otp_verified_total{channel="sms",purpose="change"} 1)"}),
                             test::counted(metrics_));
    }

    void tellsThatTheAddressIsTaken() {
        succeed();
        store_.addressChanged.isTaken = true;
        store_.addressChanged.user.reset();
        const auto changed = change();
        CPPUNIT_ASSERT(changed.code.outcome == Outcome::Verified);
        CPPUNIT_ASSERT(!changed.user);
    }

    void tellsWhatTheCodeWas() {
        for (const auto outcome : {Outcome::WrongCode, Outcome::Unknown, Outcome::Used, Outcome::Expired,
                                   Outcome::AttemptsExhausted, Outcome::BudgetExhausted, Outcome::AccountDisabled}) {
            store_.addressChanged.code.outcome = outcome;
            const auto changed = change();
            CPPUNIT_ASSERT(changed.code.outcome == outcome);
            CPPUNIT_ASSERT(!changed.user);
        }
        CPPUNIT_ASSERT(messenger_.messages.empty());
    }

    void handsOverEveryNoticeThatWasWritten() {
        succeed();
        change();
        CPPUNIT_ASSERT(messenger_.messages.empty());
        const NoticeDraft draft = asked().notice.value();
        CPPUNIT_ASSERT(draft.kind == MessageKind::AddressChanged);
        CPPUNIT_ASSERT(asked().secondNoticeId != draft.id);
        CPPUNIT_ASSERT_EQUAL(std::string{"Ada's phone"}, draft.facts.device);
        CPPUNIT_ASSERT_EQUAL(std::string{"192.0.2.7"}, draft.facts.ipAddress);
        CPPUNIT_ASSERT(draft.availableAt == clock_.now() + messenger_.lease());
        store_.addressChanged.notices = {makeNotice(draft, ada_, test::readerOf("de")),
                                         makeNotice(draft, phone_, test::readerOf("de"))};
        change();
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, messenger_.messages.size());
        CPPUNIT_ASSERT(messenger_.messages[0].destination == ada_);
        CPPUNIT_ASSERT(messenger_.messages[1].destination == phone_);
    }

    void draftsNoNoticeThatNobodyWants() {
        NoticeSettings none;
        none.addressChanged = false;
        AddressService silent{store_, otp_, messenger_, clock_, random_, none};
        silent.change(caller_, {otpId_, {}, {}}, "no code", client_);
        CPPUNIT_ASSERT(!asked().notice);
        CPPUNIT_ASSERT(asked().guess.guess == Guess::Wrong);
    }

    void changesNothingWhereTheStoreFails() {
        succeed();
        store_.fails = true;
        CPPUNIT_ASSERT_THROW(change(), ServiceUnavailable);
        CPPUNIT_ASSERT(messenger_.messages.empty());
        CPPUNIT_ASSERT_EQUAL(std::string{}, test::counted(metrics_));
    }

    const crypto::KeyRing ring_ = crypto::KeyRing::parse(
        "otpgate1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n", "master.key");
    const OtpCodes codes_{ring_, {}, ""};
    const Client client_{"192.0.2.7", "192.0.2.7", "Browser/1.0", "request-1"};
    const Destination ada_ = Destination::parse("ada@example.org").value();
    const Destination phone_ = Destination::parse("+4366012345678").value();
    test::FakeClock clock_;
    test::CountingRandom random_;
    test::FakeAccountStore store_;
    test::FakeOtpStore otps_;
    test::FakeMessenger messenger_;
    OtpMetrics metrics_;
    ProcessCounts unknownGuesses_;
    UnansweredGuesses unansweredGuesses_;
    OtpService otp_{otps_,           messenger_,         codes_, ring_, clock_, random_, metrics_,
                    unknownGuesses_, unansweredGuesses_, {},     {}};
    AddressService addresses_{store_, otp_, messenger_, clock_, random_, {}};
    AuthenticatedSession caller_;
    const Uuid otpId_ = Uuid::makeV7(clock_.now(), random_);
};

CPPUNIT_TEST_SUITE_REGISTRATION(AddressServiceTest);

}  // namespace address_service_test
}  // namespace otpgate::domain
