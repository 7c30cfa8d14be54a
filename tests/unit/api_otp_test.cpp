// otp/request and otp/verify: what a client reads of each outcome.
#include "api/otp_answers.h"
#include "support_cpp/api_fixture.h"

namespace otpgate::api {
namespace api_otp_test {

using namespace std::string_literals;
using domain::Purpose;
using RequestOutcome = domain::OtpRequestResult::Outcome;
using VerifyOutcome = domain::OtpVerifyResult::Outcome;
using test::Answer;

const std::string kByAddress = R"({"destination":"ann@example.org","otp":"123456"})";

class ApiOtpTest : public test::ApiFixture {
    CPPUNIT_TEST_SUITE(ApiOtpTest);
    CPPUNIT_TEST(tellsWhereTheCodeWentAndHowLongItIsGood);
    CPPUNIT_TEST(asksTheServiceWhatTheBodySays);
    CPPUNIT_TEST(takesTheDeviceOfTheBodyBeforeTheCookies);
    CPPUNIT_TEST(tellsEachRefusalOfARequest);
    CPPUNIT_TEST(asksForAChallengeAndSaysWhatBecameOfIt);
    CPPUNIT_TEST(tellsWhatIsWrongInARequest);
    CPPUNIT_TEST(refusesNumbersWithoutAWayToSendSms);
    CPPUNIT_TEST(refusesNumbersOfPrefixesThatAreNotAllowed);
    CPPUNIT_TEST(tellsThatNothingWasSent);
    CPPUNIT_TEST(signsInByTokens);
    CPPUNIT_TEST(signsInByCookie);
    CPPUNIT_TEST(provesAnAddress);
    CPPUNIT_TEST(handsOutReceipts);
    CPPUNIT_TEST(tellsEachOutcomeOfAGuess);
    CPPUNIT_TEST(tellsWhatIsWrongInAGuess);
    CPPUNIT_TEST(findsTheCodeThatTheGuessNames);
    CPPUNIT_TEST_SUITE_END();

    Answer request(const std::string& body) {
        return answerOf([&] { return requestOtp(post(body), codes_, sessions_, settings_); });
    }
    Answer verify(const std::string& body) {
        return answerOf([&] { return verifyOtp(post(body), codes_, sessions_, settings_); });
    }

    void tellsWhereTheCodeWentAndHowLongItIsGood() {
        const Answer answer = request(R"({"destination":" Ann@Example.org "})");
        CPPUNIT_ASSERT_EQUAL(202, answer.status);
        CPPUNIT_ASSERT_EQUAL(otpStore_.requests.at(0).id.toString(), answer.text("otp_id"));
        CPPUNIT_ASSERT_EQUAL("email"s, answer.text("channel"));
        CPPUNIT_ASSERT_EQUAL("login"s, answer.text("purpose"));
        CPPUNIT_ASSERT_EQUAL("a*n@example.org"s, answer.text("destination_masked"));
        CPPUNIT_ASSERT_EQUAL("600"s, answer.text("expires_in"));
        CPPUNIT_ASSERT_EQUAL("30"s, answer.text("resend_in"));
        CPPUNIT_ASSERT_EQUAL(answer.text("message"), answer.text("detail"));
        CPPUNIT_ASSERT(!answer.header("RateLimit").empty());
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, messenger_.messages.size());
    }

    void asksTheServiceWhatTheBodySays() {
        request(R"({"email":"ann@example.org","purpose":"reset","locale":"de_AT"})");
        const auto& asked = otpStore_.requests.at(0);
        CPPUNIT_ASSERT(asked.destination.value() == ann_.value());
        CPPUNIT_ASSERT(asked.purpose == Purpose::Reset);
        CPPUNIT_ASSERT_EQUAL("de-AT"s, asked.locale);
        CPPUNIT_ASSERT_EQUAL("192.0.2.7"s, asked.client.address);
        CPPUNIT_ASSERT_EQUAL("request-1"s, asked.client.requestId);
        CPPUNIT_ASSERT(!asked.device);
    }

    void takesTheDeviceOfTheBodyBeforeTheCookies() {
        const Uuid ours = Uuid::makeV7(clock_.now(), random_);
        const Uuid other = Uuid::makeV7(clock_.now(), random_);
        const std::string cookie = "__Host-otpgate-device=" + sessions_.deviceTokenOf(other);
        const auto ask = [&](const std::string& token) {
            const auto asked =
                post(R"({"email":"ann@example.org","device_token":")" + token + R"("})", {{"cookie", cookie}});
            answerOf([&] { return requestOtp(asked, codes_, sessions_, settings_); });
            return otpStore_.requests.back().device;
        };
        CPPUNIT_ASSERT(ask(sessions_.deviceTokenOf(ours)) == ours);
        CPPUNIT_ASSERT(ask("forged") == other);
    }

