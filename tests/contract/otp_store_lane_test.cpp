// Known devices: each has codes, requests and guesses of its own, so nobody can lock its owner out.
#include "contract/otp_store_test.h"

#include <atomic>

namespace otpgate::test {
namespace otp_store_lane_test {

using namespace std::chrono_literals;
using domain::Guess;
using domain::Purpose;
using domain::ShownDevice;

const std::string kAda = "ada@example.org";
const std::string kEve = "eve@example.org";
constexpr const char* kOtherAddress = "192.0.2.8";

template <class Engine>
class OtpStoreLaneTest : public OtpStoreTest<OtpStoreLaneTest<Engine>, Engine> {
    using Base = OtpStoreTest<OtpStoreLaneTest<Engine>, Engine>;
    using Base::assertOutcome;
    using Base::assertWords;
    using Base::auditEvents;
    using Base::clock_;
    using Base::connection_;
    using Base::count;
    using Base::guessRight;
    using Base::guessWrong;
    using Base::kLifetime;
    using Base::newGuess;
    using Base::newId;
    using Base::newRequest;
    using Base::now;
    using Base::only;
    using Base::onSixteenThreads;
    using Base::requestCode;
    using Base::store_;

    CPPUNIT_TEST_SUITE(OtpStoreLaneTest);
    CPPUNIT_TEST(writesTheLaneAndTheGuessBucketOfTheDevice);
    CPPUNIT_TEST(letsADeviceAskWhereStrangersMayNot);
    CPPUNIT_TEST(letsADeviceAskWhereItsClientAddressMayNot);
    CPPUNIT_TEST(countsNoRequestOfADeviceAgainstStrangers);
    CPPUNIT_TEST(refusesADeviceThatAskedTooOften);
    CPPUNIT_TEST(letsADeviceGuessWhereStrangersMayNot);
    CPPUNIT_TEST(countsNoGuessOfADeviceAgainstStrangers);
    CPPUNIT_TEST(voidsOnlyTheOlderCodeOfItsLane);
    CPPUNIT_TEST(repeatsOnlyTheCodeOfItsLane);
    CPPUNIT_TEST(keepsTwoDevicesOfOneUserApart);
    CPPUNIT_TEST(findsTheCodeOfTheDeviceFirst);
    CPPUNIT_TEST(findsNoCodeOfAnotherDevice);
    CPPUNIT_TEST(takesADeviceThatItDoesNotKnowForAStranger);
    CPPUNIT_TEST(takesARevokedDeviceForAStranger);
    CPPUNIT_TEST(takesTheDeviceOfAnotherUserForAStranger);
    CPPUNIT_TEST(takesADeviceForAStrangerWhereThereIsNoAccount);
    CPPUNIT_TEST(acceptsExactlyFiveOfManyRequestsOfADevice);
    CPPUNIT_TEST(remembersTheDeviceOfASignIn);
    CPPUNIT_TEST(recognisesTheDeviceThatIsShown);
    CPPUNIT_TEST(recognisesTheInstallationThatNamesItself);
    CPPUNIT_TEST(believesTheTokenBeforeTheInstallation);
    CPPUNIT_TEST(makesANewDeviceOfWhoShowsNothing);
    CPPUNIT_TEST(recognisesNoDeviceOfAnotherUser);
    CPPUNIT_TEST(recognisesNoRevokedDevice);
    CPPUNIT_TEST(remembersNoDeviceOfWhoIsNotSignedIn);
    CPPUNIT_TEST_SUITE_END();

    domain::OtpVerifyResult signIn(const std::string& to, const ShownDevice& shown = {},
                                   const domain::Device& device = {}) {
        auto guess = newGuess(requestCode(to), Guess::Right);
        guess.shownDevice = shown;
        guess.device = device;
        return store_->verify(guess);
    }
    // A device that has signed in to the account of this address, whose bucket has forgotten that a code was asked for.
    Uuid knownDevice(const std::string& to) {
        const Uuid device = signIn(to).signIn.value().deviceId;
        const std::string bucket = domain::limitBucket("request", to);
        connection_->execute("DELETE FROM rate_limits WHERE bucket = ?", {db::Param::blob(bucket)});
        return device;
    }
    void revoke(const Uuid& device) {
        connection_->execute("UPDATE devices SET revoked_at_us = ? WHERE id = ?", {now(), device});
    }

