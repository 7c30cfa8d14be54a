#include "otpgate/base/errors.h"
#include "otpgate/delivery/sms_transport.h"
#include "support_cpp/fake_random.h"
#include "support_cpp/temporary_directory.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <limits>

namespace otpgate::delivery {
namespace delivery_sms_transport_test {

class SmsTransportTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(SmsTransportTest);
    CPPUNIT_TEST(isNothingWithoutAProvider);
    CPPUNIT_TEST(failsNeverOrAlwaysAtTheEndsOfTheRate);
    CPPUNIT_TEST(failsAsOftenAsTheRateSays);
    CPPUNIT_TEST(postponesOnlyTheMessageThatTheMockFails);
    CPPUNIT_TEST(namesTheSettingThatIsWrong);
    CPPUNIT_TEST(takesEveryKindOfSender);
    CPPUNIT_TEST(takesPlainHttpOnlyToThisHost);
    CPPUNIT_TEST_SUITE_END();

    test::FakeRandom random_;
    test::TemporaryDirectory files_;

    std::string reasonFor(const SmsSettings& settings) {
        try {
            makeSmsTransport(settings, random_);
        } catch (const ConfigurationError& error) {
            return error.what();
        }
        return "accepted";
    }
    static SmsSettings twilio() {
        SmsSettings settings;
        settings.transport = SmsTransportKind::Twilio;
        settings.from = "+15005550006";
        settings.twilioAccountSid = "AC0123456789abcdef0123456789abcdef";
        settings.twilioAuthToken = "0123456789abcdef0123456789abcdef";
        return settings;
    }
    int failuresOf(double rate, int messages) {
        SmsSettings settings;
        settings.transport = SmsTransportKind::Mock;
        settings.mockFailureRate = rate;
        const auto transport = makeSmsTransport(settings, random_);
        int failures = 0;
        for (int i = 0; i < messages; ++i) {
            const auto outcome = transport->send({"+12025550123", "x"}).outcome;
            CPPUNIT_ASSERT(outcome != SendResult::Outcome::Refused);
            if (outcome == SendResult::Outcome::TryLater) ++failures;
        }
        return failures;
    }

    void isNothingWithoutAProvider() { CPPUNIT_ASSERT(makeSmsTransport({}, random_) == nullptr); }

    void failsNeverOrAlwaysAtTheEndsOfTheRate() {
        CPPUNIT_ASSERT_EQUAL(0, failuresOf(0.0, 1000));
        CPPUNIT_ASSERT_EQUAL(1000, failuresOf(1.0, 1000));
    }

    void failsAsOftenAsTheRateSays() {
        // 128 draws of two bytes that count up: 0x0001, 0x0203 and so on to 0xfeff.
        CPPUNIT_ASSERT_EQUAL(64, failuresOf(0.5, 128));
        CPPUNIT_ASSERT_EQUAL(32, failuresOf(0.25, 128));
    }

    void postponesOnlyTheMessageThatTheMockFails() {
        SmsSettings settings;
        settings.transport = SmsTransportKind::Mock;
        settings.mockFailureRate = 1;
        const SendResult result = makeSmsTransport(settings, random_)->send({"+12025550123", "x"});
        CPPUNIT_ASSERT(result.cause == SendResult::Cause::Message);
        CPPUNIT_ASSERT_EQUAL(std::string("mock: failed as sms.failure_rate asks for"), result.reason);
    }