    void tellsEachRefusalOfARequest() {
        const auto codeOf = [&](RequestOutcome outcome) {
            answerRequest(outcome);
            return request(R"({"destination":"ann@example.org"})");
        };
        for (const auto outcome : {RequestOutcome::ClientLimited, RequestOutcome::DestinationLimited}) {
            const Answer answer = codeOf(outcome);
            CPPUNIT_ASSERT_EQUAL(429, answer.status);
            CPPUNIT_ASSERT_EQUAL("RATE_LIMIT"s, answer.code());
            CPPUNIT_ASSERT_EQUAL(answer.header("Retry-After"), answer.text("retry_after"));
            CPPUNIT_ASSERT(!answer.header("RateLimit-Policy").empty());
        }
        const Answer unknown = codeOf(RequestOutcome::UserNotFound);
        CPPUNIT_ASSERT_EQUAL(404, unknown.status);
        CPPUNIT_ASSERT_EQUAL("USER_NOT_FOUND"s, unknown.code());
        const Answer disabled = codeOf(RequestOutcome::AccountDisabled);
        CPPUNIT_ASSERT_EQUAL(403, disabled.status);
        CPPUNIT_ASSERT_EQUAL("ACCOUNT_DISABLED"s, disabled.code());
        CPPUNIT_ASSERT(messenger_.messages.empty());
    }

    void asksForAChallengeAndSaysWhatBecameOfIt() {
        using domain::HumanVerdict;
        domain::RequestedOtp otp;
        otp.outcome = RequestOutcome::WorkNeeded;
        otp.challenge = R"({"service":"turnstile","site_key":"0x4AAA"})";
        const auto rejected = [&](std::optional<HumanVerdict> shown) {
            otp.shown = shown;
            return answerOf([&]() -> http::Response {
                rejectUnlessAccepted(otp);
                return {};
            });
        };
        const Answer first = rejected(std::nullopt);
        CPPUNIT_ASSERT_EQUAL("CHALLENGE_REQUIRED"s, first.code());
        CPPUNIT_ASSERT_EQUAL("0x4AAA"s, first.body->getObject("challenge")->getValue<std::string>("site_key"));
        for (const auto shown : {HumanVerdict::Refused, HumanVerdict::Elsewhere, HumanVerdict::NoAnswer,
                                 HumanVerdict::WrongAnswer, HumanVerdict::Busy}) {
            const Answer answer = rejected(shown);
            CPPUNIT_ASSERT_EQUAL(429, answer.status);
            CPPUNIT_ASSERT_EQUAL("CHALLENGE_FAILED"s, answer.code());
            const bool helps = shown == HumanVerdict::Refused || shown == HumanVerdict::Elsewhere;
            CPPUNIT_ASSERT_EQUAL(helps, answer.text("detail").find("once more") != std::string::npos);
        }
        const std::string body = R"({"destination":"ann@example.org","captcha_token":)";
        CPPUNIT_ASSERT_EQUAL("captcha_token"s, request(body + R"("a b"})").field());
        CPPUNIT_ASSERT_EQUAL("captcha_token"s, request(body + "1}").field());
        CPPUNIT_ASSERT_EQUAL(202, request(body + "\"" + std::string(2048, 'a') + "\"}").status);
        CPPUNIT_ASSERT_EQUAL("captcha_token"s, request(body + "\"" + std::string(2049, 'a') + "\"}").field());
    }

    void tellsWhatIsWrongInARequest() {
        const Answer missing = request("{}");
        CPPUNIT_ASSERT_EQUAL("MISSING_FIELDS"s, missing.code());
        CPPUNIT_ASSERT_EQUAL("destination"s, missing.field());
        CPPUNIT_ASSERT_EQUAL("email"s, request(R"({"email":"+4930123456"})").field());
        CPPUNIT_ASSERT_EQUAL("phone_number"s, request(R"({"phone_number":"ann@example.org"})").field());
        CPPUNIT_ASSERT_EQUAL("destination"s, request(R"({"destination":1})").field());
        // A change of address has routes of its own.
        CPPUNIT_ASSERT_EQUAL("purpose"s, request(R"({"email":"ann@example.org","purpose":"change"})").field());
        CPPUNIT_ASSERT_EQUAL("MALFORMED_JSON"s, request("{").code());
        CPPUNIT_ASSERT(otpStore_.requests.empty());
    }