    domain::NewOtpRequest requestBy(const ShownDevice& device, const std::string& to, const char* limit = "0",
                                    const std::string& from = "192.0.2.7") {
        auto request = newRequest(to);
        request.destinationRule = rule(limit);
        request.clientRule = rule(limit);
        request.clientBucket = domain::limitBucket("request-client", from);
        request.client = Base::client(from);
        if (device) {
            request.device = device;
            request.deviceBucket = domain::limitBucket("request-device", device->bytes());
            request.deviceGuessBucket = domain::limitBucket("guess-device", device->bytes());
        }
        return request;
    }
    RequestOutcome ask(const ShownDevice& device, const std::string& to, const char* limit,
                       const std::string& from = "192.0.2.7") {
        return store_->request(requestBy(device, to, limit, from)).outcome;
    }
    Uuid codeOf(const ShownDevice& device, const std::string& to) {
        const auto result = store_->request(requestBy(device, to));
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, result.outcome);
        return result.otpId;
    }
    Uuid laneOf(const Uuid& code) { return only("SELECT lane FROM otp_requests WHERE id = ?", {code}).uuid(0); }
    std::optional<Uuid> newest(const ShownDevice& device, const std::string& to = kAda) {
        return store_->findNewest(destination(to), Purpose::Login, device, now() - kLifetime, now());
    }

    void writesTheLaneAndTheGuessBucketOfTheDevice() {
        const Uuid device = knownDevice(kAda);
        const auto request = requestBy(device, kAda);
        const auto result = store_->request(request);
        CPPUNIT_ASSERT(result.otpId == request.id);
        CPPUNIT_ASSERT(result.expiresAt == request.expiresAt);
        CPPUNIT_ASSERT(!result.isDiscarded);
        CPPUNIT_ASSERT(laneOf(request.id) == device);
        CPPUNIT_ASSERT(only("SELECT guess_bucket FROM otp_requests WHERE id = ?", {request.id}).text(0) ==
                       request.deviceGuessBucket);
        const auto strangers = requestBy({}, kAda);
        store_->request(strangers);
        CPPUNIT_ASSERT(laneOf(strangers.id) == Uuid{});
        CPPUNIT_ASSERT(only("SELECT guess_bucket FROM otp_requests WHERE id = ?", {strangers.id}).text(0) ==
                       strangers.guessBucket);
    }

