// A password is reset by a code in one step: the guess is counted, the code consumed and the password set, or nothing
// of it.
#include "contract/otp_store_test.h"

#include <atomic>

namespace otpgate::test {
namespace account_reset_test {

using namespace std::chrono_literals;
using domain::Guess;
using domain::Purpose;

const std::string kAda = "ada@example.org";
const std::string kOldHash = "$argon2id$old";
const std::string kNewHash = "$argon2id$new";

template <class Engine>
class AccountResetTest : public OtpStoreTest<AccountResetTest<Engine>, Engine> {
    using Base = OtpStoreTest<AccountResetTest<Engine>, Engine>;
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

    CPPUNIT_TEST_SUITE(AccountResetTest);
    CPPUNIT_TEST(setsThePasswordByARightGuess);
    CPPUNIT_TEST(leavesNoReceiptOfTheCode);
    CPPUNIT_TEST(countsWrongGuessesAndSetsNothing);
    CPPUNIT_TEST(refusesOnASpentBudgetAndKeepsTheCode);
    CPPUNIT_TEST(refusesWhatIsNoCodeForAReset);
    CPPUNIT_TEST(setsNothingWhereThereIsNoActiveAccount);
    CPPUNIT_TEST(setsNothingByAMailboxWhereThereIsAFactor);
    CPPUNIT_TEST(resetsOnceForSixteenThreads);
    CPPUNIT_TEST(leavesTheCodeUnspentWhereItsNoticeCannotBeWritten);
    CPPUNIT_TEST(leavesTheCodeUnspentWhereItsAuditEventCannotBeWritten);
    CPPUNIT_TEST(leavesTheReceiptUnspentWhereItsNoticeCannotBeWritten);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override {
        Base::setUp();
        accounts_ = store::makeAccountStore(*connection_);
        ada_ = newId();
        connection_->execute(
            "INSERT INTO users (id, username, email, password_hash, joined_at_us) VALUES (?, 'ada', ?, ?, ?)",
            {ada_, kAda, kOldHash, now()});
    }

private:
    Uuid requestReset(const std::string& to = kAda, Purpose purpose = Purpose::Reset) {
        auto request = newRequest(to);
        request.purpose = purpose;
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, Base::store_->request(request).outcome);
        connection_->execute("DELETE FROM outbox", {});
        return request.id;
    }
    domain::PasswordReset newReset(const std::variant<Uuid, domain::OtpVerification>& proof) {
        return {.proof = proof,
                .passwordHash = kNewHash,
                .now = now(),
                .auditId = newId(),
                .client = client(),
                .notice = domain::NoticeDraft{.id = newId(),
                                              .kind = domain::MessageKind::PasswordChanged,
                                              .facts = {.ipAddress = "192.0.2.7", .device = "x", .changedAddress = {}},
                                              .requestId = "request-1",
                                              .createdAt = now(),
                                              .expiresAt = now() + 24h,
                                              .availableAt = now() + 10s}};
    }
    domain::PasswordReset byGuess(const Uuid& code, Guess guess = Guess::Right, const domain::LimitRule& budget = {}) {
        auto verification = newGuess(code, guess, budget);
        verification.purpose = Purpose::Reset;
        return newReset(verification);
    }
    Uuid addSession() {
        const Uuid id = newId();
        connection_->execute(
            "INSERT INTO sessions (id, user_id, created_at_us, last_seen_at_us, expires_at_us, authenticated_at_us,"
            " ip_address, user_agent) VALUES (?, ?, ?, ?, ?, ?, '192.0.2.7', 'x')",
            {id, ada_, now(), now(), now() + 168h, now()});
        return id;
    }
    std::string hash() { return only("SELECT password_hash FROM users").text(0); }
    // As if it had never been asked for.
    void assertUntouched(const Uuid& code) {
        const db::Row row = only(
            "SELECT attempts, consumed_at_us, redeemed_at_us, expires_at_us FROM otp_requests WHERE id = ?", {code});
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, row.integer(0));
        CPPUNIT_ASSERT(row.isNull(1));
        CPPUNIT_ASSERT(row.isNull(2));
        CPPUNIT_ASSERT(row.timestamp(3) > now());
        CPPUNIT_ASSERT_EQUAL(kOldHash, hash());
    }