    void refusesNumbersWithoutAWayToSendSms() {
        const std::string body = R"({"phone_number":"+4930123456"})";
        CPPUNIT_ASSERT_EQUAL("phone_number"s, request(body).field());
        settings_.smsIsSetUp = true;
        const Answer answer = request(body);
        CPPUNIT_ASSERT_EQUAL(202, answer.status);
        CPPUNIT_ASSERT_EQUAL("sms"s, answer.text("channel"));
        CPPUNIT_ASSERT_EQUAL("300"s, answer.text("expires_in"));
    }

    void refusesNumbersOfPrefixesThatAreNotAllowed() {
        settings_.smsIsSetUp = true;
        settings_.phoneNumbers =
            domain::PhoneNumbers{domain::PhoneValidation::Any, domain::AllowedPrefixes::parse({"+49"}).value()};
        CPPUNIT_ASSERT_EQUAL("phone_number"s, request(R"({"phone_number":"+12025550123"})").field());
        CPPUNIT_ASSERT_EQUAL("destination"s, request(R"({"destination":"+12025550123"})").field());
        CPPUNIT_ASSERT(messenger_.messages.empty());
        CPPUNIT_ASSERT_EQUAL(202, request(R"({"phone_number":"+4930123456"})").status);
    }

    void tellsThatNothingWasSent() {
        messenger_.delivery = domain::Delivery::Failed;
        const Answer answer = request(R"({"destination":"ann@example.org"})");
        CPPUNIT_ASSERT_EQUAL(502, answer.status);
        CPPUNIT_ASSERT_EQUAL("SEND_FAILED"s, answer.code());
    }

    void signsInByTokens() {
        answerGuess(VerifyOutcome::Verified);
        const Answer answer = verify(kByAddress);
        CPPUNIT_ASSERT_EQUAL(200, answer.status);
        CPPUNIT_ASSERT(sessions_.authenticate(answer.text("access")).has_value());
        CPPUNIT_ASSERT(!answer.text("refresh").empty());
        CPPUNIT_ASSERT_EQUAL("Bearer"s, answer.text("token_type"));
        CPPUNIT_ASSERT_EQUAL("900"s, answer.text("expires_in"));
        CPPUNIT_ASSERT_EQUAL(session_.id.toString(), answer.text("session_id"));
        CPPUNIT_ASSERT_EQUAL("false"s, answer.text("is_new_user"));
        CPPUNIT_ASSERT_EQUAL(user_.id.toString(), answer.body->getObject("user")->getValue<std::string>("id"));
        CPPUNIT_ASSERT(sessions_.parseDeviceToken(answer.text("device_token")) == session_.deviceId);
        CPPUNIT_ASSERT_EQUAL(answer.text("device_token"), answer.cookie("__Host-otpgate-device"));
        CPPUNIT_ASSERT_EQUAL("absent"s, answer.cookie("__Host-otpgate"));
        CPPUNIT_ASSERT(otpStore_.verifications.at(0).sessionExpiresAt == clock_.now() + std::chrono::hours{168});
    }

    // A script of the page reads neither the session nor the device from the body.
    void signsInByCookie() {
        answerGuess(VerifyOutcome::Verified);
        const Answer answer = verify(R"({"destination":"ann@example.org","otp":"123456","session":"cookie"})");
        CPPUNIT_ASSERT_EQUAL(200, answer.status);
        CPPUNIT_ASSERT(sessions_.authenticateCookie(answer.cookie("__Host-otpgate")).has_value());
        CPPUNIT_ASSERT(sessions_.isCsrfToken(answer.text("csrf_token"), session_.id));
        for (const char* member : {"access", "refresh", "device_token"}) CPPUNIT_ASSERT(!answer.has(member));
    }

    void provesAnAddress() {
        answerGuess(VerifyOutcome::Verified, Purpose::Verify);
        const Answer answer = verify(R"({"destination":"ann@example.org","otp":"123456","purpose":"verify"})");
        CPPUNIT_ASSERT_EQUAL("true"s, answer.text("verified"));
        CPPUNIT_ASSERT_EQUAL(ann_.value(), answer.text("verified_destination"));
        CPPUNIT_ASSERT(!answer.has("access"));
    }