    void letsADeviceAskWhereStrangersMayNot() {
        const Uuid device = knownDevice(kAda);
        for (int i = 0; i < 2; ++i)
            CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, ask({}, kAda, "2/1h", "198.51.100.1"));
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::DestinationLimited, ask({}, kAda, "2/1h"));
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, ask(device, kAda, "2/1h"));
    }

    // Others behind the same address, of an office or of a telephone network, do not stop it.
    void letsADeviceAskWhereItsClientAddressMayNot() {
        const Uuid device = knownDevice(kAda);
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, ask({}, "bob@example.org", "2/1h"));
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, ask({}, "joe@example.org", "2/1h"));
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::ClientLimited, ask({}, kAda, "2/1h"));
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, ask(device, kAda, "2/1h"));
    }

    void countsNoRequestOfADeviceAgainstStrangers() {
        const Uuid device = knownDevice(kAda);
        for (int i = 0; i < 2; ++i) CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, ask(device, kAda, "2/1h"));
        for (int i = 0; i < 2; ++i) CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, ask({}, kAda, "2/1h"));
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::ClientLimited, ask({}, kAda, "2/1h"));
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::DestinationLimited, ask({}, kAda, "2/1h", kOtherAddress));
    }

    void refusesADeviceThatAskedTooOften() {
        const Uuid device = knownDevice(kAda);
        connection_->execute("DELETE FROM audit_events", {});
        const Timestamp begun = now();
        for (int i = 0; i < 2; ++i, clock_.advance(10min)) {
            const auto accepted = store_->request(requestBy(device, kAda, "2/1h"));
            CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, accepted.outcome);
            CPPUNIT_ASSERT_EQUAL(1U - static_cast<unsigned>(i),
                                 domain::LimitHits{accepted.hits}.state(rule("2/1h"), now()).remaining);
        }
        // Wherever it asks from.
        for (const char* from : {"192.0.2.7", kOtherAddress}) {
            const auto refused = store_->request(requestBy(device, kAda, "2/1h", from));
            CPPUNIT_ASSERT_EQUAL(RequestOutcome::DestinationLimited, refused.outcome);
            CPPUNIT_ASSERT(now() + domain::LimitHits{refused.hits}.state(rule("2/1h"), now()).reset == begun + 1h);
        }
        assertWords({"OTP_REQUESTED", "OTP_REQUESTED", "OTP_RATE_LIMITED"}, auditEvents());
        // What was refused is counted against nobody, and nobody's account stands beside it.
        CPPUNIT_ASSERT(only("SELECT user_id FROM audit_events WHERE event = 'OTP_RATE_LIMITED'").isNull(0));
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, ask({}, kAda, "1/1h"));
    }

    void letsADeviceGuessWhereStrangersMayNot() {
        const Uuid device = knownDevice(kAda);
        const auto budget = rule("2/1h");
        const Uuid strangers = codeOf({}, kAda);
        for (int i = 0; i < 2; ++i)
            CPPUNIT_ASSERT_EQUAL(VerifyOutcome::WrongCode, guessWrong(strangers, budget).outcome);
        assertOutcome(VerifyOutcome::BudgetExhausted, guessRight(strangers, budget));
        const Uuid own = codeOf(device, kAda);
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::WrongCode, guessWrong(own, budget).outcome);
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, guessRight(own, budget).outcome);
    }

    // Its budget is one, whichever code it guesses at.
    void countsNoGuessOfADeviceAgainstStrangers() {
        const Uuid device = knownDevice(kAda);
        const auto budget = rule("2/1h");
        const Uuid strangers = codeOf({}, kAda);
        const Uuid first = codeOf(device, kAda);
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::WrongCode, guessWrong(first, budget).outcome);
        clock_.advance(1s);
        const Uuid second = codeOf(device, kAda);
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::WrongCode, guessWrong(second, budget).outcome);
        assertOutcome(VerifyOutcome::BudgetExhausted, guessWrong(second, budget));
        assertOutcome(VerifyOutcome::BudgetExhausted, guessRight(second, budget));
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::WrongCode, guessWrong(strangers, budget).outcome);
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, guessRight(strangers, budget).outcome);
    }

    void voidsOnlyTheOlderCodeOfItsLane() {
        const Uuid device = knownDevice(kAda);
        const Uuid own = codeOf(device, kAda);
        const Uuid strangers = codeOf({}, kAda);
        clock_.advance(1min);
        const Uuid strangersNext = codeOf({}, kAda);
        assertOutcome(VerifyOutcome::Expired, guessRight(strangers));
        clock_.advance(1min);
        const Uuid ownNext = codeOf(device, kAda);
        assertOutcome(VerifyOutcome::Expired, guessRight(own));
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, guessRight(strangersNext).outcome);
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, guessRight(ownNext).outcome);
    }

    // Or a stranger would be told the id of the device's code, and could spend its attempts.
    void repeatsOnlyTheCodeOfItsLane() {
        const Uuid device = knownDevice(kAda);
        const auto repeatBy = [this](const ShownDevice& shown) {
            auto request = requestBy(shown, kAda);
            request.resend = domain::Resend::Repeat;
            return store_->request(request).otpId;
        };
        const Uuid own = repeatBy(device);
        const Uuid strangers = repeatBy({});
        CPPUNIT_ASSERT(strangers != own);
        CPPUNIT_ASSERT(repeatBy(device) == own);
        CPPUNIT_ASSERT(repeatBy({}) == strangers);
        CPPUNIT_ASSERT(repeatBy(newId()) == strangers);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, count("otp_requests WHERE consumed_at_us IS NULL"));
    }

    void keepsTwoDevicesOfOneUserApart() {
        const Uuid phone = knownDevice(kAda);
        const Uuid laptop = knownDevice(kAda);
        CPPUNIT_ASSERT(phone != laptop);
        const Uuid code = codeOf(phone, kAda);
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, ask(phone, kAda, "2/1h"));
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::DestinationLimited, ask(phone, kAda, "2/1h"));
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, ask(laptop, kAda, "1/1h"));
        assertOutcome(VerifyOutcome::Expired, guessRight(code));
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, guessRight(newest(phone).value()).outcome);
    }

    void findsTheCodeOfTheDeviceFirst() {
        const Uuid device = knownDevice(kAda);
        clock_.advance(kLifetime + 1ms);
        CPPUNIT_ASSERT(!newest(device));
        const Uuid strangers = codeOf({}, kAda);
        CPPUNIT_ASSERT(newest(device) == strangers);
        const Uuid own = codeOf(device, kAda);
        clock_.advance(1min);
        // A stranger's request after it does not come before it.
        const Uuid strangersNext = codeOf({}, kAda);
        CPPUNIT_ASSERT(newest(device) == own);
        CPPUNIT_ASSERT(newest({}) == strangersNext);
        clock_.advance(kLifetime - 1min + 1ms);
        CPPUNIT_ASSERT(newest(device) == strangersNext);
    }

    void findsNoCodeOfAnotherDevice() {
        const Uuid device = knownDevice(kAda);
        const Uuid eves = knownDevice(kEve);
        const Uuid strangers = codeOf({}, kAda);
        codeOf(device, kAda);
        CPPUNIT_ASSERT(newest(eves) == strangers);
        CPPUNIT_ASSERT(newest(newId()) == strangers);
        CPPUNIT_ASSERT(newest(Uuid{}) == strangers);
        CPPUNIT_ASSERT(!newest(device, "joe@example.org"));
    }

    // Its requests are counted where those of strangers are, and its code lies where theirs do.
    void assertStranger(const Uuid& device, const std::string& to) {
        clock_.advance(24h);
        connection_->execute("DELETE FROM rate_limits", {});
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, ask({}, to, "2/1h", kOtherAddress));
        const auto request = requestBy(device, to, "2/1h");
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, store_->request(request).outcome);
        CPPUNIT_ASSERT(laneOf(request.id) == Uuid{});
        CPPUNIT_ASSERT(only("SELECT guess_bucket FROM otp_requests WHERE id = ?", {request.id}).text(0) ==
                       request.guessBucket);
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::DestinationLimited, ask(device, to, "2/1h"));
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, ask({}, "joe@example.org", "2/1h"));
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::ClientLimited, ask(device, to, "2/1h"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0},
                             count("rate_limits WHERE bucket = ?", {db::Param::blob(request.deviceBucket)}));
    }

    void takesADeviceThatItDoesNotKnowForAStranger() {
        knownDevice(kAda);
        assertStranger(newId(), kAda);
        assertStranger(Uuid{}, kAda);
    }

    void takesARevokedDeviceForAStranger() {
        const Uuid device = knownDevice(kAda);
        revoke(device);
        assertStranger(device, kAda);
    }

    void takesTheDeviceOfAnotherUserForAStranger() {
        knownDevice(kAda);
        assertStranger(knownDevice(kEve), kAda);
    }

    void takesADeviceForAStrangerWhereThereIsNoAccount() { assertStranger(knownDevice(kEve), kAda); }

    void acceptsExactlyFiveOfManyRequestsOfADevice() {
        const Uuid device = knownDevice(kAda);
        std::atomic<int> accepted{0};
        onSixteenThreads([&](db::Connection& connection, std::size_t i) {
            const auto store = store::makeOtpStore(connection, Base::groupsOf(i / 2));
            for (int round = 0; round < 3; ++round) {
                clock_.advance(1us);
                const bool isOwn = i % 2 == 0;
                const auto request = requestBy(isOwn ? ShownDevice{device} : ShownDevice{}, kAda, "5/1h");
                if (store->request(request).outcome == RequestOutcome::Accepted) ++accepted;
            }
        });
        // Five of the device, and five of the strangers, who also share a client address.
        CPPUNIT_ASSERT_EQUAL(10, accepted.load());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{5}, count("otp_requests WHERE lane = ?", {device}));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1},
                             count("otp_requests WHERE lane = ? AND expires_at_us > ?", {device, now()}));
    }

    void remembersTheDeviceOfASignIn() {
        const auto guess = newGuess(requestCode(kAda), Guess::Right);
        const auto result = store_->verify(guess);
        CPPUNIT_ASSERT(result.signIn.value().deviceId == guess.newDeviceId);
        const db::Row row = only(
            "SELECT id, user_id, install_id, platform, app_version, device_name, created_at_us, last_seen_at_us,"
            " revoked_at_us FROM devices");
        CPPUNIT_ASSERT(row.uuid(0) == guess.newDeviceId);
        CPPUNIT_ASSERT(row.uuid(1) == result.signIn.value().user.id);
        const std::string words[] = {"install-1", "ios", "4.2", "Ada's phone"};
        for (std::size_t i = 0; i < std::size(words); ++i) CPPUNIT_ASSERT_EQUAL(words[i], row.text(2 + i));
        CPPUNIT_ASSERT(row.timestamp(6) == now() && row.timestamp(7) == now());
        CPPUNIT_ASSERT(row.isNull(8));
        CPPUNIT_ASSERT(only("SELECT device_id FROM sessions").uuid(0) == guess.newDeviceId);
    }

    void recognisesTheDeviceThatIsShown() {
        const Uuid device = knownDevice(kAda);
        clock_.advance(1h);
        const auto again = signIn(kAda, device, {"", "web", "2", keys(25)});
        CPPUNIT_ASSERT(again.signIn.value().deviceId == device);
        const db::Row row =
            only("SELECT platform, app_version, device_name, created_at_us, last_seen_at_us FROM devices");
        CPPUNIT_ASSERT_EQUAL(std::string{"web"}, row.text(0));
        CPPUNIT_ASSERT_EQUAL(std::string{"2"}, row.text(1));
        CPPUNIT_ASSERT_EQUAL(keys(25), row.text(2));
        CPPUNIT_ASSERT(row.timestamp(3) == now() - 1h);
        CPPUNIT_ASSERT(row.timestamp(4) == now());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, count("sessions WHERE device_id = ?", {device}));
        // By whatever address of the account it signs in, it is the same one.
        connection_->execute("UPDATE users SET phone_number = '+4366012345678'", {});
        CPPUNIT_ASSERT(signIn("+4366012345678", device).signIn.value().deviceId == device);
    }

    void recognisesTheInstallationThatNamesItself() {
        const domain::Device app{"install-1", "ios", "4.2", "Ada's phone"};
        const Uuid device = signIn(kAda, {}, app).signIn.value().deviceId;
        CPPUNIT_ASSERT(signIn(kAda, {}, app).signIn.value().deviceId == device);
        CPPUNIT_ASSERT(signIn(kAda, newId(), app).signIn.value().deviceId == device);
        CPPUNIT_ASSERT(signIn(kAda, {}, {"install-2", "", "", ""}).signIn.value().deviceId != device);
        CPPUNIT_ASSERT(signIn(kAda, {}, {"INSTALL-1", "", "", ""}).signIn.value().deviceId != device);
    }

    // The token is proved, the name of an installation is only said.
    void believesTheTokenBeforeTheInstallation() {
        const Uuid older = knownDevice(kAda);
        const domain::Device app{"install-1", "ios", "4.2", "Ada's phone"};
        const Uuid newer = signIn(kAda, {}, app).signIn.value().deviceId;
        CPPUNIT_ASSERT(older < newer);
        CPPUNIT_ASSERT(signIn(kAda, older, app).signIn.value().deviceId == older);
        CPPUNIT_ASSERT(signIn(kAda, newer, app).signIn.value().deviceId == newer);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, count("devices"));
    }

    void makesANewDeviceOfWhoShowsNothing() {
        CPPUNIT_ASSERT(knownDevice(kAda) != knownDevice(kAda));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, count("devices"));
    }

    void recognisesNoDeviceOfAnotherUser() {
        const domain::Device app{"install-1", "ios", "4.2", "The family's tablet"};
        const Uuid eves = signIn(kEve, {}, app).signIn.value().deviceId;
        const Uuid adas = signIn(kAda, eves, app).signIn.value().deviceId;
        CPPUNIT_ASSERT(adas != eves);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("devices JOIN users ON users.id = devices.user_id"
                                                    " WHERE devices.id = ? AND email = ?",
                                                    {adas, kAda}));
    }

    void recognisesNoRevokedDevice() {
        const domain::Device app{"install-1", "ios", "4.2", "Ada's phone"};
        const Uuid device = signIn(kAda, {}, app).signIn.value().deviceId;
        revoke(device);
        const Uuid next = signIn(kAda, device, app).signIn.value().deviceId;
        CPPUNIT_ASSERT(next != device);
        CPPUNIT_ASSERT(signIn(kAda, device, app).signIn.value().deviceId == next);
        CPPUNIT_ASSERT(!only("SELECT revoked_at_us FROM devices WHERE id = ?", {device}).isNull(0));
    }

    void remembersNoDeviceOfWhoIsNotSignedIn() {
        guessWrong(requestCode(kAda));
        auto reset = newRequest(kAda);
        reset.purpose = Purpose::Reset;
        store_->request(reset);
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, guessRight(reset.id).outcome);
        guessRight(requestCode(kEve));
        connection_->execute("UPDATE users SET status = 'disabled'", {});
        assertOutcome(VerifyOutcome::AccountDisabled, signIn(kEve));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("devices"));
    }
};

REGISTER_ON_BOTH_ENGINES(OtpStoreLaneTest);

}  // namespace otp_store_lane_test
}  // namespace otpgate::test
