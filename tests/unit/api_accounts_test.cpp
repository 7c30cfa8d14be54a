// The routes for one's own account: signing up by a form, another address, the profile, the end of it.
#include "api/authentication.h"
#include "support_cpp/api_fixture.h"

namespace otpgate::api {
namespace api_accounts_test {

using namespace std::chrono_literals;
using namespace std::string_literals;
using domain::Purpose;
using test::Answer;
using Creation = domain::AccountCreation::Outcome;
using RequestOutcome = domain::OtpRequestResult::Outcome;
using VerifyOutcome = domain::OtpVerifyResult::Outcome;

class ApiAccountsTest : public test::ApiFixture {
    CPPUNIT_TEST_SUITE(ApiAccountsTest);
    CPPUNIT_TEST(registersByACodeThatFollows);
    CPPUNIT_TEST(changesAddressesWhereNobodySignsUp);
    CPPUNIT_TEST(registersByAReceipt);
    CPPUNIT_TEST(takesNoOtherReceipt);
    CPPUNIT_TEST(saysWhichFieldsAreWrong);
    CPPUNIT_TEST(registersNobodyWhoIsNotWelcome);
    CPPUNIT_TEST(tellsEachRefusalOfARegistration);
    CPPUNIT_TEST(sendsACodeToTheNewAddress);
    CPPUNIT_TEST(sendsNoCodeToAnAddressThatIsNotWelcome);
    CPPUNIT_TEST(changesTheAddress);
    CPPUNIT_TEST(tellsEachRefusalOfAChange);
    CPPUNIT_TEST(showsOnesOwnAccount);
    CPPUNIT_TEST(changesTheProfile);
    CPPUNIT_TEST(endsTheAccount);
    CPPUNIT_TEST_SUITE_END();

    static constexpr const char* kPassword = R"(,"password":"correct horse battery 42")";

    Answer signUp(const std::string& fields, const std::string& address = "bob@example.org") {
        const auto request = post(R"({"email":")" + address + R"(")" + fields + "}");
        return answerOf([&] { return registerUser(request, codes_, sessions_, registrations_, settings_); });
    }
    std::string receipt(Purpose purpose) {
        domain::VerifiedOtp verified;
        verified.otpId = session_.id;
        verified.purpose = purpose;
        return R"(,"verification_token":")" + codes_.receiptOf(verified) + R"(")";
    }
    Answer askToChange(const std::string& address = "ann@example.com") {
        const auto request = post(R"({"destination":")" + address + R"("})");
        return answerOf([&] { return requestAddressChange(request, caller(), codes_, settings_); });
    }
    Answer change() {
        const auto request = post(R"({"otp_id":")" + session_.id.toString() + R"(","otp":"123456"})");
        return answerOf([&] { return verifyAddressChange(request, caller(), addresses_, settings_); });
    }
    Answer updateWith(const std::string& body) {
        return answerOf([&] { return updateProfile(post(body), caller(), accounts_, clock_, settings_); });
    }
    void welcomeOnly(const std::string& domain) { settings_.signUp.domains = {domain}; }

    void changesAddressesWhereNobodySignsUp() {
        settings_.signUp.isClosed = true;
        CPPUNIT_ASSERT_EQUAL("email"s, signUp(kPassword).field());
        CPPUNIT_ASSERT_EQUAL(202, askToChange().status);
        settings_.signUp.domains = {"elsewhere.example"};
        CPPUNIT_ASSERT_EQUAL("destination"s, askToChange().field());
    }

    void registersByACodeThatFollows() {
        const Answer made = signUp(kPassword + R"(,"first_name":" Bob ","last_name":"Li","locale":"de-AT")"s);
        CPPUNIT_ASSERT_EQUAL(201, made.status);
        CPPUNIT_ASSERT(made.has("otp_id") && made.has("resend_in"));
        CPPUNIT_ASSERT_EQUAL(600, std::stoi(made.text("expires_in")));
        CPPUNIT_ASSERT_EQUAL("Bob"s, made.body->getObject("user")->getValue<std::string>("first_name"));
        const auto& [otpId, form] = accountStore_.kept.at(0);
        CPPUNIT_ASSERT_EQUAL(made.text("otp_id"), otpId.toString());
        CPPUNIT_ASSERT(form.firstName == "Bob" && form.lastName == "Li" && form.locale == "de-AT");
        CPPUNIT_ASSERT(form.passwordHash && form.passwordHash->starts_with("$argon2id$"));
        CPPUNIT_ASSERT(otpStore_.requests.at(0).isRegistration && otpStore_.requests.at(0).purpose == Purpose::Verify);
    }

