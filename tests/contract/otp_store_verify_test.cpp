// Redeeming a code: who is signed in, what is counted, and what each refusal leaves behind.
#include "contract/otp_store_test.h"

namespace otpgate::test {
namespace otp_store_verify_test {

using namespace std::chrono_literals;
using domain::Guess;

template <class Engine>
class OtpStoreVerifyTest : public OtpStoreTest<OtpStoreVerifyTest<Engine>, Engine> {
    using Base = OtpStoreTest<OtpStoreVerifyTest<Engine>, Engine>;
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
    using Base::now;
    using Base::only;
    using Base::requestAnotherCode;
    using Base::requestCode;
    using Base::store_;

    CPPUNIT_TEST_SUITE(OtpStoreVerifyTest);
    CPPUNIT_TEST(createsTheUserOfANewAddress);
    CPPUNIT_TEST(remembersTheLanguageOfANewUserAlone);
    CPPUNIT_TEST(opensASession);
    CPPUNIT_TEST(opensNoSecondSessionWhereTheAnswerWasLost);
    CPPUNIT_TEST(auditsTheFirstLogin);
    CPPUNIT_TEST(recognisesTheUserAtTheNextLogin);
    CPPUNIT_TEST(keepsLongValuesWhole);
    CPPUNIT_TEST(signsInByPhone);
    CPPUNIT_TEST(marksTheAddressOfAKnownUserVerified);
    CPPUNIT_TEST(countsTheAttemptsDown);
    CPPUNIT_TEST(auditsAWrongGuess);
    CPPUNIT_TEST(verifiesAtTheLastAttempt);
    CPPUNIT_TEST(redeemsACodeOnce);
    CPPUNIT_TEST(endsACodeAtItsTime);
    CPPUNIT_TEST(leavesNoRowOfAGuessAtNothing);
    CPPUNIT_TEST(knowsNoForeignId);
    CPPUNIT_TEST(namesTheFirstReasonOfSeveral);
    CPPUNIT_TEST(refusesADisabledUser);
    CPPUNIT_TEST(tellsTheChannelAndPurposeOfEveryCode);
    CPPUNIT_TEST(tellsNothingOfNoCode);
    CPPUNIT_TEST_SUITE_END();

    void createsTheUserOfANewAddress() {
        const auto guess = newGuess(requestCode("ada@example.org"), Guess::Right);
        const auto result = store_->verify(guess);
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, result.outcome);
        CPPUNIT_ASSERT(result.signIn.value().isNewUser);
        CPPUNIT_ASSERT(result.signIn.value().sessionId == guess.sessionId);
        const domain::User user = result.signIn.value().user;
        CPPUNIT_ASSERT(user.id == guess.newUserId);
        CPPUNIT_ASSERT(!user.username);
        CPPUNIT_ASSERT_EQUAL(std::string{"ada@example.org"}, user.email.value());
        CPPUNIT_ASSERT(!user.phoneNumber);
        CPPUNIT_ASSERT(user.emailVerified && !user.phoneVerified);
        CPPUNIT_ASSERT(user.firstName.empty() && user.lastName.empty() && user.locale.empty());
        CPPUNIT_ASSERT(user.role == domain::Role::User);
        CPPUNIT_ASSERT(user.status == domain::UserStatus::Active);
        CPPUNIT_ASSERT(user.joinedAt == now());
        CPPUNIT_ASSERT(user.lastLoginAt == now());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("users"));
    }

    void remembersTheLanguageOfANewUserAlone() {
        for (const char* address : {"ada@example.org", "+4366012345678"}) {
            auto first = newGuess(requestCode(address), Guess::Right);
            first.client.languages = "pt-BR,pt,en";
            CPPUNIT_ASSERT_EQUAL(std::string{"pt-BR"}, store_->verify(first).signIn.value().user.locale);
            auto second = newGuess(requestCode(address), Guess::Right);
            second.client.languages = "de";
            CPPUNIT_ASSERT_EQUAL(std::string{"pt-BR"}, store_->verify(second).signIn.value().user.locale);
        }
    }

