// A user gets another address by a code of purpose change: whose code it must be, what it does once, and what it ends.
#include "contract/otp_store_test.h"

#include <atomic>

namespace otpgate::test {
namespace account_address_test {

using namespace std::chrono_literals;
using domain::Guess;
using domain::MessageKind;
using domain::Purpose;

const std::string kOld = "ada@example.org";
const std::string kNew = "ada@example.net";
const std::string kPhone = "+4366012345678";

template <class Engine>
class AccountAddressTest : public OtpStoreTest<AccountAddressTest<Engine>, Engine> {
    using Base = OtpStoreTest<AccountAddressTest<Engine>, Engine>;
    using Base::assertOutcome;
    using Base::assertWords;
    using Base::auditEvents;
    using Base::client;
    using Base::clock_;
    using Base::connection_;
    using Base::count;
    using Base::kLifetime;
    using Base::newGuess;
    using Base::newId;
    using Base::newRequest;
    using Base::now;
    using Base::only;
    using Base::onSixteenThreads;

    CPPUNIT_TEST_SUITE(AccountAddressTest);
    CPPUNIT_TEST(givesTheUserTheProvedAddress);
    CPPUNIT_TEST(addsAnAddressWhereThereWasNone);
    CPPUNIT_TEST(replacesANumber);
    CPPUNIT_TEST(endsTheOtherSessionsWhereAnAddressIsReplaced);
    CPPUNIT_TEST(endsNothingWhereAnAddressIsAdded);
    CPPUNIT_TEST(voidsWhatWasSentToTheOldAddress);
    CPPUNIT_TEST(leavesAnAddressThatAnotherAccountHas);
    CPPUNIT_TEST(leavesWhoHasTheAddressAlready);
    CPPUNIT_TEST(knowsTheCodeOfItsUserOnly);
    CPPUNIT_TEST(redeemsNoCodeOfAnotherPurpose);
    CPPUNIT_TEST(isNotRedeemedByTheGeneralWay);
    CPPUNIT_TEST(takesTheRightCodeThoughAKnownDeviceIsShown);
    CPPUNIT_TEST(leavesTheCodeUnspentWhereItsNoticeCannotBeWritten);
    CPPUNIT_TEST(leavesTheCodeUnspentWhereItsAuditEventCannotBeWritten);
    CPPUNIT_TEST(changesOnce);
    CPPUNIT_TEST(countsWrongGuesses);
    CPPUNIT_TEST(refusesWhereTheBudgetIsSpentAndKeepsTheCode);
    CPPUNIT_TEST(refusesALateCode);
    CPPUNIT_TEST(changesNothingOfADisabledAccount);
    CPPUNIT_TEST(keepsTheCodesOfTwoUsersForOneAddressApart);
    CPPUNIT_TEST(limitsRequestsByTheDestinationLikeAnyOther);
    CPPUNIT_TEST(tellsTheOldAddressAndTheNewOne);
    CPPUNIT_TEST(tellsNobodyWhereNoneIsWanted);
    CPPUNIT_TEST(changesOnceForSixteenThreads);
    CPPUNIT_TEST(givesAnAddressToOneOfSixteenUsers);
    CPPUNIT_TEST(takesOneChangeAfterTheOtherOfOneUser);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override {
        Base::setUp();
        accounts_ = store::makeAccountStore(*connection_);
        ada_ = addUser(kOld);
    }

private:
    Uuid addUser(const std::string& email, const std::string& phone = {}) {
        const Uuid id = newId();
        std::optional<std::string> number;
        if (!phone.empty()) number = phone;
        connection_->execute(
            "INSERT INTO users (id, username, email, email_verified, phone_number, phone_verified,"
            " locale, joined_at_us) VALUES (?, ?, ?, 1, ?, ?, 'de', ?)",
            {id, email, email, number, number ? 1 : 0, now()});
        return id;
    }
    Uuid requestChange(const Uuid& user, const std::string& to, const std::string& limit = "0") {
        auto request = newRequest(to);
        request.purpose = Purpose::Change;
        request.accountRule = domain::AccountRule::Any;
        request.ownerId = user;
        request.destinationRule = rule(limit);
        const auto result = Base::store_->request(request);
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, result.outcome);
        connection_->execute("DELETE FROM outbox", {});
        return result.otpId;
    }
    domain::AddressChange newChange(const Uuid& otpId, const Uuid& user, Guess guess = Guess::Right) {
        domain::OtpVerification guessed = newGuess(otpId, guess);
        guessed.purpose = Purpose::Change;
        guessed.ownerId = user;
        return {.guess = guessed,
                .keptSession = {},
                .auditId = newId(),
                .notice = domain::NoticeDraft{.id = newId(),
                                              .kind = MessageKind::AddressChanged,
                                              .facts = {.ipAddress = "192.0.2.7", .device = "x", .changedAddress = {}},
                                              .requestId = "request-1",
                                              .createdAt = now(),
                                              .expiresAt = now() + 24h,
                                              .availableAt = now() + 10s},
                .secondNoticeId = newId()};
    }
    domain::AddressChangeResult change(const Uuid& user, const std::string& to) {
        return accounts_->changeAddress(newChange(requestChange(user, to), user));
    }
    std::string addressesOf(const Uuid& user) {
        const auto found = accounts_->find(user).value();
        return found.email.value_or("none") + (found.emailVerified ? " proved, " : " unproved, ") +
               found.phoneNumber.value_or("none") + (found.phoneVerified ? " proved" : " unproved");
    }
    Uuid addDevice(const Uuid& user) {
        const Uuid id = newId();
        connection_->execute("INSERT INTO devices (id, user_id, created_at_us, last_seen_at_us) VALUES (?, ?, ?, ?)",
                             {id, user, now(), now()});
        return id;
    }
    Uuid addSession(const Uuid& user) {
        const Uuid id = newId();
        connection_->execute(
            "INSERT INTO sessions (id, user_id, device_id, created_at_us, last_seen_at_us, expires_at_us,"
            " authenticated_at_us, ip_address, user_agent) VALUES (?, ?, ?, ?, ?, ?, ?, '192.0.2.7', 'x')",
            {id, user, addDevice(user), now(), now(), now() + 168h, now()});
        return id;
    }
    bool isAlive(const Uuid& session) {
        return count(
                   "sessions s JOIN devices d ON d.id = s.device_id WHERE s.id = ? AND s.revoked_at_us IS NULL"
                   " AND d.revoked_at_us IS NULL",
                   {session}) == 1;
    }
    Uuid requestFor(Purpose purpose, const std::string& to) {
        auto request = newRequest(to);
        request.purpose = purpose;
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, Base::store_->request(request).outcome);
        return request.id;
    }

