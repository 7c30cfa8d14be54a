// The routes for applications that verify addresses: what they read of each outcome.
#include "api/authentication.h"
#include "support_cpp/api_fixture.h"
#include "support_cpp/fake_api_key_store.h"
#include "support_cpp/fake_verification_store.h"

namespace otpgate::api {
namespace api_verifications_test {

using namespace std::chrono_literals;
using namespace std::string_literals;
using domain::ApiScope;
using test::Answer;
using Counted = domain::VerificationGuessResult::Outcome;
using Sent = domain::VerificationMessageResult::Outcome;

class ApiVerificationsTest : public test::ApiFixture {
    CPPUNIT_TEST_SUITE(ApiVerificationsTest);
    CPPUNIT_TEST(sendsACode);
    CPPUNIT_TEST(tellsTheCodeToWhoSendsIt);
    CPPUNIT_TEST(wantsTheScopeOfEachWay);
    CPPUNIT_TEST(sendsForAdministratorsOnly);
    CPPUNIT_TEST(saysWhichFieldsAreWrong);
    CPPUNIT_TEST(sendsNoSmsWhereThereIsNone);
    CPPUNIT_TEST(tellsEachRefusal);
    CPPUNIT_TEST(tellsWhatWasVerified);
    CPPUNIT_TEST(tellsEachRefusalOfACheck);
    CPPUNIT_TEST(tellsLateContextsApart);
    CPPUNIT_TEST(saysThatCodesWork);
    CPPUNIT_TEST_SUITE_END();

public:
    void setUp() override {
        ApiFixture::setUp();
        key_.userId = user_.id;
        key_.ownerRole = domain::Role::Admin;
        key_.scopes = {ApiScope::Verify, ApiScope::VerifyCaller};
    }

private:
    Answer create(const std::string& fields) {
        const auto request = post(R"({"to":"ann@example.org")" + fields + "}");
        return answerOf([&] { return createVerification(request, key_, apiKeys_, verifications_, settings_); });
    }
    Answer createFor(const std::string& to) {
        const auto request = post(R"({"to":")" + to + R"("})");
        return answerOf([&] { return createVerification(request, key_, apiKeys_, verifications_, settings_); });
    }
    Answer check(const std::string& context, const std::string& guess = "123456") {
        const auto request = post(R"({"context":")" + context + R"(","code":")" + guess + R"("})");
        return answerOf([&] { return checkVerification(request, key_, verifications_); });
    }
    Answer checkAnswered(Counted outcome) {
        store_.guessResult = {outcome, 1, domain::packTime(clock_.now())};
        return check(create("").text("context"));
    }

    void sendsACode() {
        const Answer sent = create(R"(,"purpose":"checkout","expires_in":60,"session_expires_in":120)");
        CPPUNIT_ASSERT_EQUAL(201, sent.status);
        CPPUNIT_ASSERT_EQUAL("60"s, sent.text("expires_in"));
        CPPUNIT_ASSERT_EQUAL("120"s, sent.text("session_expires_in"));
        CPPUNIT_ASSERT(!sent.has("otp"));
        CPPUNIT_ASSERT(sent.response.body.find("ann@") == std::string::npos);
        CPPUNIT_ASSERT(!sent.header("RateLimit").empty());
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, messenger_.messages.size());
        CPPUNIT_ASSERT(store_.messages.at(0).ownerId == user_.id);
    }

    void tellsTheCodeToWhoSendsIt() {
        const Answer told = create(R"(,"deliver":"caller")");
        CPPUNIT_ASSERT_EQUAL(201, told.status);
        CPPUNIT_ASSERT_EQUAL("123456"s, told.text("otp"));
        CPPUNIT_ASSERT(messenger_.messages.empty() && !store_.messages.at(0).message);
    }

    void wantsTheScopeOfEachWay() {
        key_.scopes = {ApiScope::Verify};
        CPPUNIT_ASSERT_EQUAL(201, create("").status);
        CPPUNIT_ASSERT_EQUAL("FORBIDDEN"s, create(R"(,"deliver":"caller")").code());
        key_.scopes = {ApiScope::VerifyCaller};
        CPPUNIT_ASSERT_EQUAL("FORBIDDEN"s, create("").code());
        CPPUNIT_ASSERT_EQUAL(201, create(R"(,"deliver":"caller")").status);
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, store_.messages.size());
    }

    void sendsForAdministratorsOnly() {
        key_.ownerRole = domain::Role::User;
        CPPUNIT_ASSERT_EQUAL("FORBIDDEN"s, create("").code());
        CPPUNIT_ASSERT(store_.messages.empty());
        CPPUNIT_ASSERT_EQUAL(201, create(R"(,"deliver":"caller")").status);
    }

    void saysWhichFieldsAreWrong() {
        CPPUNIT_ASSERT_EQUAL(
            "MISSING_FIELDS"s,
            answerOf([&] { return createVerification(post("{}"), key_, apiKeys_, verifications_, settings_); }).code());
        CPPUNIT_ASSERT_EQUAL("to"s, createFor("nobody").field());
        CPPUNIT_ASSERT_EQUAL("purpose"s, create(R"(,"purpose":"Check out")").field());
        CPPUNIT_ASSERT_EQUAL("purpose"s, create(R"(,"purpose":"")").field());
        CPPUNIT_ASSERT_EQUAL("purpose"s, create(R"(,"purpose":")" + std::string(51, 'a') + R"(")").field());
        CPPUNIT_ASSERT_EQUAL("length"s, create(R"(,"length":11)").field());
        CPPUNIT_ASSERT_EQUAL("length"s, create(R"(,"length":3)").field());
        CPPUNIT_ASSERT_EQUAL("alphabet"s, create(R"(,"alphabet":"emoji")").field());
        CPPUNIT_ASSERT_EQUAL("metadata"s, create(R"(,"metadata":[1])").field());
        CPPUNIT_ASSERT_EQUAL("expires_in"s, create(R"(,"expires_in":29)").field());
        CPPUNIT_ASSERT_EQUAL("session_expires_in"s, create(R"(,"expires_in":120,"session_expires_in":60)").field());
        CPPUNIT_ASSERT_EQUAL("max_retries"s, create(R"(,"max_retries":11)").field());
        CPPUNIT_ASSERT_EQUAL("deliver"s, create(R"(,"deliver":"us")").field());
        CPPUNIT_ASSERT(store_.messages.empty());
    }