    void setsThePasswordByARightGuess() {
        const Uuid session = addSession();
        const Uuid code = requestReset();
        const auto reset = byGuess(code);
        const auto setting = accounts_->resetPassword(reset);
        CPPUNIT_ASSERT(setting.isDone);
        assertOutcome(VerifyOutcome::Verified, setting.code);
        CPPUNIT_ASSERT_EQUAL(kAda, setting.code.destination.value().value());
        CPPUNIT_ASSERT(setting.code.purpose == Purpose::Reset);
        CPPUNIT_ASSERT_EQUAL(kNewHash, hash());
        CPPUNIT_ASSERT(setting.notice.value().id == reset.notice->id);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("outbox WHERE kind = 'password_changed'"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("sessions WHERE id = ? AND revoked_at_us = ?", {session, now()}));
        // Nobody is signed in by it.
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("sessions WHERE revoked_at_us IS NULL"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("users WHERE email_verified = 1"));
        assertWords({"OTP_REQUESTED", "OTP_VERIFIED", "PASSWORD_RESET"}, auditEvents());
        assertOutcome(VerifyOutcome::Used, accounts_->resetPassword(byGuess(code)).code);
    }

    void setsNothingByAMailboxWhereThereIsAFactor() {
        Base::addPasskey(ada_, 1);
        const Uuid session = addSession();
        const auto setting = accounts_->resetPassword(byGuess(requestReset()));
        CPPUNIT_ASSERT(setting.needsFactor && !setting.isDone && !setting.notice);
        CPPUNIT_ASSERT_EQUAL(kOldHash, hash());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("sessions WHERE id = ? AND revoked_at_us IS NULL", {session}));
    }

    // Else the same code would set another password by its receipt.
    void leavesNoReceiptOfTheCode() {
        const Uuid code = requestReset();
        CPPUNIT_ASSERT(accounts_->resetPassword(byGuess(code)).isDone);
        CPPUNIT_ASSERT(!accounts_->findByReset(code));
        CPPUNIT_ASSERT(!accounts_->resetPassword(newReset(code)).isDone);
    }

    void countsWrongGuessesAndSetsNothing() {
        const Uuid code = requestReset();
        for (const unsigned left : {2U, 1U, 0U}) {
            const auto setting = accounts_->resetPassword(byGuess(code, Guess::Wrong));
            CPPUNIT_ASSERT(!setting.isDone);
            CPPUNIT_ASSERT(!setting.notice);
            CPPUNIT_ASSERT_EQUAL(VerifyOutcome::WrongCode, setting.code.outcome);
            CPPUNIT_ASSERT_EQUAL(left, setting.code.attemptsLeft);
        }
        const auto setting = accounts_->resetPassword(byGuess(code));
        CPPUNIT_ASSERT(!setting.isDone);
        assertOutcome(VerifyOutcome::AttemptsExhausted, setting.code);
        CPPUNIT_ASSERT_EQUAL(kOldHash, hash());
        assertWords({"OTP_REQUESTED", "OTP_FAILED", "OTP_FAILED", "OTP_FAILED"}, auditEvents());
    }

    void refusesOnASpentBudgetAndKeepsTheCode() {
        const Uuid other = requestReset();
        const auto one = rule("1/1h");
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::WrongCode,
                             accounts_->resetPassword(byGuess(other, Guess::Wrong, one)).code.outcome);
        const Uuid code = requestReset();
        const auto refused = accounts_->resetPassword(byGuess(code, Guess::Right, one));
        CPPUNIT_ASSERT(!refused.isDone);
        assertOutcome(VerifyOutcome::BudgetExhausted, refused.code);
        assertUntouched(code);
        CPPUNIT_ASSERT(accounts_->resetPassword(byGuess(code)).isDone);
    }

    void refusesWhatIsNoCodeForAReset() {
        for (const Purpose purpose : {Purpose::Login, Purpose::Register, Purpose::Verify}) {
            const auto setting = accounts_->resetPassword(byGuess(requestReset(kAda, purpose)));
            CPPUNIT_ASSERT(!setting.isDone);
            assertOutcome(VerifyOutcome::Unknown, setting.code);
        }
        assertOutcome(VerifyOutcome::Unknown, accounts_->resetPassword(byGuess(newId())).code);
        const Uuid late = requestReset();
        clock_.advance(kLifetime);
        assertOutcome(VerifyOutcome::Expired, accounts_->resetPassword(byGuess(late)).code);
        CPPUNIT_ASSERT_EQUAL(kOldHash, hash());
    }

    void setsNothingWhereThereIsNoActiveAccount() {
        const Uuid nobodys = requestReset("nobody@example.org");
        CPPUNIT_ASSERT(!accounts_->resetPassword(byGuess(nobodys)).isDone);
        const Uuid code = requestReset();
        connection_->execute("UPDATE users SET status = 'disabled'", {});
        const auto setting = accounts_->resetPassword(byGuess(code));
        CPPUNIT_ASSERT(!setting.isDone);
        CPPUNIT_ASSERT(!setting.notice);
        CPPUNIT_ASSERT_EQUAL(kOldHash, hash());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("audit_events WHERE event = 'PASSWORD_RESET'"));
    }

    void resetsOnceForSixteenThreads() {
        const Uuid code = requestReset();
        std::vector<domain::PasswordReset> resets;
        for (std::size_t i = 0; i < Base::kThreads; ++i) resets.push_back(byGuess(code));
        std::atomic<int> done{0};
        std::atomic<int> used{0};
        onSixteenThreads([&](db::Connection& connection, std::size_t i) {
            const auto setting = store::makeAccountStore(connection)->resetPassword(resets[i]);
            if (setting.isDone) ++done;
            if (setting.code.outcome == VerifyOutcome::Used) ++used;
        });
        CPPUNIT_ASSERT_EQUAL(1, done.load());
        CPPUNIT_ASSERT_EQUAL(15, used.load());
        assertWords({"OTP_REQUESTED", "OTP_VERIFIED", "PASSWORD_RESET"}, auditEvents());
    }

    // The fault: the code was verified in a transaction of its own, so that what failed after it had spent it.
    void leavesTheCodeUnspentWhereItsNoticeCannotBeWritten() {
        const Uuid session = addSession();
        const Uuid code = requestReset();
        auto reset = byGuess(code);
        takeOutboxId(reset.notice->id);
        CPPUNIT_ASSERT_THROW(accounts_->resetPassword(reset), db::DbError);
        assertUntouched(code);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("sessions WHERE id = ? AND revoked_at_us IS NULL", {session}));
        assertWords({"OTP_REQUESTED"}, auditEvents());
        CPPUNIT_ASSERT(accounts_->resetPassword(byGuess(code)).isDone);
    }

    void leavesTheCodeUnspentWhereItsAuditEventCannotBeWritten() {
        const Uuid code = requestReset();
        auto reset = byGuess(code);
        reset.auditId = only("SELECT id FROM audit_events").uuid(0);
        CPPUNIT_ASSERT_THROW(accounts_->resetPassword(reset), db::DbError);
        assertUntouched(code);
        CPPUNIT_ASSERT(accounts_->resetPassword(byGuess(code)).isDone);
    }

    void leavesTheReceiptUnspentWhereItsNoticeCannotBeWritten() {
        const Uuid code = requestReset();
        auto guess = newGuess(code, Guess::Right);
        guess.purpose = Purpose::Reset;
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, Base::store_->verify(guess).outcome);
        const auto reset = newReset(code);
        takeOutboxId(reset.notice->id);
        CPPUNIT_ASSERT_THROW(accounts_->resetPassword(reset), db::DbError);
        CPPUNIT_ASSERT_EQUAL(kOldHash, hash());
        CPPUNIT_ASSERT(accounts_->findByReset(code).has_value());
        CPPUNIT_ASSERT(accounts_->resetPassword(newReset(code)).isDone);
    }

    // So that no other message can have it.
    void takeOutboxId(const Uuid& id) {
        connection_->execute(
            "INSERT INTO outbox (id, otp_id, channel, purpose, destination, locale, request_id, created_at_us,"
            " expires_at_us, available_at_us) VALUES (?, ?, 'email', 'login', 'eve@example.org', '', '', 1, 1, 1)",
            {id, id});
    }

    std::unique_ptr<domain::AccountStore> accounts_;
    Uuid ada_;
};

REGISTER_ON_BOTH_ENGINES(AccountResetTest);

}  // namespace account_reset_test
}  // namespace otpgate::test
