// Whom a code may be sent to, what it may be for, and what sending it again means.
#include "contract/otp_store_test.h"

namespace otpgate::test {
namespace otp_store_account_test {

using namespace std::chrono_literals;
using domain::AccountRule;
using domain::Disclosure;
using domain::Guess;
using domain::Purpose;
using domain::Resend;

const std::string kAda = "ada@example.org";
constexpr Purpose kOthers[] = {Purpose::Register, Purpose::Verify, Purpose::Reset};

enum class Account { Unknown, Active, Disabled };

template <class Engine>
class OtpStoreAccountTest : public OtpStoreTest<OtpStoreAccountTest<Engine>, Engine> {
    using Base = OtpStoreTest<OtpStoreAccountTest<Engine>, Engine>;
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

    CPPUNIT_TEST_SUITE(OtpStoreAccountTest);
    CPPUNIT_TEST(letsThroughWhomTheRuleNames);
    CPPUNIT_TEST(doesTheSameWorkForWhomItDoesNotLetThrough);
    CPPUNIT_TEST(namesWhomItDoesNotLetThroughWhereThatIsRevealed);
    CPPUNIT_TEST(looksAtTheAccountOfATelephoneNumberToo);
    CPPUNIT_TEST(countsWhatItHides);
    CPPUNIT_TEST(countsWhatItReveals);
    CPPUNIT_TEST(refusesByALimitBeforeItReveals);
    CPPUNIT_TEST(voidsNothingWhereItReveals);
    CPPUNIT_TEST(auditsTheAccountOfARequest);
    CPPUNIT_TEST(signsUpNobodyWhereThatIsNotAllowed);
    CPPUNIT_TEST(signsInWhoIsThereWhereNobodyMaySignUp);
    CPPUNIT_TEST(verifiesOtherPurposesWithoutASession);
    CPPUNIT_TEST(marksTheProvedAddressVerified);
    CPPUNIT_TEST(provesAnAddressThatHasNoAccount);
    CPPUNIT_TEST(knowsNoCodeOfAnotherPurpose);
    CPPUNIT_TEST(takesAnyPurposeWhereNoneIsNamed);
    CPPUNIT_TEST(keepsPurposesApart);
    CPPUNIT_TEST(tellsTheSessionHowItsUserSignedIn);
    CPPUNIT_TEST(sendsTheSameCodeAgainWhileItLives);
    CPPUNIT_TEST(makesANewCodeWhereTheOldOneIsDead);
    CPPUNIT_TEST(repeatsNoCodeThatProvesAnotherMethod);
    CPPUNIT_TEST(repeatsNoCodeOfAnotherPurposeOrDestination);
    CPPUNIT_TEST(countsARepeatedCode);
    CPPUNIT_TEST(makesOneCodeForSixteenRepeatingThreads);
    CPPUNIT_TEST(rotatesUnderEveryRule);
    CPPUNIT_TEST(takesATrustedDeviceForTheSecondStep);
    CPPUNIT_TEST(remembersWhenAFactorWasFirstWanted);
    CPPUNIT_TEST_SUITE_END();

    Uuid addUser(Account account, const std::string& email = kAda) {
        const Uuid id = newId();
        connection_->execute(
            "INSERT INTO users (id, username, email, phone_number, status, joined_at_us) VALUES (?, ?, ?, ?, ?, ?)",
            {id, email, email, "+4366012345678", account == Account::Disabled ? "disabled" : "active", now()});
        return id;
    }
    domain::OtpVerifyResult signIn(domain::ShownDevice device, const domain::SignInRule* rule) {
        auto guess = newGuess(requestCode(kAda), Guess::Right);
        guess.shownDevice = device;
        guess.deviceTrust = 24h;
        guess.signIn = rule;
        return store_->verify(guess);
    }