    void handsOutReceipts() {
        const std::string id = Uuid::makeV7(clock_.now(), random_).toString();
        const std::string byId = R"({"otp_id":")" + id + R"(","otp":"123456"})";
        answerGuess(VerifyOutcome::Verified, Purpose::Register);
        const Answer registration = verify(byId);
        CPPUNIT_ASSERT_EQUAL(ann_.value(), registration.text("verified_destination"));
        CPPUNIT_ASSERT(codes_.parseReceipt(registration.text("verification_token"), Purpose::Register) ==
                       Uuid::parse(id));
        answerGuess(VerifyOutcome::Verified, Purpose::Reset);
        const Answer reset = verify(byId);
        CPPUNIT_ASSERT(codes_.parseReceipt(reset.text("reset_token"), Purpose::Reset) == Uuid::parse(id));
        CPPUNIT_ASSERT(!codes_.parseReceipt(reset.text("reset_token"), Purpose::Register));
    }

    void tellsEachOutcomeOfAGuess() {
        struct Row {
            VerifyOutcome outcome;
            int status;
            const char* code;
            const char* attempts;
            bool mayRetryLater;
        };
        // Whoever names the id has asked for the code, and learns what became of it.
        const std::string byId =
            R"({"otp_id":")" + Uuid::makeV7(clock_.now(), random_).toString() + R"(","otp":"123456"})";
        for (const Row& row : {Row{VerifyOutcome::WrongCode, 400, "INVALID_OTP", "1", false},
                               Row{VerifyOutcome::Unknown, 400, "INVALID_OTP", "2", false},
                               Row{VerifyOutcome::Used, 400, "OTP_USED", "", false},
                               Row{VerifyOutcome::Expired, 410, "OTP_EXPIRED", "", false},
                               Row{VerifyOutcome::AttemptsExhausted, 429, "MAX_RETRIES_EXCEEDED", "0", true},
                               Row{VerifyOutcome::BudgetExhausted, 429, "MAX_RETRIES_EXCEEDED", "", true},
                               Row{VerifyOutcome::AccountDisabled, 403, "ACCOUNT_DISABLED", "", false}}) {
            answerGuess(row.outcome);
            const Answer answer = verify(byId);
            CPPUNIT_ASSERT_EQUAL_MESSAGE(row.code, row.status, answer.status);
            CPPUNIT_ASSERT_EQUAL(std::string{row.code}, answer.code());
            CPPUNIT_ASSERT_EQUAL_MESSAGE(row.code, std::string{row.attempts}, answer.text("attempts_remaining"));
            CPPUNIT_ASSERT_EQUAL_MESSAGE(row.code, row.mayRetryLater, !answer.header("Retry-After").empty());
            CPPUNIT_ASSERT_EQUAL("absent"s, answer.cookie("__Host-otpgate-device"));
        }
    }

    void tellsWhatIsWrongInAGuess() {
        CPPUNIT_ASSERT_EQUAL("otp_id"s, verify(R"({"otp":"123456"})").field());
        CPPUNIT_ASSERT_EQUAL("otp"s, verify(R"({"destination":"ann@example.org"})").field());
        CPPUNIT_ASSERT_EQUAL("otp_code"s, verify(R"({"destination":"ann@example.org","otp_code":"12"})").field());
        CPPUNIT_ASSERT_EQUAL("otp_id"s, verify(R"({"otp_id":"17","otp":"123456"})").field());
        CPPUNIT_ASSERT_EQUAL("session"s,
                             verify(R"({"destination":"ann@example.org","otp":"123456","session":"both"})").field());
        CPPUNIT_ASSERT(otpStore_.verifications.empty());
    }

    void findsTheCodeThatTheGuessNames() {
        const Uuid id = Uuid::makeV7(clock_.now(), random_);
        verify(R"({"otp_id":")" + id.toString() + R"(","otp":"123456"})");
        CPPUNIT_ASSERT(otpStore_.verifications.at(0).otpId == id);
        CPPUNIT_ASSERT(!otpStore_.verifications.at(0).purpose);  // the id says it
        otpStore_.newest = Uuid::makeV7(clock_.now(), random_);
        verify(kByAddress);
        CPPUNIT_ASSERT(otpStore_.verifications.at(1).otpId == otpStore_.newest);
        CPPUNIT_ASSERT(otpStore_.searches.at(0).purpose == Purpose::Login);
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ApiOtpTest);

}  // namespace api_otp_test
}  // namespace otpgate::api
