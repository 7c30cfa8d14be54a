#include "otpgate/base/qr_code.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate {
namespace qr_code_test {

class QrCodeTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(QrCodeTest);
    CPPUNIT_TEST(drawsASquareWithItsFinders);
    CPPUNIT_TEST(drawsNothingThatDoesNotFit);
    CPPUNIT_TEST_SUITE_END();

    void drawsASquareWithItsFinders() {
        const auto rows = qrCodeOf("otpauth://totp/Shop:ann%40example.org?secret=GEZDGNBVGY3TQOJQ&issuer=Shop");
        CPPUNIT_ASSERT(rows.size() >= 21 && rows.size() % 4 == 1);
        for (const std::string& row : rows) {
            CPPUNIT_ASSERT_EQUAL(rows.size(), row.size());
            CPPUNIT_ASSERT(row.find_first_not_of("01") == std::string::npos);
        }
        CPPUNIT_ASSERT_EQUAL(std::string{"1111111"}, rows[0].substr(0, 7));
        CPPUNIT_ASSERT_EQUAL(std::string{"1111111"}, rows[0].substr(rows.size() - 7));
        CPPUNIT_ASSERT_EQUAL(std::string{"1011101"}, rows[rows.size() - 4].substr(0, 7));
    }

    void drawsNothingThatDoesNotFit() {
        CPPUNIT_ASSERT(qrCodeOf("").empty());
        CPPUNIT_ASSERT(qrCodeOf(std::string(3000, 'x')).empty());
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(QrCodeTest);

}  // namespace qr_code_test
}  // namespace otpgate
