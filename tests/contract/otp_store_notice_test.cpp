// The notice of a sign-in by a device that the account did not know, written beside the session.
#include "contract/otp_store_test.h"

#include <atomic>

namespace otpgate::test {
namespace otp_store_notice_test {

using namespace std::chrono_literals;
using domain::Guess;
using domain::MessageKind;
using domain::NoticeBySms;
using domain::ShownDevice;

const std::string kAda = "ada@example.org";
const std::string kPhone = "+4366012345678";

template <class Engine>
class OtpStoreNoticeTest : public OtpStoreTest<OtpStoreNoticeTest<Engine>, Engine> {
    using Base = OtpStoreTest<OtpStoreNoticeTest<Engine>, Engine>;
    using Base::client;
    using Base::clock_;
    using Base::connection_;
    using Base::count;
    using Base::newGuess;
    using Base::newId;
    using Base::now;
    using Base::onSixteenThreads;
    using Base::requestCode;
    using Base::store_;

    CPPUNIT_TEST_SUITE(OtpStoreNoticeTest);
    CPPUNIT_TEST(tellsWhoHasSignedInBefore);
    CPPUNIT_TEST(tellsNobodyWhoRegisters);
    CPPUNIT_TEST(tellsNobodyOfTheFirstSignIn);
    CPPUNIT_TEST(tellsNobodyOfAKnownDevice);
    CPPUNIT_TEST(tellsOfARevokedDevice);
    CPPUNIT_TEST(tellsOfTheDeviceOfAnother);
    CPPUNIT_TEST(tellsNobodyWhereNoNoticeIsWanted);
    CPPUNIT_TEST(tellsNobodyOfAWrongGuessOrADisabledAccount);
    CPPUNIT_TEST(tellsAnEarlierUserWhoseDevicesAreForgotten);
    CPPUNIT_TEST(tellsByTheAddressThatTheDomainNames);
    CPPUNIT_TEST(tellsOnceForSixteenThreads);
    CPPUNIT_TEST_SUITE_END();

    domain::NoticeDraft newNotice(NoticeBySms bySms = NoticeBySms::Never) {
        return {.id = newId(),
                .kind = MessageKind::NewSignIn,
                .facts = {.ipAddress = client().address, .device = "Ada's phone (ios)", .changedAddress = {}},
                .bySms = bySms,
                .requestId = client().requestId,
                .createdAt = now(),
                .expiresAt = now() + 24h,
                .availableAt = now() + 10s};
    }
    domain::OtpVerifyResult signIn(const std::string& to, const ShownDevice& shown = {},
                                   NoticeBySms bySms = NoticeBySms::Never) {
        auto guess = newGuess(requestCode(to), Guess::Right);
        guess.device.installId.clear();
        guess.shownDevice = shown;
        guess.notice = newNotice(bySms);
        connection_->execute("DELETE FROM outbox", {});  // of the code
        return store_->verify(guess);
    }
    void assertNobodyIsTold(const domain::OtpVerifyResult& result) {
        CPPUNIT_ASSERT(!result.notice);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("outbox"));
    }
    // What is handed over is what the row says.
    void assertTold(const std::string& recipient, const domain::OtpVerifyResult& result) {
        CPPUNIT_ASSERT(result.outcome == VerifyOutcome::Verified);
        const domain::OutboxMessage& message = result.notice.value();
        CPPUNIT_ASSERT_EQUAL(recipient, message.destination.value());
        const auto rows =
            store::makeOutboxStore(*connection_)
                ->claimAvailable(message.destination.channel(), message.availableAt, message.availableAt + 1s, 10);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, rows.size());
        const domain::OutboxMessage& row = rows.front();
        CPPUNIT_ASSERT(row.id == message.id);
        CPPUNIT_ASSERT(row.kind == message.kind && row.kind == MessageKind::NewSignIn);
        CPPUNIT_ASSERT(row.otpId == message.otpId && row.otpId == Uuid{});
        CPPUNIT_ASSERT(row.purpose == message.purpose);
        CPPUNIT_ASSERT(row.destination == message.destination);
        CPPUNIT_ASSERT_EQUAL(message.locale, row.locale);
        CPPUNIT_ASSERT_EQUAL(message.requestId, row.requestId);
        CPPUNIT_ASSERT_EQUAL(message.notice.ipAddress, row.notice.ipAddress);
        CPPUNIT_ASSERT_EQUAL(message.notice.device, row.notice.device);
        CPPUNIT_ASSERT_EQUAL(std::string{}, row.notice.changedAddress);
        CPPUNIT_ASSERT(row.createdAt == message.createdAt);
        CPPUNIT_ASSERT(row.expiresAt == message.expiresAt);
        CPPUNIT_ASSERT(!row.isDiscarded && !message.isDiscarded);
    }