    void takesATrustedDeviceForTheSecondStep() {
        const Uuid device = guessRight(requestCode(kAda)).signIn.value().deviceId;
        connection_->execute("UPDATE users SET factors = 2", {});
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::NeedsFactor, signIn(device, nullptr).outcome);
        connection_->execute("UPDATE devices SET trusted_since_us = ?", {now()});
        const auto opened = signIn(device, nullptr);
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, opened.outcome);
        CPPUNIT_ASSERT_EQUAL(std::string{"otp device"},
                             only("SELECT amr FROM sessions WHERE id = ?", {opened.signIn->sessionId}).text(0));
        // By its name alone; forgotten; and a day later.
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::NeedsFactor, signIn(std::nullopt, nullptr).outcome);
        connection_->execute("UPDATE devices SET revoked_at_us = ?", {now()});
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::NeedsFactor, signIn(device, nullptr).outcome);
        connection_->execute("UPDATE devices SET revoked_at_us = NULL", {});
        clock_.advance(24h);
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::NeedsFactor, signIn(device, nullptr).outcome);
    }

    void remembersWhenAFactorWasFirstWanted() {
        domain::SignInRule rule;
        const auto since = [&] { return only("SELECT factor_wanted_since_us FROM users", {}).optionalTimestamp(0); };
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, signIn(std::nullopt, &rule).outcome);
        CPPUNIT_ASSERT(!since());
        rule.factors = {.whom = domain::FactorRule::Whom::Everybody, .grace = 24h};
        const Timestamp first = now();
        for (int i = 0; i < 2; ++i) {
            CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, signIn(std::nullopt, &rule).outcome);
            CPPUNIT_ASSERT(since() == first);
            clock_.advance(12h);
        }
        const auto refused = signIn(std::nullopt, &rule);
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::NeedsFactor, refused.outcome);
        CPPUNIT_ASSERT(refused.firstStep.value().addsFactor && since() == first);
        // One that registers is told at once.
        connection_->execute("DELETE FROM users", {});
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, signIn(std::nullopt, &rule).outcome);
        CPPUNIT_ASSERT(since() == now());
    }

    // An empty database but for this account.
    void begin(Account account) {
        Base::migratedScratch().emptyTables();
        if (account != Account::Unknown) addUser(account);
    }
    domain::NewOtpRequest newRequestUnder(AccountRule accountRule, Disclosure disclosure,
                                          const std::string& to = kAda) {
        auto request = newRequest(to);
        request.accountRule = accountRule;
        request.disclosure = disclosure;
        request.destinationRule = rule("5/1h");
        request.clientRule = rule("30/1h");
        return request;
    }
    static bool isLetThrough(AccountRule rule, Account account) {
        switch (rule) {
        case AccountRule::Any: return true;
        case AccountRule::ActiveOrNew: return account != Account::Disabled;
        case AccountRule::Active: return account == Account::Active;
        }
        return false;
    }
    template <typename Check>
    static void forEachCase(Disclosure disclosure, Check check) {
        for (const auto rule : {AccountRule::Any, AccountRule::ActiveOrNew, AccountRule::Active}) {
            for (const auto account : {Account::Unknown, Account::Active, Account::Disabled}) {
                check(rule, account, disclosure);
            }
        }
    }
    Uuid requestFor(Purpose purpose, const std::string& to = kAda) {
        auto request = newRequest(to);
        request.purpose = purpose;
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, store_->request(request).outcome);
        return request.id;
    }
    domain::OtpRequestResult repeat(const std::string& to = kAda, Purpose purpose = Purpose::Login) {
        auto request = newRequest(to);
        request.purpose = purpose;
        request.resend = Resend::Repeat;
        auto result = store_->request(request);
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, result.outcome);
        return result;
    }

    void letsThroughWhomTheRuleNames() {
        for (const auto disclosure : {Disclosure::Hide, Disclosure::Reveal}) {
            forEachCase(disclosure, [this](AccountRule accountRule, Account account, Disclosure shown) {
                if (!isLetThrough(accountRule, account)) return;
                begin(account);
                const auto request = newRequestUnder(accountRule, shown);
                const auto result = store_->request(request);
                CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, result.outcome);
                CPPUNIT_ASSERT(result.otpId == request.id);
                CPPUNIT_ASSERT(!result.isDiscarded);
                CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, only("SELECT discard FROM outbox").integer(0));
            });
        }
    }

    // The row of the outbox says that it is never sent; all else is as ever.
    void doesTheSameWorkForWhomItDoesNotLetThrough() {
        forEachCase(Disclosure::Hide, [this](AccountRule accountRule, Account account, Disclosure disclosure) {
            if (isLetThrough(accountRule, account)) return;
            begin(account);
            const auto request = newRequestUnder(accountRule, disclosure);
            const auto result = store_->request(request);
            CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, result.outcome);
            CPPUNIT_ASSERT(result.otpId == request.id);
            CPPUNIT_ASSERT(result.expiresAt == request.expiresAt);
            CPPUNIT_ASSERT(result.isDiscarded);
            CPPUNIT_ASSERT_EQUAL(4U, domain::LimitHits{result.hits}.state(rule("5/1h"), now()).remaining);
            const db::Row outbox = only("SELECT otp_id, destination, expires_at_us, discard FROM outbox");
            CPPUNIT_ASSERT(outbox.uuid(0) == request.id);
            CPPUNIT_ASSERT_EQUAL(kAda, outbox.text(1));
            CPPUNIT_ASSERT(outbox.timestamp(2) == request.expiresAt);
            CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, outbox.integer(3));
            CPPUNIT_ASSERT(only("SELECT id FROM otp_requests").uuid(0) == request.id);
            assertWords({"OTP_REQUESTED"}, auditEvents());
            CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, count("rate_limits"));
        });
    }

    void namesWhomItDoesNotLetThroughWhereThatIsRevealed() {
        forEachCase(Disclosure::Reveal, [this](AccountRule accountRule, Account account, Disclosure disclosure) {
            if (isLetThrough(accountRule, account)) return;
            begin(account);
            const auto result = store_->request(newRequestUnder(accountRule, disclosure));
            CPPUNIT_ASSERT_EQUAL(
                account == Account::Unknown ? RequestOutcome::UserNotFound : RequestOutcome::AccountDisabled,
                result.outcome);
            CPPUNIT_ASSERT(result.otpId == Uuid{});
            CPPUNIT_ASSERT(!result.isDiscarded);
            CPPUNIT_ASSERT_EQUAL(4U, domain::LimitHits{result.hits}.state(rule("5/1h"), now()).remaining);
            CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("otp_requests") + count("outbox") + count("audit_events"));
            CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, count("rate_limits"));
        });
    }

    void looksAtTheAccountOfATelephoneNumberToo() {
        const auto outcome = [this](Disclosure disclosure) {
            return store_->request(newRequestUnder(AccountRule::Active, disclosure, "+4366012345678")).outcome;
        };
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::UserNotFound, outcome(Disclosure::Reveal));
        begin(Account::Disabled);
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::AccountDisabled, outcome(Disclosure::Reveal));
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, outcome(Disclosure::Hide));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, only("SELECT discard FROM outbox").integer(0));
        begin(Account::Active);
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::Accepted, outcome(Disclosure::Reveal));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, only("SELECT discard FROM outbox").integer(0));
    }

    void assertCounted(Disclosure disclosure, RequestOutcome outcome) {
        const auto ask = [&](const std::string& to) {
            auto request = newRequestUnder(AccountRule::Active, disclosure, to);
            request.destinationRule = rule("2/1h");
            request.clientRule = rule("3/1h");
            return store_->request(request).outcome;
        };
        for (int i = 0; i < 2; ++i) CPPUNIT_ASSERT_EQUAL(outcome, ask(kAda));
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::DestinationLimited, ask(kAda));
        CPPUNIT_ASSERT_EQUAL(outcome, ask("bob@example.org"));
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::ClientLimited, ask("joe@example.org"));
    }
    void countsWhatItHides() { assertCounted(Disclosure::Hide, RequestOutcome::Accepted); }
    // Or a list of addresses could be tried at will.
    void countsWhatItReveals() { assertCounted(Disclosure::Reveal, RequestOutcome::UserNotFound); }

    void refusesByALimitBeforeItReveals() {
        for (const auto account : {Account::Unknown, Account::Active, Account::Disabled}) {
            begin(account);
            for (const auto expected : {RequestOutcome::Accepted, RequestOutcome::DestinationLimited}) {
                auto request = newRequestUnder(AccountRule::Active, Disclosure::Reveal);
                request.destinationRule = rule("1/1h");
                const auto outcome = store_->request(request).outcome;
                CPPUNIT_ASSERT_EQUAL(expected == RequestOutcome::DestinationLimited,
                                     outcome == RequestOutcome::DestinationLimited);
            }
        }
    }

    void voidsNothingWhereItReveals() {
        addUser(Account::Active);
        const Uuid code = requestCode(kAda);
        connection_->execute("UPDATE users SET status = 'disabled'", {});
        clock_.advance(1s);
        CPPUNIT_ASSERT_EQUAL(RequestOutcome::AccountDisabled,
                             store_->request(newRequestUnder(AccountRule::Active, Disclosure::Reveal)).outcome);
        connection_->execute("UPDATE users SET status = 'active'", {});
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, guessRight(code).outcome);
    }

    void auditsTheAccountOfARequest() {
        const Uuid ada = addUser(Account::Active);
        requestCode(kAda);
        requestCode("eve@example.org");
        CPPUNIT_ASSERT(only("SELECT user_id FROM audit_events WHERE destination = ?", {kAda}).uuid(0) == ada);
        CPPUNIT_ASSERT(only("SELECT user_id FROM audit_events WHERE destination = 'eve@example.org'").isNull(0));
    }

    domain::OtpVerifyResult guessRightUninvited(const Uuid& code) {
        auto guess = newGuess(code, Guess::Right);
        guess.mayRegister = false;
        return store_->verify(guess);
    }

    // The code was made while its owner might have signed up, or the guess was lucky.
    void signsUpNobodyWhereThatIsNotAllowed() {
        for (const char* to : {"ada@example.org", "+4366012345678"}) {
            connection_->execute("DELETE FROM audit_events", {});
            const Uuid code = requestCode(to);
            assertOutcome(VerifyOutcome::Unknown, guessRightUninvited(code));
            CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("users") + count("sessions") + count("devices"));
            assertWords({"OTP_REQUESTED", "OTP_VERIFIED", "LOGIN_FAILED"}, auditEvents());
            assertOutcome(VerifyOutcome::Used, guessRight(code));
        }
    }

    void signsInWhoIsThereWhereNobodyMaySignUp() {
        const Uuid ada = addUser(Account::Active);
        for (const char* to : {"ada@example.org", "+4366012345678"}) {
            const auto result = guessRightUninvited(requestCode(to));
            CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, result.outcome);
            CPPUNIT_ASSERT(result.signIn.value().user.id == ada);
            CPPUNIT_ASSERT(!result.signIn.value().isNewUser);
        }
        const db::Row row = only("SELECT email_verified, phone_verified, last_login_at_us FROM users");
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2}, row.integer(0) + row.integer(1));
        CPPUNIT_ASSERT(row.timestamp(2) == now());
        connection_->execute("UPDATE users SET status = 'disabled'", {});
        assertOutcome(VerifyOutcome::AccountDisabled, guessRightUninvited(requestCode(kAda)));
    }

    void verifiesOtherPurposesWithoutASession() {
        const Uuid ada = addUser(Account::Active);
        for (const Purpose purpose : kOthers) {
            connection_->execute("DELETE FROM audit_events", {});
            const Uuid code = requestFor(purpose);
            assertOutcome(VerifyOutcome::WrongCode, guessWrong(code));
            const auto guess = newGuess(code, Guess::Right);
            const auto result = store_->verify(guess);
            CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, result.outcome);
            CPPUNIT_ASSERT(result.purpose == purpose);
            CPPUNIT_ASSERT(result.destination == destination(kAda));
            CPPUNIT_ASSERT(!result.signIn);
            assertOutcome(VerifyOutcome::Used, guessRight(code));
            assertWords({"OTP_REQUESTED", "OTP_FAILED", "OTP_VERIFIED"}, auditEvents());
            const db::Row audit =
                only("SELECT id, user_id, destination FROM audit_events WHERE event = 'OTP_VERIFIED'");
            CPPUNIT_ASSERT(audit.uuid(0) == guess.auditIds[0]);
            CPPUNIT_ASSERT(audit.uuid(1) == ada);
            CPPUNIT_ASSERT_EQUAL(kAda, audit.text(2));
        }
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("sessions") + count("devices"));
        CPPUNIT_ASSERT(only("SELECT last_login_at_us FROM users").isNull(0));
    }

    // And no other address, of this account or of another.
    void marksTheProvedAddressVerified() {
        for (const Purpose purpose : kOthers) {
            begin(Account::Active);
            connection_->execute(
                "INSERT INTO users (id, username, email, joined_at_us) VALUES (?, 'eve', 'eve@example.org', 0)",
                {newId()});
            const auto verified = [this] {
                const db::Row row = only("SELECT email_verified, phone_verified FROM users WHERE email = ?", {kAda});
                return std::pair{row.integer(0), row.integer(1)};
            };
            guessWrong(requestFor(purpose));
            CPPUNIT_ASSERT((verified() == std::pair<std::int64_t, std::int64_t>{0, 0}));
            guessRight(requestFor(purpose));
            CPPUNIT_ASSERT((verified() == std::pair<std::int64_t, std::int64_t>{1, 0}));
            guessRight(requestFor(purpose, "+4366012345678"));
            CPPUNIT_ASSERT((verified() == std::pair<std::int64_t, std::int64_t>{1, 1}));
            CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, guessRight(requestFor(purpose)).outcome);
            CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("users WHERE email_verified = 1"));
        }
    }

    void provesAnAddressThatHasNoAccount() {
        for (const Purpose purpose : kOthers) {
            const auto result = guessRight(requestFor(purpose, "+4366012345678"));
            CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, result.outcome);
            CPPUNIT_ASSERT(result.purpose == purpose);
            CPPUNIT_ASSERT(result.destination == destination("+4366012345678"));
        }
        CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, count("users"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{3}, count("audit_events WHERE event = 'OTP_VERIFIED' AND user_id IS NULL"));
    }

    // As an id that no code has: nothing is counted, nothing is told, and the code is still there for what it is for.
    void knowsNoCodeOfAnotherPurpose() {
        for (const Purpose made : {Purpose::Login, Purpose::Register, Purpose::Verify, Purpose::Reset}) {
            begin(Account::Active);
            const Uuid code = requestFor(made);
            for (const Purpose shown : {Purpose::Login, Purpose::Register, Purpose::Verify, Purpose::Reset}) {
                if (shown == made) continue;
                for (const Guess verdict : {Guess::Right, Guess::Wrong}) {
                    auto guess = newGuess(code, verdict, rule("1/1h"));
                    guess.purpose = shown;
                    assertOutcome(VerifyOutcome::Unknown, store_->verify(guess));
                }
            }
            const db::Row row = only("SELECT attempts, consumed_at_us FROM otp_requests");
            CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, row.integer(0));
            CPPUNIT_ASSERT(row.isNull(1));
            CPPUNIT_ASSERT_EQUAL(std::int64_t{0}, Base::countGuessBuckets(kAda) + count("sessions"));
            assertWords({"OTP_REQUESTED"}, auditEvents());
            auto guess = newGuess(code, Guess::Right);
            guess.purpose = made;
            CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, store_->verify(guess).outcome);
            // Nor does it tell of a code that is spent.
            guess.purpose = made == Purpose::Login ? Purpose::Reset : Purpose::Login;
            assertOutcome(VerifyOutcome::Unknown, store_->verify(guess));
        }
    }

    void takesAnyPurposeWhereNoneIsNamed() {
        for (const Purpose purpose : {Purpose::Login, Purpose::Register, Purpose::Verify, Purpose::Reset}) {
            const auto result = guessRight(requestFor(purpose));
            CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, result.outcome);
            CPPUNIT_ASSERT(result.purpose == purpose);
            CPPUNIT_ASSERT_EQUAL(purpose == Purpose::Login, result.signIn.has_value());
        }
    }

    void keepsPurposesApart() {
        const auto newest = [this](Purpose purpose) {
            return store_->findNewest(destination(kAda), purpose, std::nullopt, now() - kLifetime, now());
        };
        const Uuid login = requestFor(Purpose::Login);
        clock_.advance(1min);
        const Uuid reset = requestFor(Purpose::Reset);
        CPPUNIT_ASSERT(newest(Purpose::Login) == login);
        CPPUNIT_ASSERT(newest(Purpose::Reset) == reset);
        CPPUNIT_ASSERT(!newest(Purpose::Verify));
        clock_.advance(1min);
        const Uuid next = requestFor(Purpose::Reset);
        assertOutcome(VerifyOutcome::Expired, guessRight(reset));
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, guessRight(login).outcome);
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, guessRight(next).outcome);
    }

    // As it was when the code was asked for, whatever the newest code of the address says.
    void tellsTheSessionHowItsUserSignedIn() {
        auto request = newRequest(kAda);
        request.methods = "pwd otp";
        store_->request(request);
        const auto both = guessRight(request.id).signIn.value();
        CPPUNIT_ASSERT_EQUAL(std::string{"pwd otp"}, both.methods);
        const auto one = guessRight(requestCode(kAda)).signIn.value();
        CPPUNIT_ASSERT_EQUAL(std::string{"otp"}, one.methods);
        const auto amrOf = [this](const Uuid& session) {
            return only("SELECT amr FROM sessions WHERE id = ?", {session}).text(0);
        };
        CPPUNIT_ASSERT_EQUAL(std::string{"pwd otp"}, amrOf(both.sessionId));
        CPPUNIT_ASSERT_EQUAL(std::string{"otp"}, amrOf(one.sessionId));
    }

    void sendsTheSameCodeAgainWhileItLives() {
        const auto first = repeat();
        clock_.advance(kLifetime - 1us);
        const auto second = repeat();
        CPPUNIT_ASSERT(second.otpId == first.otpId);
        CPPUNIT_ASSERT(second.expiresAt == first.expiresAt);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("otp_requests"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{2},
                             count("outbox WHERE otp_id = ? AND expires_at_us = ?", {first.otpId, first.expiresAt}));
        assertWords({"OTP_REQUESTED", "OTP_REQUESTED"}, auditEvents());
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, guessRight(second.otpId).outcome);
    }

    void makesANewCodeWhereTheOldOneIsDead() {
        const Uuid expired = repeat().otpId;
        clock_.advance(kLifetime);
        const Uuid used = repeat().otpId;
        CPPUNIT_ASSERT(used != expired);
        guessRight(used);
        const Uuid exhausted = repeat().otpId;
        CPPUNIT_ASSERT(exhausted != used);
        // Tries that are left stay what they are: sending again buys none.
        guessWrong(exhausted);
        CPPUNIT_ASSERT(repeat().otpId == exhausted);
        CPPUNIT_ASSERT_EQUAL(1U, guessWrong(exhausted).attemptsLeft);
        guessWrong(exhausted);
        const auto next = repeat();
        CPPUNIT_ASSERT(next.otpId != exhausted);
        CPPUNIT_ASSERT(next.expiresAt == now() + kLifetime);
        CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Verified, guessRight(next.otpId).outcome);
    }

    // Or a code that was asked for without the password would be one that followed it.
    void repeatsNoCodeThatProvesAnotherMethod() {
        const Uuid plain = repeat().otpId;
        auto request = newRequest(kAda);
        request.resend = Resend::Repeat;
        request.methods = "pwd otp";
        clock_.advance(1s);
        const Uuid afterPassword = store_->request(request).otpId;
        CPPUNIT_ASSERT(afterPassword != plain);
        assertOutcome(VerifyOutcome::Expired, guessRight(plain));
        CPPUNIT_ASSERT(repeat().otpId != afterPassword);
    }

    void repeatsNoCodeOfAnotherPurposeOrDestination() {
        const Uuid login = repeat().otpId;
        CPPUNIT_ASSERT(repeat(kAda, Purpose::Reset).otpId != login);
        CPPUNIT_ASSERT(repeat("eve@example.org").otpId != login);
        CPPUNIT_ASSERT(repeat().otpId == login);
    }

    void countsARepeatedCode() {
        auto request = newRequest(kAda);
        for (const auto expected :
             {RequestOutcome::Accepted, RequestOutcome::Accepted, RequestOutcome::DestinationLimited}) {
            request.id = newId();
            request.outboxId = newId();
            request.auditId = newId();
            request.resend = Resend::Repeat;
            request.destinationRule = rule("2/1h");
            CPPUNIT_ASSERT_EQUAL(expected, store_->request(request).outcome);
        }
    }

    void makesOneCodeForSixteenRepeatingThreads() {
        for (int round = 0; round < 5; ++round) {
            Base::migratedScratch().emptyTables();
            onSixteenThreads([&](db::Connection& connection, std::size_t thread) {
                auto request = newRequest(kAda);
                request.resend = Resend::Repeat;
                request.destinationRule = rule("100/1h");
                store::makeOtpStore(connection, Base::groupsOf(thread))->request(request);
            });
            CPPUNIT_ASSERT_EQUAL(std::int64_t{1}, count("otp_requests"));
            CPPUNIT_ASSERT_EQUAL(std::int64_t{16}, count("outbox"));
        }
    }

    // Whatever the limit says about how many there can be: none, one, more than one, in a window shorter or longer than
    // the code's life.
    void rotatesUnderEveryRule() {
        for (const char* limit : {"0", "1/1s", "1/1h", "5/1s", "5/1h", "1/1s,20/1d", "5/1h,20/1d"}) {
            Base::migratedScratch().emptyTables();
            Uuid last;
            for (int i = 0; i < 3; ++i) {
                auto request = newRequest(kAda);
                request.destinationRule = rule(limit);
                if (store_->request(request).outcome != RequestOutcome::Accepted) continue;
                if (last != Uuid{}) CPPUNIT_ASSERT_EQUAL(VerifyOutcome::Expired, guessRight(last).outcome);
                last = request.id;
                clock_.advance(2s);
                // The housekeeper removes what has run out.
                connection_->execute("DELETE FROM rate_limits WHERE expires_at_us <= ?", {now()});
            }
            CPPUNIT_ASSERT_EQUAL_MESSAGE(limit, VerifyOutcome::Verified, guessRight(last).outcome);
        }
    }
};

REGISTER_ON_BOTH_ENGINES(OtpStoreAccountTest);

}  // namespace otp_store_account_test
}  // namespace otpgate::test