    void givesTheUserTheProvedAddress() {
        const auto result = change(ada_, kNew);
        assertOutcome(VerifyOutcome::Verified, result.code);
        CPPUNIT_ASSERT(result.code.purpose == Purpose::Change);
        CPPUNIT_ASSERT_EQUAL(kNew, result.code.destination.value().value());
        CPPUNIT_ASSERT(!result.isTaken);
        CPPUNIT_ASSERT_EQUAL(kNew, result.user.value().email.value());
        CPPUNIT_ASSERT_EQUAL(kNew + " proved, none unproved", addressesOf(ada_));
        assertWords({"OTP_REQUESTED", "OTP_VERIFIED", "ADDRESS_CHANGED"}, auditEvents());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{3}, count("audit_events WHERE user_id = ?", {ada_}));
        const db::Row audit = only("SELECT destination, metadata FROM audit_events WHERE event = 'ADDRESS_CHANGED'");
        CPPUNIT_ASSERT_EQUAL(kNew, audit.text(0));
        CPPUNIT_ASSERT_EQUAL(std::string{R"({"old":"a*a@example.org"})"}, audit.text(1));
    }

    void addsAnAddressWhereThereWasNone() {
        CPPUNIT_ASSERT(change(ada_, kPhone).user.has_value());
        CPPUNIT_ASSERT_EQUAL(kOld + " proved, " + kPhone + " proved", addressesOf(ada_));
        CPPUNIT_ASSERT_EQUAL(std::string{R"({"old":null})"},
                             only("SELECT metadata FROM audit_events WHERE event = 'ADDRESS_CHANGED'").text(0));
    }

    void replacesANumber() {
        change(ada_, kPhone);
        clock_.advance(1min);
        CPPUNIT_ASSERT_EQUAL(std::string{"+15550100"}, change(ada_, "+15550100").user.value().phoneNumber.value());
    }

    void endsTheOtherSessionsWhereAnAddressIsReplaced() {
        const Uuid kept = addSession(ada_);
        const Uuid other = addSession(ada_);
        const Uuid stranger = addSession(addUser("bob@example.org"));
        auto asked = newChange(requestChange(ada_, kNew), ada_);
        asked.keptSession = kept;
        accounts_->changeAddress(asked);
        CPPUNIT_ASSERT(isAlive(kept));
        CPPUNIT_ASSERT(!isAlive(other));
        CPPUNIT_ASSERT(isAlive(stranger));
        CPPUNIT_ASSERT_EQUAL(std::string{"address_changed"},
                             only("SELECT revoked_reason FROM sessions WHERE id = ?", {other}).text(0));
    }

    void endsNothingWhereAnAddressIsAdded() {
        const Uuid other = addSession(ada_);
        CPPUNIT_ASSERT(change(ada_, kPhone).user.has_value());
        CPPUNIT_ASSERT(isAlive(other));
    }

    void voidsWhatWasSentToTheOldAddress() {
        const Uuid login = requestFor(Purpose::Login, kOld);
        const Uuid receipt = requestFor(Purpose::Reset, kOld);
        CPPUNIT_ASSERT(Base::store_->verify(newGuess(receipt, Guess::Right)).outcome == VerifyOutcome::Verified);
        const Uuid others = requestFor(Purpose::Login, "bob@example.org");
        CPPUNIT_ASSERT(accounts_->findByReset(receipt).has_value());
        change(ada_, kNew);
        // Somebody else may get the old address; what was sent before is no proof of it any more.
        addUser(kOld);
        assertOutcome(VerifyOutcome::Expired, Base::store_->verify(newGuess(login, Guess::Right)));
        CPPUNIT_ASSERT(!accounts_->findByReset(receipt));
        assertOutcome(VerifyOutcome::Verified, Base::store_->verify(newGuess(others, Guess::Right)));
    }

    void leavesAnAddressThatAnotherAccountHas() {
        const Uuid bob = addUser("bob@example.org");
        const Uuid session = addSession(ada_);
        const auto result = change(ada_, "bob@example.org");
        assertOutcome(VerifyOutcome::Verified, result.code);
        CPPUNIT_ASSERT(result.isTaken);
        CPPUNIT_ASSERT(!result.user);
        CPPUNIT_ASSERT(result.notices.empty());
        CPPUNIT_ASSERT_EQUAL(kOld + " proved, none unproved", addressesOf(ada_));
        CPPUNIT_ASSERT_EQUAL(std::string{"bob@example.org proved, none unproved"}, addressesOf(bob));
        CPPUNIT_ASSERT(isAlive(session));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("outbox"));
        assertWords({"OTP_REQUESTED", "OTP_VERIFIED"}, auditEvents());
    }

    void leavesWhoHasTheAddressAlready() {
        connection_->execute("UPDATE users SET email_verified = 0", {});
        const Uuid session = addSession(ada_);
        for (int i = 0; i < 2; ++i) {
            const auto result = change(ada_, kOld);
            CPPUNIT_ASSERT(result.user.value().emailVerified);
            CPPUNIT_ASSERT(result.notices.empty());
        }
        CPPUNIT_ASSERT(isAlive(session));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("audit_events WHERE event = 'ADDRESS_CHANGED'"));
    }

    // Or a session could be tricked into taking the address of whoever asked.
    void knowsTheCodeOfItsUserOnly() {
        const Uuid eve = addUser("eve@example.org");
        const Uuid code = requestChange(eve, kNew);
        for (const auto guess : {Guess::Right, Guess::Wrong}) {
            const auto result = accounts_->changeAddress(newChange(code, ada_, guess));
            assertOutcome(VerifyOutcome::Unknown, result.code);
            CPPUNIT_ASSERT(!result.user);
        }
        CPPUNIT_ASSERT_EQUAL(kOld + " proved, none unproved", addressesOf(ada_));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, only("SELECT attempts FROM otp_requests").integer(0));
        assertOutcome(VerifyOutcome::Verified, accounts_->changeAddress(newChange(code, eve)).code);
    }

    void redeemsNoCodeOfAnotherPurpose() {
        for (const Purpose purpose : {Purpose::Login, Purpose::Register, Purpose::Verify, Purpose::Reset}) {
            const auto result = accounts_->changeAddress(newChange(requestFor(purpose, kNew), ada_));
            assertOutcome(VerifyOutcome::Unknown, result.code);
        }
        assertOutcome(VerifyOutcome::Unknown, accounts_->changeAddress(newChange(newId(), ada_)).code);
        CPPUNIT_ASSERT_EQUAL(kOld + " proved, none unproved", addressesOf(ada_));
    }

    // To everybody but its owner there is no such code.
    void isNotRedeemedByTheGeneralWay() {
        const Uuid code = requestChange(ada_, kNew);
        for (const auto guess : {Guess::Right, Guess::Wrong}) {
            assertOutcome(VerifyOutcome::Unknown, Base::store_->verify(newGuess(code, guess)));
            auto forLogin = newGuess(code, guess);
            forLogin.purpose = Purpose::Login;
            assertOutcome(VerifyOutcome::Unknown, Base::store_->verify(forLogin));
        }
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, only("SELECT attempts FROM otp_requests").integer(0));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("users"));
        assertOutcome(VerifyOutcome::Verified, accounts_->changeAddress(newChange(code, ada_)).code);
        assertOutcome(VerifyOutcome::Unknown, Base::store_->verify(newGuess(code, Guess::Right)));
    }

    // The fault: the code went to the lane of the device that asked, where its owner's guesses did not look for it, so
    // that whoever had a device token could not change an address.
    void takesTheRightCodeThoughAKnownDeviceIsShown() {
        const Uuid device = addDevice(ada_);
        auto request = newRequest(kNew);
        request.purpose = Purpose::Change;
        request.accountRule = domain::AccountRule::Any;
        request.ownerId = ada_;
        request.device = device;
        request.deviceBucket = domain::limitBucket("request-device", device.bytes());
        request.deviceGuessBucket = domain::limitBucket("guess-device", device.bytes());
        // Of its user's own address it is a known device, of a new one it is nobody's.
        for (const std::string& to : {kOld, kNew}) {
            request.destination = destination(to);
            request.id = newId();
            request.outboxId = newId();
            request.auditId = newId();
            CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, Base::store_->request(request).outcome);
            auto asked = newChange(request.id, ada_);
            asked.guess.shownDevice = device;
            assertOutcome(VerifyOutcome::Verified, accounts_->changeAddress(asked).code);
        }
    }

    // Nothing of a change has happened.
    void assertUntouched(const Uuid& code) {
        const db::Row row = only("SELECT attempts, consumed_at_us FROM otp_requests WHERE id = ?", {code});
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, row.integer(0));
        CPPUNIT_ASSERT(row.isNull(1));
        CPPUNIT_ASSERT_EQUAL(kOld + " proved, none unproved", addressesOf(ada_));
        assertWords({"OTP_REQUESTED"}, auditEvents());
        CPPUNIT_ASSERT(accounts_->changeAddress(newChange(code, ada_)).user.has_value());
    }

    // The fault: what fails after the code was verified must not have spent it.
    void leavesTheCodeUnspentWhereItsNoticeCannotBeWritten() {
        const Uuid session = addSession(ada_);
        const Uuid code = requestChange(ada_, kNew);
        const auto asked = newChange(code, ada_);
        connection_->execute(
            "INSERT INTO outbox (id, otp_id, channel, purpose, destination, locale, request_id, created_at_us,"
            " expires_at_us, available_at_us) VALUES (?, ?, 'email', 'login', 'eve@example.org', '', '', 1, 1, 1)",
            {asked.secondNoticeId, code});
        CPPUNIT_ASSERT_THROW(accounts_->changeAddress(asked), db::DbError);
        CPPUNIT_ASSERT(isAlive(session));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("outbox"));
        assertUntouched(code);
    }

    void leavesTheCodeUnspentWhereItsAuditEventCannotBeWritten() {
        const Uuid code = requestChange(ada_, kNew);
        auto asked = newChange(code, ada_);
        asked.auditId = only("SELECT id FROM audit_events").uuid(0);
        CPPUNIT_ASSERT_THROW(accounts_->changeAddress(asked), db::DbError);
        assertUntouched(code);
    }

    void changesOnce() {
        const Uuid code = requestChange(ada_, kNew);
        accounts_->changeAddress(newChange(code, ada_));
        change(ada_, kOld);
        assertOutcome(VerifyOutcome::Used, accounts_->changeAddress(newChange(code, ada_)).code);
        CPPUNIT_ASSERT_EQUAL(kOld + " proved, none unproved", addressesOf(ada_));
    }

    void countsWrongGuesses() {
        const Uuid code = requestChange(ada_, kNew);
        for (const unsigned left : {2U, 1U, 0U}) {
            const auto result = accounts_->changeAddress(newChange(code, ada_, Guess::Wrong));
            CPPUNIT_ASSERT(result.code.outcome == VerifyOutcome::WrongCode);
            CPPUNIT_ASSERT_EQUAL(left, result.code.attemptsLeft);
        }
        assertOutcome(VerifyOutcome::AttemptsExhausted, accounts_->changeAddress(newChange(code, ada_)).code);
        CPPUNIT_ASSERT_EQUAL(kOld + " proved, none unproved", addressesOf(ada_));
        assertWords({"OTP_REQUESTED", "OTP_FAILED", "OTP_FAILED", "OTP_FAILED"}, auditEvents());
    }

    void refusesWhereTheBudgetIsSpentAndKeepsTheCode() {
        const Uuid code = requestChange(ada_, kNew);
        const auto guessed = [&](Guess guess) {
            auto asked = newChange(code, ada_, guess);
            asked.guess.guessRule = rule("1/1h");
            return accounts_->changeAddress(asked).code;
        };
        CPPUNIT_ASSERT(guessed(Guess::Wrong).outcome == VerifyOutcome::WrongCode);
        for (const auto guess : {Guess::Right, Guess::Wrong}) {
            const auto refused = guessed(guess);
            assertOutcome(VerifyOutcome::BudgetExhausted, refused);
            CPPUNIT_ASSERT_EQUAL(std::size_t{8}, refused.hits.size());
        }
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, only("SELECT attempts FROM otp_requests").integer(0));
        assertWords({"OTP_REQUESTED", "OTP_FAILED", "OTP_LOCKED"}, auditEvents());
        assertOutcome(VerifyOutcome::Verified, accounts_->changeAddress(newChange(code, ada_)).code);
    }

    void refusesALateCode() {
        const Uuid code = requestChange(ada_, kNew);
        clock_.advance(kLifetime);
        assertOutcome(VerifyOutcome::Expired, accounts_->changeAddress(newChange(code, ada_)).code);
    }

    void changesNothingOfADisabledAccount() {
        connection_->execute("UPDATE users SET status = 'disabled'", {});
        const auto result = change(ada_, kNew);
        assertOutcome(VerifyOutcome::AccountDisabled, result.code);
        CPPUNIT_ASSERT_EQUAL(kOld + " proved, none unproved", addressesOf(ada_));
    }

    void keepsTheCodesOfTwoUsersForOneAddressApart() {
        const Uuid eve = addUser("eve@example.org");
        const Uuid adas = requestChange(ada_, kNew);
        clock_.advance(1s);
        const Uuid eves = requestChange(eve, kNew);
        const auto newest = [&](const Uuid& user) {
            return Base::store_
                ->findNewest(destination(kNew), Purpose::Change, domain::ShownDevice{user}, now() - kLifetime, now())
                .value();
        };
        CPPUNIT_ASSERT(newest(ada_) == adas);
        CPPUNIT_ASSERT(newest(eve) == eves);
        // Eve's request did not void it; a second one of Ada's does.
        const Uuid second = requestChange(ada_, kNew);
        assertOutcome(VerifyOutcome::Expired, accounts_->changeAddress(newChange(adas, ada_)).code);
        assertOutcome(VerifyOutcome::Verified, accounts_->changeAddress(newChange(second, ada_)).code);
        CPPUNIT_ASSERT(accounts_->changeAddress(newChange(eves, eve)).isTaken);
    }

    void limitsRequestsByTheDestinationLikeAnyOther() {
        for (int i = 0; i < 2; ++i) requestChange(ada_, kNew, "2/1h");
        auto request = newRequest(kNew);
        request.destinationRule = rule("2/1h");
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::DestinationLimited, Base::store_->request(request).outcome);
        request = newRequest(kNew);
        request.purpose = Purpose::Change;
        request.ownerId = addUser("eve@example.org");
        request.destinationRule = rule("2/1h");
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::DestinationLimited, Base::store_->request(request).outcome);
    }

    void tellsTheOldAddressAndTheNewOne() {
        const auto result = change(ada_, kNew);
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, result.notices.size());
        CPPUNIT_ASSERT(result.notices[0].id != result.notices[1].id);
        const auto rows =
            store::makeOutboxStore(*connection_)->claimAvailable(domain::Channel::Email, now() + 1h, now() + 2h, 10);
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, rows.size());
        for (const auto& row : rows) {
            CPPUNIT_ASSERT(row.kind == MessageKind::AddressChanged);
            CPPUNIT_ASSERT_EQUAL(std::string{"a*a@example.net"}, row.notice.changedAddress);
            CPPUNIT_ASSERT_EQUAL(std::string{"de"}, row.locale);
            CPPUNIT_ASSERT_EQUAL(std::string{"192.0.2.7"}, row.notice.ipAddress);
        }
        CPPUNIT_ASSERT_EQUAL(kOld, result.notices[0].destination.value());
        CPPUNIT_ASSERT_EQUAL(kNew, result.notices[1].destination.value());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("outbox WHERE destination = ?", {kOld}));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("outbox WHERE destination = ?", {kNew}));
    }

    void tellsNobodyWhereNoneIsWanted() {
        auto asked = newChange(requestChange(ada_, kNew), ada_);
        asked.notice.reset();
        CPPUNIT_ASSERT(accounts_->changeAddress(asked).notices.empty());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("outbox"));
    }

    void changesOnceForSixteenThreads() {
        const auto asked = newChange(requestChange(ada_, kNew), ada_);
        std::atomic<int> changed{0};
        std::atomic<int> used{0};
        onSixteenThreads([&](db::Connection& connection, std::size_t) {
            const auto result = store::makeAccountStore(connection)->changeAddress(asked);
            if (result.user) ++changed;
            if (result.code.outcome == VerifyOutcome::Used) ++used;
        });
        CPPUNIT_ASSERT_EQUAL(1, changed.load());
        CPPUNIT_ASSERT_EQUAL(15, used.load());
        assertWords({"OTP_REQUESTED", "OTP_VERIFIED", "ADDRESS_CHANGED"}, auditEvents());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, count("outbox"));
    }

    void givesAnAddressToOneOfSixteenUsers() {
        std::vector<domain::AddressChange> asked;
        for (std::size_t i = 0; i < Base::kThreads; ++i) {
            const Uuid user = addUser("user" + std::to_string(i) + "@example.org");
            asked.push_back(newChange(requestChange(user, kNew), user));
        }
        std::atomic<int> changed{0};
        std::atomic<int> taken{0};
        onSixteenThreads([&](db::Connection& connection, std::size_t i) {
            const auto result = store::makeAccountStore(connection)->changeAddress(asked[i]);
            ++(result.isTaken ? taken : changed);
        });
        CPPUNIT_ASSERT_EQUAL(1, changed.load());
        CPPUNIT_ASSERT_EQUAL(15, taken.load());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("users WHERE email = ?", {kNew}));
    }

    // Each tells the address that it replaced, so none is told of a change that was not its own.
    void takesOneChangeAfterTheOtherOfOneUser() {
        std::vector<domain::AddressChange> asked;
        for (std::size_t i = 0; i < Base::kThreads; ++i) {
            asked.push_back(newChange(requestChange(ada_, "ada" + std::to_string(i) + "@example.net"), ada_));
        }
        onSixteenThreads([&](db::Connection& connection, std::size_t i) {
            CPPUNIT_ASSERT(store::makeAccountStore(connection)->changeAddress(asked[i]).user.has_value());
        });
        // The first address is told once, the last once, each other one when it came and when it went.
        CPPUNIT_ASSERT_EQUAL(std::int64_t{32}, count("outbox"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("outbox WHERE destination = ?", {kOld}));
        const std::string last = accounts_->find(ada_).value().email.value();
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("outbox WHERE destination = ?", {last}));
    }

    std::unique_ptr<domain::AccountStore> accounts_;
    Uuid ada_;
};

REGISTER_ON_BOTH_ENGINES(AccountAddressTest);

}  // namespace account_address_test
}  // namespace otpgate::test