    void tellsWhoHasSignedInBefore() {
        signIn(kAda);
        connection_->execute("UPDATE users SET locale = 'de-AT'", {});
        clock_.advance(1h);
        const auto result = signIn(kAda);
        CPPUNIT_ASSERT_EQUAL(std::string{"de-AT"}, result.notice.value().locale);
        CPPUNIT_ASSERT_EQUAL(std::string{"192.0.2.7"}, result.notice->notice.ipAddress);
        CPPUNIT_ASSERT_EQUAL(std::string{"Ada's phone (ios)"}, result.notice->notice.device);
        assertTold(kAda, result);
    }

    void tellsNobodyWhoRegisters() {
        const auto result = signIn(kAda);
        CPPUNIT_ASSERT(result.signIn.value().isNewUser);
        assertNobodyIsTold(result);
    }

    // An administrator made the account, or its owner by form.
    void tellsNobodyOfTheFirstSignIn() {
        connection_->execute("INSERT INTO users (id, username, email, joined_at_us) VALUES (?, 'ada', ?, ?)",
                             {newId(), kAda, now()});
        assertNobodyIsTold(signIn(kAda));
        assertTold(kAda, signIn(kAda));
    }

    void tellsNobodyOfAKnownDevice() {
        const Uuid device = signIn(kAda).signIn.value().deviceId;
        assertNobodyIsTold(signIn(kAda, device));
        auto guess = newGuess(requestCode(kAda), Guess::Right);
        guess.shownDevice = device;
        guess.device.installId = "install-2";
        guess.notice = newNotice();
        CPPUNIT_ASSERT(!store_->verify(guess).notice);
    }

    void tellsOfARevokedDevice() {
        const Uuid device = signIn(kAda).signIn.value().deviceId;
        connection_->execute("UPDATE devices SET revoked_at_us = ?", {now()});
        assertTold(kAda, signIn(kAda, device));
    }

    void tellsOfTheDeviceOfAnother() {
        signIn(kAda);
        const Uuid device = signIn("eve@example.org").signIn.value().deviceId;
        assertTold(kAda, signIn(kAda, device));
    }

    void tellsNobodyWhereNoNoticeIsWanted() {
        signIn(kAda);
        const auto guess = newGuess(requestCode(kAda), Guess::Right);
        CPPUNIT_ASSERT(!store_->verify(guess).notice);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("outbox WHERE kind <> 'code'"));
    }

    void tellsNobodyOfAWrongGuessOrADisabledAccount() {
        signIn(kAda);
        auto guess = newGuess(requestCode(kAda), Guess::Wrong);
        guess.notice = newNotice();
        CPPUNIT_ASSERT(!store_->verify(guess).notice);
        connection_->execute("UPDATE users SET status = 'disabled'", {});
        assertNobodyIsTold(signIn(kAda));
    }

    void tellsAnEarlierUserWhoseDevicesAreForgotten() {
        signIn(kAda);
        connection_->execute("DELETE FROM devices", {});
        connection_->execute("DELETE FROM sessions", {});
        assertTold(kAda, signIn(kAda));
    }

    void tellsByTheAddressThatTheDomainNames() {
        signIn(kAda);
        signIn(kPhone);
        connection_->execute("DELETE FROM users WHERE phone_number = ?", {kPhone});
        const auto have = [this](bool email, bool emailVerified) {
            connection_->execute(
                "UPDATE users SET email = CASE WHEN ? = 1 THEN ? ELSE NULL END, phone_number = ?,"
                " email_verified = ?, phone_verified = 1",
                {email ? 1 : 0, kAda, kPhone, emailVerified ? 1 : 0});
        };
        have(true, true);
        assertTold(kAda, signIn(kPhone, {}, NoticeBySms::WhereNoMail));
        assertTold(kAda, signIn(kPhone));
        have(true, false);
        assertTold(kPhone, signIn(kPhone, {}, NoticeBySms::WhereNoMail));
        assertNobodyIsTold(signIn(kPhone));
        have(false, false);
        assertTold(kPhone, signIn(kPhone, {}, NoticeBySms::WhereNoMail));
        assertNobodyIsTold(signIn(kPhone));
    }

    void tellsOnceForSixteenThreads() {
        signIn(kAda);
        auto guess = newGuess(requestCode(kAda), Guess::Right);
        guess.notice = newNotice();
        std::atomic<int> told{0};
        onSixteenThreads([&](db::Connection& connection, std::size_t thread) {
            if (store::makeOtpStore(connection, Base::groupsOf(thread))->verify(guess).notice) ++told;
        });
        CPPUNIT_ASSERT_EQUAL(1, told.load());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("outbox WHERE kind = 'new_sign_in'"));
    }
};

REGISTER_ON_BOTH_ENGINES(OtpStoreNoticeTest);

}  // namespace otp_store_notice_test
}  // namespace otpgate::test
