// The routes for passwords: what a client reads of each outcome.
#include "support_cpp/api_fixture.h"

namespace otpgate::api {
namespace api_passwords_test {

using namespace std::string_literals;
using domain::CountedGuess;
using domain::Purpose;
using RequestOutcome = domain::OtpRequestResult::Outcome;
using VerifyOutcome = domain::OtpVerifyResult::Outcome;
using test::Answer;

const std::string kPassword = "correct horse battery staple";
const std::string kLogin = R"({"email":"ann@example.org","password":")" + kPassword + R"("})";

class ApiPasswordsTest : public test::ApiFixture {
    CPPUNIT_TEST_SUITE(ApiPasswordsTest);
    CPPUNIT_TEST(sendsACodeAfterARightPassword);
    CPPUNIT_TEST(tellsWrongFromLimited);
    CPPUNIT_TEST(sendsNothingBeforeThePasswordIsRight);
    CPPUNIT_TEST(tellsWhatBecameOfTheCodeOfALogin);
    CPPUNIT_TEST(tellsWhatIsWrongInALogin);
    CPPUNIT_TEST(completesALoginByItsCode);
    CPPUNIT_TEST(tellsEachRefusalOfTheCodeOfALogin);
    CPPUNIT_TEST(answersEverybodyAlikeWhoForgot);
    CPPUNIT_TEST(tellsEachRefusalOfAForgottenPassword);
    CPPUNIT_TEST(resetsByAReceipt);
    CPPUNIT_TEST(refusesAReceiptThatIsNotGood);
    CPPUNIT_TEST(resetsByACode);
    CPPUNIT_TEST(tellsWhyACodeResetNothing);
    CPPUNIT_TEST(refusesAWeakPasswordBeforeTheCodeIsSpent);
    CPPUNIT_TEST(changesAPassword);
    CPPUNIT_TEST(tellsWhyAPasswordDidNotChange);
    CPPUNIT_TEST(sendsWhoHasNoPasswordToTheReset);
    CPPUNIT_TEST_SUITE_END();

    void haveAnn() {
        accountStore_.next.user = user_;
        accountStore_.next.passwordHash = gate_.hash(kPassword);
    }
    void answerPassword(CountedGuess::Outcome outcome) {
        accountStore_.next.outcome = outcome;
        accountStore_.next.hits = domain::packTime(clock_.now());
    }
    Answer login(const std::string& body = kLogin) {
        return answerOf([&] { return loginByPassword(post(body), codes_, sessions_, passwords_, settings_); });
    }
    Answer complete(const std::string& body) {
        return answerOf([&] { return verifyLogin(post(body), codes_, sessions_, settings_); });
    }
    Answer forgot() {
        return answerOf(
            [&] { return forgotPassword(post(R"({"email":"ann@example.org"})"), codes_, sessions_, settings_); });
    }
    Answer reset(const std::string& body) {
        return answerOf([&] { return resetPassword(post(body), codes_, sessions_, passwords_, settings_); });
    }
    Answer resetByCode(const std::string& password = "another long passphrase") {
        return reset(R"({"email":"ann@example.org","otp":"123456","password":")" + password + R"("})");
    }
    Answer resetByToken(const std::string& token, const std::string& password = "another long passphrase") {
        return reset(R"({"reset_token":")" + token + R"(","password":")" + password + R"("})");
    }
    Answer change(const std::string& current, const std::string& password = "another long passphrase") {
        const auto body = R"({"current_password":")" + current + R"(","new_password":")" + password + R"("})";
        return answerOf([&] { return changePassword(post(body), caller(), passwords_); });
    }
    std::string receipt(Purpose purpose) {
        domain::VerifiedOtp verified;
        verified.otpId = Uuid::makeV7(clock_.now(), random_);
        verified.purpose = purpose;
        return codes_.receiptOf(verified);
    }

    void sendsACodeAfterARightPassword() {
        haveAnn();
        const Answer answer = login();
        CPPUNIT_ASSERT_EQUAL(202, answer.status);
        CPPUNIT_ASSERT_EQUAL(otpStore_.requests.at(0).id.toString(), answer.text("otp_id"));
        CPPUNIT_ASSERT(otpStore_.requests.at(0).methods == "pwd otp");
        CPPUNIT_ASSERT(otpStore_.requests.at(0).purpose == Purpose::Login);
    }

    void tellsWrongFromLimited() {
        haveAnn();
        const Answer wrong = login(R"({"email":"ann@example.org","password":"wrong"})");
        CPPUNIT_ASSERT_EQUAL(401, wrong.status);
        CPPUNIT_ASSERT_EQUAL("INVALID_CREDENTIALS"s, wrong.code());
        answerPassword(CountedGuess::Outcome::DestinationLimited);
        const Answer limited = login();
        CPPUNIT_ASSERT_EQUAL(429, limited.status);
        CPPUNIT_ASSERT_EQUAL("MAX_RETRIES_EXCEEDED"s, limited.code());
        CPPUNIT_ASSERT(!limited.header("Retry-After").empty());
        answerPassword(CountedGuess::Outcome::ClientLimited);
        CPPUNIT_ASSERT_EQUAL("RATE_LIMIT"s, login().code());
    }

    void sendsNothingBeforeThePasswordIsRight() {
        login();  // nobody has this address
        haveAnn();
        login(R"({"email":"ann@example.org","password":"wrong"})");
        answerPassword(CountedGuess::Outcome::DestinationLimited);
        login();
        CPPUNIT_ASSERT(otpStore_.requests.empty());
        CPPUNIT_ASSERT(messenger_.messages.empty());
    }

    void tellsWhatBecameOfTheCodeOfALogin() {
        haveAnn();
        answerRequest(RequestOutcome::DestinationLimited);
        CPPUNIT_ASSERT_EQUAL("RATE_LIMIT"s, login().code());
        answerRequest(RequestOutcome::AccountDisabled);
        CPPUNIT_ASSERT_EQUAL("ACCOUNT_DISABLED"s, login().code());
        answerRequest(RequestOutcome::Accepted);
        messenger_.delivery = domain::Delivery::Failed;
        CPPUNIT_ASSERT_EQUAL("SEND_FAILED"s, login().code());
    }

    void tellsWhatIsWrongInALogin() {
        CPPUNIT_ASSERT_EQUAL("email"s, login(R"({"password":"x"})").field());
        CPPUNIT_ASSERT_EQUAL("password"s, login(R"({"email":"ann@example.org"})").field());
        CPPUNIT_ASSERT(accountStore_.guesses.empty());
    }

    void completesALoginByItsCode() {
        answerGuess(VerifyOutcome::Verified);
        const Answer answer = complete(R"({"email":"ann@example.org","otp":"123456"})");
        CPPUNIT_ASSERT_EQUAL(200, answer.status);
        CPPUNIT_ASSERT(sessions_.authenticate(answer.text("access")).has_value());
        CPPUNIT_ASSERT(otpStore_.verifications.at(0).purpose == Purpose::Login);
    }

    void tellsEachRefusalOfTheCodeOfALogin() {
        const std::string byId = R"({"otp_id":")" + session_.id.toString() + R"(","otp":"123456"})";
        const std::pair<VerifyOutcome, const char*> rows[] = {
            {VerifyOutcome::WrongCode, "INVALID_OTP"},
            {VerifyOutcome::Unknown, "INVALID_OTP"},
            {VerifyOutcome::Used, "OTP_USED"},
            {VerifyOutcome::Expired, "OTP_EXPIRED"},
            {VerifyOutcome::AttemptsExhausted, "MAX_RETRIES_EXCEEDED"},
            {VerifyOutcome::BudgetExhausted, "MAX_RETRIES_EXCEEDED"},
            {VerifyOutcome::AccountDisabled, "ACCOUNT_DISABLED"}};
        for (const auto& [outcome, code] : rows) {
            answerGuess(outcome);
            CPPUNIT_ASSERT_EQUAL(std::string{code}, complete(byId).code());
        }
    }

    // Even where the settings tell who has an account.
    void answersEverybodyAlikeWhoForgot() {
        const Answer answer = forgot();
        CPPUNIT_ASSERT_EQUAL(202, answer.status);
        CPPUNIT_ASSERT(otpStore_.requests.at(0).purpose == Purpose::Reset);
        CPPUNIT_ASSERT(otpStore_.requests.at(0).disclosure == domain::Disclosure::Hide);
        CPPUNIT_ASSERT(otpStore_.requests.at(0).accountRule == domain::AccountRule::Active);
    }

    void tellsEachRefusalOfAForgottenPassword() {
        answerRequest(RequestOutcome::ClientLimited);
        CPPUNIT_ASSERT_EQUAL("RATE_LIMIT"s, forgot().code());
        answerRequest(RequestOutcome::DestinationLimited);
        CPPUNIT_ASSERT_EQUAL("RATE_LIMIT"s, forgot().code());
    }

    void resetsByAReceipt() {
        accountStore_.receiptOwner = user_;
        const Answer answer = resetByToken(receipt(Purpose::Reset));
        CPPUNIT_ASSERT_EQUAL(200, answer.status);
        CPPUNIT_ASSERT_EQUAL(answer.text("message"), answer.text("detail"));
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, accountStore_.resets.size());
        CPPUNIT_ASSERT(gate_.verify("another long passphrase", accountStore_.resets.at(0).passwordHash) ==
                       crypto::PasswordMatch::Right);
    }

    void refusesAReceiptThatIsNotGood() {
        CPPUNIT_ASSERT_EQUAL("reset_token"s, resetByToken("forged").field());
        CPPUNIT_ASSERT_EQUAL("reset_token"s, resetByToken(receipt(Purpose::Reset)).field());  // nobody's
        accountStore_.receiptOwner = user_;
        CPPUNIT_ASSERT_EQUAL("reset_token"s, resetByToken(receipt(Purpose::Register)).field());
        const std::string old = receipt(Purpose::Reset);
        clock_.advance(std::chrono::minutes{15});
        CPPUNIT_ASSERT_EQUAL("reset_token"s, resetByToken(old).field());
        CPPUNIT_ASSERT_EQUAL("password"s, resetByToken(receipt(Purpose::Reset), "123456").field());
        CPPUNIT_ASSERT(accountStore_.resets.empty());
        accountStore_.setsPasswords = false;  // somebody was faster
        const Answer spent = resetByToken(receipt(Purpose::Reset));
        CPPUNIT_ASSERT_EQUAL("VALIDATION_ERROR"s, spent.code());
        CPPUNIT_ASSERT_EQUAL("reset_token"s, spent.field());
    }

    void resetsByACode() {
        accountStore_.codeResult.outcome = VerifyOutcome::Verified;
        CPPUNIT_ASSERT_EQUAL(200, resetByCode().status);
        const auto& guess = std::get<domain::OtpVerification>(accountStore_.resets.at(0).proof);
        CPPUNIT_ASSERT(guess.purpose == Purpose::Reset);
    }

    void tellsWhyACodeResetNothing() {
        accountStore_.setsPasswords = false;
        // Of who names an address alone is hidden whether there was a code: see OtpService.
        const std::pair<VerifyOutcome, const char*> rows[] = {
            {VerifyOutcome::WrongCode, "INVALID_OTP"},
            {VerifyOutcome::AttemptsExhausted, "MAX_RETRIES_EXCEEDED"},
            {VerifyOutcome::BudgetExhausted, "MAX_RETRIES_EXCEEDED"},
            {VerifyOutcome::AccountDisabled, "ACCOUNT_DISABLED"},
            {VerifyOutcome::Verified, "INVALID_OTP"}};  // right, but there is no such account
        for (const auto& [outcome, code] : rows) {
            accountStore_.codeResult.outcome = outcome;
            CPPUNIT_ASSERT_EQUAL(std::string{code}, resetByCode().code());
        }
    }

    void refusesAWeakPasswordBeforeTheCodeIsSpent() {
        accountStore_.codeResult.outcome = VerifyOutcome::Verified;
        CPPUNIT_ASSERT_EQUAL("password"s, resetByCode("123456").field());
        CPPUNIT_ASSERT_EQUAL("password"s, resetByCode("").field());
        CPPUNIT_ASSERT(accountStore_.resets.empty());
    }

    void changesAPassword() {
        haveAnn();
        CPPUNIT_ASSERT_EQUAL(200, change(kPassword).status);
        const auto& changed = accountStore_.changes.at(0);
        CPPUNIT_ASSERT(changed.keptSession == session_.id);
        CPPUNIT_ASSERT(accountStore_.guesses.at(0).device == session_.deviceId);
    }

    void tellsWhyAPasswordDidNotChange() {
        haveAnn();
        CPPUNIT_ASSERT_EQUAL("INVALID_CREDENTIALS"s, change("wrong").code());
        CPPUNIT_ASSERT_EQUAL("new_password"s, change(kPassword, "123456").field());
        CPPUNIT_ASSERT_EQUAL("new_password"s, change(kPassword, "").field());
        CPPUNIT_ASSERT(accountStore_.changes.empty());
        accountStore_.changesPasswords = false;  // another was set meanwhile
        CPPUNIT_ASSERT_EQUAL("INVALID_CREDENTIALS"s, change(kPassword).code());
        answerPassword(CountedGuess::Outcome::DestinationLimited);
        CPPUNIT_ASSERT_EQUAL("MAX_RETRIES_EXCEEDED"s, change(kPassword).code());
        answerPassword(CountedGuess::Outcome::ClientLimited);
        CPPUNIT_ASSERT_EQUAL("RATE_LIMIT"s, change(kPassword).code());
    }

    void sendsWhoHasNoPasswordToTheReset() {
        user_.hasPassword = false;
        CPPUNIT_ASSERT_EQUAL("current_password"s, change(kPassword).field());
        CPPUNIT_ASSERT(accountStore_.guesses.empty());
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ApiPasswordsTest);

}  // namespace api_passwords_test
}  // namespace otpgate::api
