// Authenticator apps: the vectors of the RFCs, which code counts, and what an app reads.
#include "otpgate/domain/totp_rules.h"

#include "otpgate/crypto/totp.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <string>
#include <utility>

namespace otpgate::domain {
namespace totp_rules_test {

const std::string kSecret = "12345678901234567890";

Timestamp at(std::int64_t seconds) {
    return Timestamp{std::chrono::seconds{seconds}};
}

class TotpRulesTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(TotpRulesTest);
    CPPUNIT_TEST(makesTheCodesOfRfc4226);
    CPPUNIT_TEST(makesTheCodesOfRfc6238);
    CPPUNIT_TEST(takesTheStepsBesideThePresentOne);
    CPPUNIT_TEST(takesNoStepTwice);
    CPPUNIT_TEST(takesNothingThatIsNoCode);
    CPPUNIT_TEST(writesWhatAppsRead);
    CPPUNIT_TEST(raisesASessionByWhatItShowedBefore);
    CPPUNIT_TEST_SUITE_END();

    // Appendix D.
    void makesTheCodesOfRfc4226() {
        const char* const codes[] = {"755224", "287082", "359152", "969429", "338314",
                                     "254676", "287922", "162583", "399871", "520489"};
        for (std::uint64_t i = 0; i < 10; ++i) CPPUNIT_ASSERT_EQUAL(std::string{codes[i]}, crypto::hotp(kSecret, i));
    }

    // Appendix B, SHA-1.
    void makesTheCodesOfRfc6238() {
        const std::pair<std::int64_t, const char*> vectors[] = {{59, "94287082"},
                                                                {1'111'111'109, "07081804"},
                                                                {1'111'111'111, "14050471"},
                                                                {1'234'567'890, "89005924"},
                                                                {2'000'000'000, "69279037"},
                                                                {20'000'000'000, "65353130"}};
        for (const auto& [seconds, code] : vectors) {
            const auto step = static_cast<std::uint64_t>(totpStepAt(at(seconds)));
            CPPUNIT_ASSERT_EQUAL(std::string{code}, crypto::hotp(kSecret, step, 8));
        }
    }

    void takesTheStepsBesideThePresentOne() {
        const std::string code = crypto::hotp(kSecret, 100);
        for (const auto& [seconds, isTaken] : {std::pair{100 * 30 - 31, false},
                                               {100 * 30 - 30, true},
                                               {100 * 30, true},
                                               {100 * 30 + 29, true},
                                               {100 * 30 + 59, true},
                                               {100 * 30 + 60, false}}) {
            const auto step = matchTotp(kSecret, code, at(seconds), 0);
            CPPUNIT_ASSERT_EQUAL_MESSAGE(std::to_string(seconds), isTaken, step.has_value());
            CPPUNIT_ASSERT(!step || *step == 100);
        }
    }

    void takesNoStepTwice() {
        const std::string code = crypto::hotp(kSecret, 100);
        CPPUNIT_ASSERT(matchTotp(kSecret, code, at(3000), 99));
        CPPUNIT_ASSERT(!matchTotp(kSecret, code, at(3000), 100));
        CPPUNIT_ASSERT(!matchTotp(kSecret, code, at(3000), 101));
    }

    void takesNothingThatIsNoCode() {
        for (const char* typed : {"", "0", "28708", "2870822", "287082 "}) {
            CPPUNIT_ASSERT_MESSAGE(typed, !matchTotp(kSecret, typed, at(59), 0));
        }
        CPPUNIT_ASSERT(matchTotp(kSecret, "287082", at(59), 0));
    }

    void writesWhatAppsRead() {
        CPPUNIT_ASSERT_EQUAL(std::string{"otpauth://totp/My%20shop%20%20Basel:ann%40example.org"
                                         "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=My%20shop%20%20Basel"},
                             totpUri(kSecret, "My shop: Basel", "ann@example.org"));
    }

    void raisesASessionByWhatItShowedBefore() {
        for (const auto& [before, after] : {std::pair{"otp", "otp totp"},
                                            {"pwd otp", "pwd otp totp mfa"},
                                            {"hwk user", "hwk user totp"},
                                            {"hwk user mfa", "hwk user mfa"},
                                            {"otp totp", "otp totp"},
                                            {"otp rc", "otp totp"},
                                            {"pwd otp rc", "pwd otp totp mfa"},
                                            {"pwd otp totp mfa", "pwd otp totp mfa"}}) {
            CPPUNIT_ASSERT_EQUAL(std::string{after}, withTotp(before));
        }
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(TotpRulesTest);

}  // namespace totp_rules_test
}  // namespace otpgate::domain