    void opensASession() {
        const auto guess = newGuess(requestCode("ada@example.org"), Guess::Right);
        store_->verify(guess);
        const db::Row row = only(
            "SELECT id, user_id, created_at_us, last_seen_at_us, expires_at_us, authenticated_at_us,"
            " refresh_counter, rotated_at_us, revoked_at_us, revoked_reason, ip_address, user_agent,"
            " install_id, platform, app_version, device_name FROM sessions");
        CPPUNIT_ASSERT(row.uuid(0) == guess.sessionId);
        CPPUNIT_ASSERT(row.uuid(1) == guess.newUserId);
        CPPUNIT_ASSERT(row.timestamp(2) == now() && row.timestamp(3) == now());
        CPPUNIT_ASSERT(row.timestamp(4) == guess.sessionExpiresAt);
        CPPUNIT_ASSERT(row.timestamp(5) == now());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, row.integer(6));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, row.integer(7));
        CPPUNIT_ASSERT(row.isNull(8) && row.isNull(9));
        const std::string words[] = {"192.0.2.7", "Browser/1.0", "install-1", "ios", "4.2", "Ada's phone"};
        for (std::size_t i = 0; i < std::size(words); ++i) CPPUNIT_ASSERT_EQUAL(words[i], row.text(10 + i));
    }

    void opensNoSecondSessionWhereTheAnswerWasLost() {
        auto guess = newGuess(requestCode("ada@example.org"), Guess::Right);
        const auto first = store_->verify(guess);
        const auto events = auditEvents();
        guess.isRepeated = true;
        const auto again = store_->verify(guess);
        CPPUNIT_ASSERT(again.outcome == domain::OtpVerifyResult::Outcome::Verified && again.isSignInRepeated);
        CPPUNIT_ASSERT(again.signIn.value().sessionId == first.signIn.value().sessionId);
        CPPUNIT_ASSERT(again.signIn->deviceId == first.signIn->deviceId && again.signIn->isNewUser);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("sessions"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("devices"));
        CPPUNIT_ASSERT(auditEvents() == events);
    }

    void auditsTheFirstLogin() {
        const auto guess = newGuess(requestCode("ada@example.org"), Guess::Right);
        store_->verify(guess);
        assertWords({"OTP_REQUESTED", "OTP_VERIFIED", "USER_REGISTERED", "LOGIN_SUCCEEDED"}, auditEvents());
        const auto rows = connection_->query(
            "SELECT id, user_id, destination, ip_address, user_agent, request_id,"
            " created_at_us FROM audit_events WHERE event <> 'OTP_REQUESTED' ORDER BY id");
        for (std::size_t i = 0; i < 3; ++i) {
            CPPUNIT_ASSERT(rows[i].uuid(0) == guess.auditIds[i]);
            CPPUNIT_ASSERT(rows[i].uuid(1) == guess.newUserId);
            CPPUNIT_ASSERT_EQUAL(std::string{"ada@example.org"}, rows[i].text(2));
            CPPUNIT_ASSERT_EQUAL(std::string{"192.0.2.7"}, rows[i].text(3));
            CPPUNIT_ASSERT_EQUAL(std::string{"Browser/1.0"}, rows[i].text(4));
            CPPUNIT_ASSERT_EQUAL(std::string{"request-1"}, rows[i].text(5));
            CPPUNIT_ASSERT(rows[i].timestamp(6) == now());
        }
    }

    void recognisesTheUserAtTheNextLogin() {
        const auto first = guessRight(requestCode("ada@example.org"));
        clock_.advance(1h);
        connection_->execute("DELETE FROM audit_events", {});
        const auto second = guessRight(requestCode("ada@example.org"));
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, second.outcome);
        CPPUNIT_ASSERT(!second.signIn.value().isNewUser);
        CPPUNIT_ASSERT(second.signIn.value().user.id == first.signIn.value().user.id);
        CPPUNIT_ASSERT(second.signIn.value().sessionId != first.signIn.value().sessionId);
        CPPUNIT_ASSERT(second.signIn.value().user.joinedAt == now() - 1h);
        CPPUNIT_ASSERT(second.signIn.value().user.lastLoginAt == now());
        assertWords({"OTP_REQUESTED", "OTP_VERIFIED", "LOGIN_SUCCEEDED"}, auditEvents());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("users"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, count("sessions"));
    }

    void keepsLongValuesWhole() {
        auto guess = newGuess(requestCode("ada@example.org"), Guess::Right);
        guess.client.userAgent = keys(63);
        guess.device = {keys(25), keys(8), keys(8), keys(25)};
        store_->verify(guess);
        const db::Row row = only("SELECT user_agent, install_id, platform, app_version, device_name FROM sessions");
        CPPUNIT_ASSERT_EQUAL(keys(63), row.text(0));
        CPPUNIT_ASSERT_EQUAL(keys(25), row.text(1));
        CPPUNIT_ASSERT_EQUAL(keys(8), row.text(2));
        CPPUNIT_ASSERT_EQUAL(keys(8), row.text(3));
        CPPUNIT_ASSERT_EQUAL(keys(25), row.text(4));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{3}, count("audit_events WHERE user_agent = ?", {keys(63)}));
    }

    void signsInByPhone() {
        const auto byMail = guessRight(requestCode("ada@example.org"));
        const auto byPhone = guessRight(requestCode("+4366012345678"));
        CPPUNIT_ASSERT(byPhone.signIn.value().isNewUser);
        CPPUNIT_ASSERT(byPhone.signIn.value().user.id != byMail.signIn.value().user.id);
        CPPUNIT_ASSERT(!byPhone.signIn.value().user.username);
        CPPUNIT_ASSERT_EQUAL(std::string{"+4366012345678"}, byPhone.signIn.value().user.phoneNumber.value());
        CPPUNIT_ASSERT(!byPhone.signIn.value().user.email);
        CPPUNIT_ASSERT(byPhone.signIn.value().user.phoneVerified && !byPhone.signIn.value().user.emailVerified);
        clock_.advance(1h);
        const auto again = guessRight(requestCode("+4366012345678"));
        CPPUNIT_ASSERT(!again.signIn.value().isNewUser);
        CPPUNIT_ASSERT(again.signIn.value().user.id == byPhone.signIn.value().user.id);
        CPPUNIT_ASSERT(again.signIn.value().user.lastLoginAt == now());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, count("users"));
    }

    void marksTheAddressOfAKnownUserVerified() {
        connection_->execute(
            "INSERT INTO users (id, username, unique_name, group_names, email, phone_number, first_name, last_name,"
            " locale, role, joined_at_us) VALUES (?, 'Ada L.', 'ada', 'admins,staff', 'ada@example.org', "
            "'+4366012345678', 'Ada', ?, 'de', 'admin',"
            " 7)",
            {Base::newId(), keys(3)});
        const auto byMail = guessRight(requestCode("ada@example.org"));
        CPPUNIT_ASSERT(!byMail.signIn.value().isNewUser);
        CPPUNIT_ASSERT(byMail.signIn.value().user.emailVerified && !byMail.signIn.value().user.phoneVerified);
        const auto byPhone = guessRight(requestCode("+4366012345678"));
        CPPUNIT_ASSERT(byPhone.signIn.value().user.id == byMail.signIn.value().user.id);
        CPPUNIT_ASSERT(byPhone.signIn.value().user.emailVerified && byPhone.signIn.value().user.phoneVerified);
        CPPUNIT_ASSERT(byPhone.signIn.value().user.username == "ada");
        CPPUNIT_ASSERT((byPhone.signIn.value().user.groups == std::vector<std::string>{"admins", "staff"}));
        CPPUNIT_ASSERT_EQUAL(std::string{"Ada"}, byPhone.signIn.value().user.firstName);
        CPPUNIT_ASSERT_EQUAL(keys(3), byPhone.signIn.value().user.lastName);
        CPPUNIT_ASSERT_EQUAL(std::string{"de"}, byPhone.signIn.value().user.locale);
        CPPUNIT_ASSERT(byPhone.signIn.value().user.role == domain::Role::Admin);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{7}, toMicroseconds(byPhone.signIn.value().user.joinedAt));
    }

    void countsTheAttemptsDown() {
        const Uuid code = requestCode("ada@example.org");
        for (const unsigned left : {2U, 1U, 0U}) {
            const auto result = guessWrong(code);
            CPPUNIT_ASSERT_EQUAL(VerifyOutcome::WrongCode, result.outcome);
            CPPUNIT_ASSERT_EQUAL(left, result.attemptsLeft);
        }
        assertOutcome(VerifyOutcome::AttemptsExhausted, guessWrong(code));
        assertOutcome(VerifyOutcome::AttemptsExhausted, guessRight(code));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("users") + count("sessions"));
        assertWords({"OTP_REQUESTED", "OTP_FAILED", "OTP_FAILED", "OTP_FAILED"}, auditEvents());
    }

    void auditsAWrongGuess() {
        const auto guess = newGuess(requestCode("ada@example.org"), Guess::Wrong);
        store_->verify(guess);
        const db::Row row = only(
            "SELECT id, user_id, destination, ip_address, request_id, created_at_us FROM audit_events"
            " WHERE event = 'OTP_FAILED'");
        CPPUNIT_ASSERT(row.uuid(0) == guess.auditIds[0]);
        CPPUNIT_ASSERT(row.isNull(1));
        CPPUNIT_ASSERT_EQUAL(std::string{"ada@example.org"}, row.text(2));
        CPPUNIT_ASSERT_EQUAL(std::string{"192.0.2.7"}, row.text(3));
        CPPUNIT_ASSERT_EQUAL(std::string{"request-1"}, row.text(4));
        CPPUNIT_ASSERT(row.timestamp(5) == now());
    }

    void verifiesAtTheLastAttempt() {
        const Uuid code = requestCode("ada@example.org");
        guessWrong(code);
        guessWrong(code);
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, guessRight(code).outcome);
    }

    void redeemsACodeOnce() {
        const Uuid code = requestCode("ada@example.org");
        guessRight(code);
        const auto rows = count("audit_events");
        assertOutcome(VerifyOutcome::Used, guessRight(code));
        assertOutcome(VerifyOutcome::Used, guessWrong(code));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("sessions"));
        CPPUNIT_ASSERT_EQUAL(rows, count("audit_events"));
    }

    void endsACodeAtItsTime() {
        const Uuid ada = requestCode("ada@example.org");
        const Uuid eve = requestCode("eve@example.org");
        clock_.advance(kLifetime - 1us);
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, guessRight(ada).outcome);
        clock_.advance(1us);
        assertOutcome(VerifyOutcome::Expired, guessRight(eve));
        assertOutcome(VerifyOutcome::Expired, guessWrong(eve));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, only("SELECT attempts FROM otp_requests WHERE id = ?", {eve}).integer(0));
    }

    // It writes, so that it takes as long as one that is counted; nothing of that stays.
    void leavesNoRowOfAGuessAtNothing() {
        requestCode("ada@example.org");
        const auto rows = [this] { return count("rate_limits") + count("audit_events") + count("otp_requests"); };
        const std::int64_t before = rows();
        auto guess = Base::newGuess(Base::newId(), domain::Guess::Wrong);
        guess.namedBy = domain::CodeNamedBy::Address;
        assertOutcome(VerifyOutcome::Unknown, store_->verify(guess));
        CPPUNIT_ASSERT_EQUAL(before, rows());
    }

    void knowsNoForeignId() {
        requestCode("ada@example.org");
        assertOutcome(VerifyOutcome::Unknown, guessRight(Base::newId(), rule("1/1h")));
        assertOutcome(VerifyOutcome::Unknown, guessWrong(Base::newId(), rule("1/1h")));
        assertOutcome(VerifyOutcome::Unknown, guessRight(Uuid{}));
        assertWords({"OTP_REQUESTED"}, auditEvents());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("users") + count("sessions"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, Base::countGuessBuckets("ada@example.org"));
    }

    // Used before expired before attempts before budget.
    void namesTheFirstReasonOfSeveral() {
        const auto one = rule("4/1d");
        const Uuid used = requestAnotherCode("ada@example.org", 1);
        const Uuid exhausted = requestAnotherCode("ada@example.org", 1);
        const Uuid alive = requestAnotherCode("ada@example.org", 9);
        guessRight(used, one);
        guessWrong(exhausted, one);
        while (guessWrong(alive, one).outcome == VerifyOutcome::WrongCode) clock_.advance(1s);
        assertOutcome(VerifyOutcome::Used, guessRight(used, one));
        assertOutcome(VerifyOutcome::AttemptsExhausted, guessRight(exhausted, one));
        assertOutcome(VerifyOutcome::BudgetExhausted, guessRight(alive, one));
        clock_.advance(kLifetime);
        assertOutcome(VerifyOutcome::Used, guessRight(used, one));
        assertOutcome(VerifyOutcome::Expired, guessRight(exhausted, one));
        assertOutcome(VerifyOutcome::Expired, guessRight(alive, one));
    }

    void refusesADisabledUser() {
        const auto first = guessRight(requestCode("ada@example.org"));
        connection_->execute("UPDATE users SET status = 'disabled', email_verified = 0", {});
        connection_->execute("DELETE FROM audit_events", {});
        clock_.advance(1h);
        const Uuid code = requestCode("ada@example.org");
        assertOutcome(VerifyOutcome::AccountDisabled, guessRight(code));
        assertWords({"OTP_REQUESTED", "OTP_VERIFIED", "LOGIN_FAILED"}, auditEvents());
        CPPUNIT_ASSERT_EQUAL(std::int64_t{3}, count("audit_events WHERE user_id = ?", {first.signIn.value().user.id}));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("sessions"));
        CPPUNIT_ASSERT(only("SELECT last_login_at_us FROM users").timestamp(0) == now() - 1h);
        assertOutcome(VerifyOutcome::Used, guessRight(code));
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::WrongCode, guessWrong(requestCode("ada@example.org")).outcome);
    }

    void tellsTheChannelAndPurposeOfEveryCode() {
        const auto assertTold = [&](VerifyOutcome outcome, domain::Channel channel, domain::Purpose purpose,
                                    const domain::OtpVerifyResult& result) {
            assertOutcome(outcome, result);
            CPPUNIT_ASSERT(result.channel == channel);
            CPPUNIT_ASSERT(result.purpose == purpose);
        };
        using domain::Channel;
        using domain::Purpose;
        auto request = Base::newRequest("+4366012345678");
        request.purpose = Purpose::Reset;
        store_->request(request);
        auto forLogin = newGuess(request.id, Guess::Right);
        forLogin.purpose = Purpose::Login;
        assertTold(VerifyOutcome::Unknown, Channel::Sms, Purpose::Reset, store_->verify(forLogin));
        assertTold(VerifyOutcome::WrongCode, Channel::Sms, Purpose::Reset, guessWrong(request.id));
        assertTold(VerifyOutcome::BudgetExhausted, Channel::Sms, Purpose::Reset, spendBudget(request.id));
        assertTold(VerifyOutcome::Verified, Channel::Sms, Purpose::Reset, guessRight(request.id));
        assertTold(VerifyOutcome::Used, Channel::Sms, Purpose::Reset, guessRight(request.id));

        const Uuid code = requestAnotherCode("ada@example.org", 1);
        assertTold(VerifyOutcome::WrongCode, Channel::Email, Purpose::Login, guessWrong(code));
        assertTold(VerifyOutcome::AttemptsExhausted, Channel::Email, Purpose::Login, guessRight(code));
        assertTold(VerifyOutcome::Verified, Channel::Email, Purpose::Login, guessRight(requestCode("ada@example.org")));
        connection_->execute("UPDATE users SET status = 'disabled'", {});
        assertTold(VerifyOutcome::AccountDisabled, Channel::Email, Purpose::Login,
                   guessRight(requestCode("ada@example.org")));
        auto uninvited = newGuess(requestCode("eve@example.org"), Guess::Right);
        uninvited.mayRegister = false;
        assertTold(VerifyOutcome::Unknown, Channel::Email, Purpose::Login, store_->verify(uninvited));
        const Uuid late = requestCode("ada@example.org");
        clock_.advance(kLifetime);
        assertTold(VerifyOutcome::Expired, Channel::Email, Purpose::Login, guessRight(late));
    }

    void tellsNothingOfNoCode() {
        CPPUNIT_ASSERT(!guessRight(Base::newId()).channel);
        CPPUNIT_ASSERT(!guessWrong(Uuid{}).channel);
    }

    // The first guess of a budget of one, and the one that it refuses.
    domain::OtpVerifyResult spendBudget(const Uuid& code) {
        guessWrong(code, rule("1/1h"));
        return guessWrong(code, rule("1/1h"));
    }
};

REGISTER_ON_BOTH_ENGINES(OtpStoreVerifyTest);

}  // namespace otp_store_verify_test
}  // namespace otpgate::test