    void registersByAReceipt() {
        const Answer made = signUp(kPassword + receipt(Purpose::Register));
        CPPUNIT_ASSERT_EQUAL(201, made.status);
        CPPUNIT_ASSERT(!made.has("otp_id"));
        const domain::NewAccount& account = accountStore_.created.at(0);
        CPPUNIT_ASSERT(account.otpId == session_.id && account.user.emailVerified && account.passwordHash);
        CPPUNIT_ASSERT(otpStore_.requests.empty());
    }

    void takesNoOtherReceipt() {
        CPPUNIT_ASSERT_EQUAL("verification_token"s, signUp(R"(,"verification_token":"x")").field());
        CPPUNIT_ASSERT_EQUAL("verification_token"s, signUp(receipt(Purpose::Reset)).field());
        CPPUNIT_ASSERT(accountStore_.created.empty() && otpStore_.requests.empty());
    }

    void saysWhichFieldsAreWrong() {
        CPPUNIT_ASSERT_EQUAL("email"s, signUp("", "nobody").field());
        CPPUNIT_ASSERT_EQUAL("password"s, signUp(R"(,"password":"12345678")").field());
        CPPUNIT_ASSERT_EQUAL("first_name"s, signUp(R"(,"first_name":"a\u0007b")").field());
        CPPUNIT_ASSERT_EQUAL(
            "MISSING_FIELDS"s,
            answerOf([&] { return registerUser(post("{}"), codes_, sessions_, registrations_, settings_); }).code());
        CPPUNIT_ASSERT(otpStore_.requests.empty());
    }

    void registersNobodyWhoIsNotWelcome() {
        welcomeOnly("example.com");
        CPPUNIT_ASSERT_EQUAL("email"s, signUp("").field());
        CPPUNIT_ASSERT_EQUAL("email"s, signUp(receipt(Purpose::Register)).field());
        CPPUNIT_ASSERT_EQUAL(201, signUp("", "bob@example.com").status);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, otpStore_.requests.size());
        CPPUNIT_ASSERT(accountStore_.created.empty());
    }

    void tellsEachRefusalOfARegistration() {
        const auto refusal = [&](Creation outcome) {
            accountStore_.creation = {outcome, domain::packTime(clock_.now())};
            return signUp(receipt(Purpose::Register));
        };
        CPPUNIT_ASSERT_EQUAL("CONFLICT"s, refusal(Creation::Taken).code());
        CPPUNIT_ASSERT_EQUAL("verification_token"s, refusal(Creation::ReceiptSpent).field());
        const Answer limited = refusal(Creation::ClientLimited);
        CPPUNIT_ASSERT_EQUAL("RATE_LIMIT"s, limited.code());
        CPPUNIT_ASSERT(limited.header("RateLimit-Policy").starts_with("\"request_per_client\""));

        accountStore_.found = user_;  // the settings reveal it
        CPPUNIT_ASSERT_EQUAL("CONFLICT"s, signUp("").code());
        accountStore_.found.reset();
        answerRequest(RequestOutcome::DestinationLimited);
        CPPUNIT_ASSERT_EQUAL("RATE_LIMIT"s, signUp("").code());
        answerRequest(RequestOutcome::Accepted);
        messenger_.delivery = domain::Delivery::Failed;
        CPPUNIT_ASSERT_EQUAL("SEND_FAILED"s, signUp("").code());
        CPPUNIT_ASSERT(accountStore_.kept.empty());
    }

    void sendsACodeToTheNewAddress() {
        user_.locale = "fr";
        const Answer asked = askToChange();
        CPPUNIT_ASSERT_EQUAL(202, asked.status);
        CPPUNIT_ASSERT_EQUAL("change"s, asked.text("purpose"));
        const domain::NewOtpRequest& request = otpStore_.requests.at(0);
        CPPUNIT_ASSERT(request.ownerId == user_.id && request.purpose == Purpose::Change && request.locale == "fr");
        CPPUNIT_ASSERT_EQUAL("destination"s, askToChange("nobody").field());
        answerRequest(RequestOutcome::AccountLimited);
        CPPUNIT_ASSERT(askToChange().header("RateLimit-Policy").empty());  // limits.changes_per_account is 0 here
        CPPUNIT_ASSERT_EQUAL("RATE_LIMIT"s, askToChange().code());
    }

    void sendsNoCodeToAnAddressThatIsNotWelcome() {
        welcomeOnly("example.org");
        CPPUNIT_ASSERT_EQUAL("destination"s, askToChange().field());
        CPPUNIT_ASSERT(otpStore_.requests.empty());
        CPPUNIT_ASSERT_EQUAL(202, askToChange("ann2@example.org").status);
    }

