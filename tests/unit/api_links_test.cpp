// otp/link: who signs in by a link, and what anybody else is told.
#include "support_cpp/api_fixture.h"

namespace otpgate::api {
namespace api_links_test {

using namespace std::string_literals;
using namespace std::chrono_literals;
using domain::Means;
using VerifyOutcome = domain::OtpVerifyResult::Outcome;
using test::Answer;

class ApiLinksTest : public test::ApiFixture {
    CPPUNIT_TEST_SUITE(ApiLinksTest);
    CPPUNIT_TEST(saysThatALinkIsSentAndKnowsTheBrowserThatAsked);
    CPPUNIT_TEST(signsInTheBrowserThatAsked);
    CPPUNIT_TEST(tellsAnotherBrowserTheCodeAndSpendsNothing);
    CPPUNIT_TEST(tellsNoCodeThatDoesNotCount);
    CPPUNIT_TEST(signsInElsewhereByTheAddressToo);
    CPPUNIT_TEST(asksNobodyForALinkThatIsNotOurs);
    CPPUNIT_TEST(tellsHowALinkEnded);
    CPPUNIT_TEST_SUITE_END();

    Answer request() {
        return answerOf(
            [&] { return requestOtp(post(R"({"email":"ann@example.org"})"), codes_, sessions_, settings_); });
    }
    Answer open(const std::string& body, const std::string& cookie = {}) {
        std::map<std::string, std::string, std::less<>> headers;
        if (!cookie.empty()) headers["cookie"] = cookie;
        return answerOf([&] { return signInByLink(post(body, headers), codes_, sessions_, settings_); });
    }
    std::string link(const Uuid& id) const { return R"({"link":")" + otpCodes_.linkFor(id) + R"("})"; }
    std::string linkWith(const Uuid& id, const std::string& address) const {
        return R"({"link":")" + otpCodes_.linkFor(id) + R"(","destination":")" + address + R"("})";
    }
    std::string cookieOf(const Uuid& id) const { return "__Host-otpgate-asker=" + codes_.askerProofOf(id); }
    Uuid newId() { return Uuid::makeV7(clock_.now(), random_); }
    void answerSignIn() { answerGuess(VerifyOutcome::Verified); }
    void answerOpened(unsigned failures = 0) {
        otpStore_.opened =
            domain::OpenedLink{ann_, domain::Purpose::Login, std::nullopt, clock_.now() + 5min, true, failures};
    }

    void saysThatALinkIsSentAndKnowsTheBrowserThatAsked() {
        CPPUNIT_ASSERT(!request().body->has("means"));
        CPPUNIT_ASSERT(request().header("Set-Cookie").empty());
        otpStore_.means = Means::Link;
        const Answer answer = request();
        CPPUNIT_ASSERT_EQUAL("link"s, answer.text("means"));
        CPPUNIT_ASSERT_EQUAL("A link is on its way to a*n@example.org."s, answer.text("detail"));
        CPPUNIT_ASSERT(answer.header("Set-Cookie").starts_with(cookieOf(otpStore_.requests.back().id) + ";"));
        CPPUNIT_ASSERT(messenger_.messages.back().kind == domain::MessageKind::Link);
    }

    void signsInTheBrowserThatAsked() {
        answerSignIn();
        const Uuid id = newId();
        CPPUNIT_ASSERT_EQUAL(200, open(link(id), cookieOf(id)).status);
        const auto& guess = otpStore_.verifications.back();
        CPPUNIT_ASSERT(guess.otpId == id);
        CPPUNIT_ASSERT(guess.by == domain::GuessBy::Link);
        CPPUNIT_ASSERT(guess.guess == domain::Guess::Right);
        CPPUNIT_ASSERT(guess.purpose == domain::Purpose::Login);
        CPPUNIT_ASSERT(!guess.typedAddress);
    }

    void tellsAnotherBrowserTheCodeAndSpendsNothing() {
        answerOpened();
        const Uuid id = newId();
        for (const std::string& cookie : {""s, cookieOf(newId()), "__Host-otpgate-asker=x"s}) {
            const Answer answer = open(link(id), cookie);
            CPPUNIT_ASSERT_EQUAL(409, answer.status);
            CPPUNIT_ASSERT_EQUAL("OTHER_BROWSER"s, answer.code());
            CPPUNIT_ASSERT_EQUAL("a*n@example.org"s, answer.text("destination_masked"));
            CPPUNIT_ASSERT_EQUAL(otpCodes_.codeFor(id), answer.text("otp"));
        }
        CPPUNIT_ASSERT(otpStore_.verifications.empty());
    }

    void tellsNoCodeThatDoesNotCount() {
        answerOpened(domain::kMostFailures);
        const Answer answer = open(link(newId()));
        CPPUNIT_ASSERT_EQUAL("OTHER_BROWSER"s, answer.code());
        CPPUNIT_ASSERT(!answer.has("otp"));
    }

    void signsInElsewhereByTheAddressToo() {
        answerSignIn();
        const Uuid id = newId();
        CPPUNIT_ASSERT_EQUAL(200, open(linkWith(id, "Ann@Example.org")).status);
        CPPUNIT_ASSERT(otpStore_.verifications.back().typedAddress == ann_);
        otpStore_.verifyResult = {};
        const Answer answer = open(linkWith(id, "eve@example.org"));
        CPPUNIT_ASSERT_EQUAL("INVALID_OTP"s, answer.code());
        CPPUNIT_ASSERT_EQUAL("The link was not sent to this address."s, answer.text("detail"));
    }

    void asksNobodyForALinkThatIsNotOurs() {
        for (const char* body :
             {R"({"link":""})", R"({"link":"x"})", R"({"link":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})"}) {
            const Answer answer = open(body);
            CPPUNIT_ASSERT_EQUAL(400, answer.status);
        }
        CPPUNIT_ASSERT_EQUAL("INVALID_OTP"s, open(R"({"link":"x","destination":"ann@example.org"})").code());
        CPPUNIT_ASSERT_EQUAL("MISSING_FIELDS"s, open("{}").code());
        CPPUNIT_ASSERT(otpStore_.verifications.empty());
    }

    void tellsHowALinkEnded() {
        struct Row {
            VerifyOutcome outcome;
            int status;
            std::string code;
        };
        const Uuid id = newId();
        for (const Row& row :
             {Row{VerifyOutcome::Used, 400, "OTP_USED"}, Row{VerifyOutcome::Expired, 410, "OTP_EXPIRED"},
              Row{VerifyOutcome::Unknown, 400, "INVALID_OTP"},
              Row{VerifyOutcome::AccountDisabled, 403, "ACCOUNT_DISABLED"}}) {
            otpStore_.verifyResult = {};
            otpStore_.verifyResult.outcome = row.outcome;
            const Answer answer = open(link(id), cookieOf(id));
            CPPUNIT_ASSERT_EQUAL(row.code, answer.code());
            CPPUNIT_ASSERT_EQUAL(row.status, answer.status);
        }
        // Elsewhere too, before anything else is said.
        answerOpened();
        otpStore_.opened->consumedAt = clock_.now();
        CPPUNIT_ASSERT_EQUAL("OTP_USED"s, open(link(id)).code());
        answerOpened();
        otpStore_.opened->expiresAt = clock_.now();
        CPPUNIT_ASSERT_EQUAL("OTP_EXPIRED"s, open(link(id)).code());
        otpStore_.opened.reset();
        CPPUNIT_ASSERT_EQUAL("INVALID_OTP"s, open(link(id)).code());
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ApiLinksTest);

}  // namespace api_links_test
}  // namespace otpgate::api
