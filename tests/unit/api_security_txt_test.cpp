#include "support_cpp/api_fixture.h"

namespace otpgate::api {
namespace api_security_txt_test {

using namespace std::string_literals;

class ApiSecurityTxtTest : public test::ApiFixture {
    CPPUNIT_TEST_SUITE(ApiSecurityTxtTest);
    CPPUNIT_TEST(namesNobodyWhoDidNotSaySo);
    CPPUNIT_TEST(saysWhomToTellUntilWhen);
    CPPUNIT_TEST_SUITE_END();

    void namesNobodyWhoDidNotSaySo() {
        const auto answer = answerOf([&] { return showSecurityTxt(get(), clock_, settings_); });
        CPPUNIT_ASSERT_EQUAL(404, answer.status);
        CPPUNIT_ASSERT_EQUAL("NOT_FOUND"s, answer.code());
    }

    void saysWhomToTellUntilWhen() {
        settings_.publicUrl = "https://login.example.org";
        settings_.securityContacts = {"mailto:security@example.org", "https://example.org/report"};
        settings_.securityPolicy = "https://example.org/policy";
        const auto response = showSecurityTxt(get(), clock_, settings_);
        CPPUNIT_ASSERT_EQUAL("text/plain; charset=utf-8"s, response.contentType);
        // 180 days after the clock's day.
        CPPUNIT_ASSERT_EQUAL(
            "Contact: mailto:security@example.org\nContact: https://example.org/report\nExpires: 2027-05-19T00:00:00Z\n"
            "Canonical: https://login.example.org/.well-known/security.txt\nPolicy: https://example.org/policy\n"s,
            response.body);
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ApiSecurityTxtTest);

}  // namespace api_security_txt_test
}  // namespace otpgate::api