    void changesTheAddress() {
        accountStore_.addressChanged.code.outcome = VerifyOutcome::Verified;
        accountStore_.addressChanged.code.destination = ann_;
        accountStore_.addressChanged.user = user_;
        const Answer changed = change();
        CPPUNIT_ASSERT_EQUAL(200, changed.status);
        CPPUNIT_ASSERT_EQUAL(ann_.value(), changed.text("verified_destination"));
        CPPUNIT_ASSERT_EQUAL(user_.id.toString(), changed.body->getObject("user")->getValue<std::string>("id"));
        const domain::AddressChange& asked = accountStore_.addressChanges.at(0);
        CPPUNIT_ASSERT(asked.guess.ownerId == user_.id && asked.guess.purpose == Purpose::Change);
        CPPUNIT_ASSERT(asked.keptSession == session_.id);
    }

    void tellsEachRefusalOfAChange() {
        const auto refusal = [&](VerifyOutcome outcome) {
            accountStore_.addressChanged.code.outcome = outcome;
            accountStore_.addressChanged.code.destination = ann_;
            return change().code();
        };
        CPPUNIT_ASSERT_EQUAL("INVALID_OTP"s, refusal(VerifyOutcome::WrongCode));
        CPPUNIT_ASSERT_EQUAL("OTP_USED"s, refusal(VerifyOutcome::Used));
        CPPUNIT_ASSERT_EQUAL("OTP_EXPIRED"s, refusal(VerifyOutcome::Expired));
        CPPUNIT_ASSERT_EQUAL("ACCOUNT_DISABLED"s, refusal(VerifyOutcome::AccountDisabled));
        CPPUNIT_ASSERT_EQUAL("CONFLICT"s, refusal(VerifyOutcome::Verified));  // another account has it
    }

    void showsOnesOwnAccount() {
        const Answer byToken = answerOf([&] { return showMe(get(), caller(), sessions_); });
        CPPUNIT_ASSERT_EQUAL(user_.id.toString(), byToken.body->getObject("user")->getValue<std::string>("id"));
        CPPUNIT_ASSERT(byToken.header("X-CSRF-Token").empty());
        CPPUNIT_ASSERT_EQUAL("absent"s, byToken.cookie(kSessionCookie));
        Caller browser = caller();
        browser.credential = Credential::Cookie;
        const Answer byCookie = answerOf([&] { return showMe(get(), browser, sessions_); });
        CPPUNIT_ASSERT_EQUAL(sessions_.csrfTokenOf(session_.id), byCookie.header("X-CSRF-Token"));
        CPPUNIT_ASSERT_EQUAL(sessions_.cookieOf(session_.id), byCookie.cookie(kSessionCookie));
    }

    void changesTheProfile() {
        accountStore_.found = user_;
        CPPUNIT_ASSERT_EQUAL(200, updateWith(R"({"username":"annie","locale":"pt-BR"})").status);
        const domain::ProfileChange& asked = accountStore_.profileChanges.at(0);
        CPPUNIT_ASSERT(asked.userId == user_.id && asked.username == "annie" && asked.locale == "pt-BR");
        CPPUNIT_ASSERT(!asked.firstName && !asked.lastName);
        CPPUNIT_ASSERT_EQUAL(200, updateWith(R"({"first_name":"Ann","locale":"not a tag"})").status);
        CPPUNIT_ASSERT(!accountStore_.profileChanges.at(1).locale);
        CPPUNIT_ASSERT_EQUAL(200, updateWith(R"({"locale":""})").status);
        CPPUNIT_ASSERT(accountStore_.profileChanges.at(2).locale == "");
        CPPUNIT_ASSERT_EQUAL("username"s, updateWith(R"({"username":""})").field());
        CPPUNIT_ASSERT_EQUAL("last_name"s, updateWith(R"({"last_name":7})").field());
        accountStore_.found.reset();  // removed meanwhile
        CPPUNIT_ASSERT_EQUAL("INVALID_TOKEN"s, updateWith("{}").code());
    }

    void endsTheAccount() {
        const Answer ended = answerOf([&] { return deleteMe(post(""), caller(), accounts_); });
        CPPUNIT_ASSERT_EQUAL(204, ended.status);
        CPPUNIT_ASSERT(accountStore_.removed == std::vector{user_.id});
        CPPUNIT_ASSERT_EQUAL(""s, ended.cookie(kSessionCookie));
        CPPUNIT_ASSERT_EQUAL(""s, ended.cookie(kDeviceCookie));
    }

    domain::RegistrationService registrations_{accountStore_, codes_, passwords_, clock_, random_, otpSettings_};
    domain::AddressService addresses_{accountStore_, codes_, messenger_, clock_, random_, {}};
    domain::AccountService accounts_{accountStore_, clock_, random_};
};

CPPUNIT_TEST_SUITE_REGISTRATION(ApiAccountsTest);

}  // namespace api_accounts_test
}  // namespace otpgate::api