    void namesTheSettingThatIsWrong() {
        CPPUNIT_ASSERT_EQUAL(std::string("accepted"), reasonFor(twilio()));
        SmsSettings settings;
        settings.transport = SmsTransportKind::File;
        CPPUNIT_ASSERT_EQUAL(std::string("sms.directory is needed with sms.transport = file"), reasonFor(settings));
        settings.transport = SmsTransportKind::Mock;
        for (const double rate : {-0.1, 1.1, std::numeric_limits<double>::quiet_NaN()}) {
            settings.mockFailureRate = rate;
            CPPUNIT_ASSERT_EQUAL(std::string("sms.failure_rate must be 0 to 1"), reasonFor(settings));
        }
        for (const char* sid : {"", "AC", "SK0123456789abcdef0123456789abcdef", "AC01/../x", "AC 1"}) {
            settings = twilio();
            settings.twilioAccountSid = sid;
            CPPUNIT_ASSERT_MESSAGE(sid, reasonFor(settings).starts_with("sms.twilio_account_sid "));
        }
        for (const char* token : {"", "s3cret\n", "s3cret x"}) {
            settings = twilio();
            settings.twilioAuthToken = token;
            CPPUNIT_ASSERT_MESSAGE(token, reasonFor(settings).starts_with("sms.twilio_auth_token "));
            CPPUNIT_ASSERT_MESSAGE(token, reasonFor(settings).find("s3cret") == std::string::npos);
        }
        settings = twilio();
        settings.twilioApiKeySid = "SK0123";
        settings.twilioApiKeySecret = "hidden";
        CPPUNIT_ASSERT_EQUAL(
            std::string("sms.twilio_auth_token and sms.twilio_api_key_sid are both set: only one may be"),
            reasonFor(settings));
        settings.twilioAuthToken.clear();
        CPPUNIT_ASSERT_EQUAL(std::string("accepted"), reasonFor(settings));
        settings.twilioApiKeySecret.clear();
        CPPUNIT_ASSERT(reasonFor(settings).starts_with("sms.twilio_api_key_secret is needed"));
        settings.twilioApiKeySid = "AC0123";
        CPPUNIT_ASSERT(reasonFor(settings).starts_with("sms.twilio_api_key_sid must be SK"));
        for (const std::string& file : {files_.path("missing"), files_.write("empty", ""), files_.write("text", "x")}) {
            settings = twilio();
            settings.caFile = file;
            CPPUNIT_ASSERT_MESSAGE(file, reasonFor(settings).starts_with("sms.ca_file "));
        }
        settings = twilio();
        settings.timeout = std::chrono::seconds(0);
        CPPUNIT_ASSERT(reasonFor(settings).starts_with("sms.timeout "));
    }

    void takesEveryKindOfSender() {
        for (const char* from :
             {"+15005550006", "12345", "Example", "My Shop 24", "MGM", "MG0123456789abcdef0123456789abcdef"}) {
            SmsSettings settings = twilio();
            settings.from = from;
            CPPUNIT_ASSERT_EQUAL_MESSAGE(from, std::string("accepted"), reasonFor(settings));
        }
        for (const char* from : {"", "+0123", "+", "12", "123456789", "A much longer name", "Müller", "a\nb",
                                 "MG0123456789abcdef0123456789abcde", "MG0123456789abcdef0123456789abcdeg"}) {
            SmsSettings settings = twilio();
            settings.from = from;
            CPPUNIT_ASSERT_MESSAGE(from, reasonFor(settings).starts_with("sms.from "));
        }
    }

    void takesPlainHttpOnlyToThisHost() {
        for (const char* url :
             {"https://api.twilio.com", "https://api.dublin.ie1.twilio.com/", "https://sms.example:8443/x",
              "http://localhost:81", "http://127.0.0.1", "http://[::1]:81/"}) {
            SmsSettings settings = twilio();
            settings.twilioUrl = url;
            CPPUNIT_ASSERT_EQUAL_MESSAGE(url, std::string("accepted"), reasonFor(settings));
        }
        for (const char* url : {"", "https://", "api.twilio.com", "http://api.twilio.com", "http://localhost.example",
                                "http://127.0.0.1x", "ftp://api.twilio.com", "https://a:b@api.twilio.com",
                                "https://api.twilio.com/?x", "https://a\nb", "https://#"}) {
            SmsSettings settings = twilio();
            settings.twilioUrl = url;
            CPPUNIT_ASSERT_MESSAGE(url, reasonFor(settings).starts_with("sms.twilio_url "));
        }
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SmsTransportTest);

}  // namespace delivery_sms_transport_test
}  // namespace otpgate::delivery