    void sendsNoSmsWhereThereIsNone() {
        CPPUNIT_ASSERT_EQUAL("to"s, createFor("+4915112345678").field());
        settings_.smsIsSetUp = true;
        CPPUNIT_ASSERT_EQUAL(201, createFor("+4915112345678").status);
        settings_.phoneNumbers =
            domain::PhoneNumbers{domain::PhoneValidation::Strict, domain::AllowedPrefixes::parse({"+43"}).value()};
        CPPUNIT_ASSERT_EQUAL("to"s, createFor("+4915112345678").field());
        CPPUNIT_ASSERT_EQUAL("to"s, createFor("+43123").field());
    }

    void tellsEachRefusal() {
        store_.messageResult = {Sent::DestinationLimited, domain::packTime(clock_.now())};
        const Answer limited = create("");
        CPPUNIT_ASSERT_EQUAL("RATE_LIMIT"s, limited.code());
        CPPUNIT_ASSERT(limited.header("RateLimit-Policy").starts_with("\"request_per_destination\""));
        store_.messageResult.outcome = Sent::OwnerLimited;
        CPPUNIT_ASSERT(create("").header("RateLimit-Policy").starts_with("\"verifications_per_account\""));
        store_.messageResult.outcome = Sent::Accepted;
        messenger_.delivery = domain::Delivery::Failed;
        CPPUNIT_ASSERT_EQUAL("SEND_FAILED"s, create("").code());
    }

    void tellsWhatWasVerified() {
        store_.guessResult = {Counted::Verified, 2, {}};
        const Answer verified = check(create(R"(,"metadata":{"cart":7})").text("context"));
        CPPUNIT_ASSERT_EQUAL(200, verified.status);
        CPPUNIT_ASSERT_EQUAL("verified"s, verified.text("status"));
        CPPUNIT_ASSERT_EQUAL("ann@example.org"s, verified.text("identifier"));
        CPPUNIT_ASSERT_EQUAL("1"s, verified.text("retry_count"));
        CPPUNIT_ASSERT_EQUAL(7, verified.body->getObject("metadata")->getValue<int>("cart"));
    }

    void tellsEachRefusalOfACheck() {
        const Answer wrong = checkAnswered(Counted::WrongCode);
        CPPUNIT_ASSERT_EQUAL("INVALID_OTP"s, wrong.code());
        CPPUNIT_ASSERT_EQUAL("2"s, wrong.text("attempts_remaining"));
        CPPUNIT_ASSERT(wrong.has("context"));
        CPPUNIT_ASSERT_EQUAL("OTP_USED"s, checkAnswered(Counted::Used).code());
        const Answer locked = checkAnswered(Counted::AttemptsExhausted);
        CPPUNIT_ASSERT_EQUAL("MAX_RETRIES_EXCEEDED"s, locked.code());
        CPPUNIT_ASSERT_EQUAL("30"s, locked.header("Retry-After"));
        const Answer spent = checkAnswered(Counted::BudgetExhausted);
        CPPUNIT_ASSERT(spent.header("RateLimit-Policy").starts_with("\"guesses_per_destination\""));
        CPPUNIT_ASSERT_EQUAL("context"s, check("AAAA").field());
        CPPUNIT_ASSERT_EQUAL("code"s, check("AAAA", "1").field());
    }

    void tellsLateContextsApart() {
        const std::string context = create(R"(,"expires_in":60,"session_expires_in":120)").text("context");
        clock_.advance(60s);
        CPPUNIT_ASSERT_EQUAL("OTP_EXPIRED"s, check(context).code());
        clock_.advance(60s);
        CPPUNIT_ASSERT_EQUAL("SESSION_EXPIRED"s, check(context).code());
    }

    void saysThatCodesWork() {
        const Answer answer = answerOf([&] { return showOtpHealth(get(), verifications_, clock_); });
        CPPUNIT_ASSERT_EQUAL("healthy"s, answer.text("status"));
        CPPUNIT_ASSERT_EQUAL("0"s, answer.text("duration_ms"));
    }

    ApiKeyCaller key_;
    test::FakeApiKeyStore keyRows_;
    domain::ApiKeyService apiKeys_{keyRows_, clock_, random_, domain::ApiKeyHolders::Admins};
    test::FakeVerificationStore store_;
    domain::VerificationService verifications_{
        store_,
        messenger_,
        otpCodes_,
        ring_,
        clock_,
        random_,
        metrics_,
        {domain::LimitRule::parse("5/1h").value(), domain::LimitRule::parse("200/1h").value(),
         domain::LimitRule::parse("10/1h").value(), 30s}};
};

CPPUNIT_TEST_SUITE_REGISTRATION(ApiVerificationsTest);

}  // namespace api_verifications_test
}  // namespace otpgate::api
