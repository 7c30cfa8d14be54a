#include "otpgate/delivery/sms_length.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <string>

namespace otpgate::delivery {
namespace delivery_sms_length_test {

class SmsLengthTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(SmsLengthTest);
    CPPUNIT_TEST(countsTheAlphabetOfGsm);
    CPPUNIT_TEST(countsTheExtensionTwice);
    CPPUNIT_TEST(countsUtf16WhereTheAlphabetDoesNotSuffice);
    CPPUNIT_TEST(countsSegments);
    CPPUNIT_TEST(splitsNoCharacter);
    CPPUNIT_TEST_SUITE_END();

    static std::string repeated(const std::string& text, int times) {
        std::string all;
        for (int i = 0; i < times; ++i) all += text;
        return all;
    }
    static std::string lengthOf(const std::string& text) {
        const SmsLength length = measureSms(text);
        return std::string(toString(length.encoding)) + " " + std::to_string(length.units) + " " +
               std::to_string(length.segments);
    }

    void countsTheAlphabetOfGsm() {
        CPPUNIT_ASSERT_EQUAL(std::string("GSM 03.38 0 1"), lengthOf(""));
        CPPUNIT_ASSERT_EQUAL(std::string("GSM 03.38 11 1"), lengthOf("@£äÖß Ω\n#1?"));
    }

    void countsTheExtensionTwice() {
        CPPUNIT_ASSERT_EQUAL(std::string("GSM 03.38 6 1"), lengthOf("[€]"));
        CPPUNIT_ASSERT_EQUAL(std::string("GSM 03.38 160 1"), lengthOf(repeated("{", 80)));
        CPPUNIT_ASSERT_EQUAL(std::string("GSM 03.38 162 2"), lengthOf(repeated("{", 81)));
    }

    void countsUtf16WhereTheAlphabetDoesNotSuffice() {
        CPPUNIT_ASSERT_EQUAL(std::string("UCS-2 3 1"), lengthOf("ç[a"));
        CPPUNIT_ASSERT_EQUAL(std::string("UCS-2 4 1"), lengthOf("\U0001F511你a"));
    }

    void countsSegments() {
        CPPUNIT_ASSERT_EQUAL(std::string("GSM 03.38 160 1"), lengthOf(repeated("a", 160)));
        CPPUNIT_ASSERT_EQUAL(std::string("GSM 03.38 161 2"), lengthOf(repeated("a", 161)));
        CPPUNIT_ASSERT_EQUAL(std::string("GSM 03.38 306 2"), lengthOf(repeated("a", 306)));
        CPPUNIT_ASSERT_EQUAL(std::string("GSM 03.38 307 3"), lengthOf(repeated("a", 307)));
        CPPUNIT_ASSERT_EQUAL(std::string("UCS-2 70 1"), lengthOf(repeated("你", 70)));
        CPPUNIT_ASSERT_EQUAL(std::string("UCS-2 71 2"), lengthOf(repeated("你", 71)));
        CPPUNIT_ASSERT_EQUAL(std::string("UCS-2 135 3"), lengthOf(repeated("你", 135)));
    }

    // 152 and a character of two: the first part stays one short, and the second takes what is over.
    void splitsNoCharacter() {
        CPPUNIT_ASSERT_EQUAL(std::string("GSM 03.38 306 3"), lengthOf(repeated("a", 152) + "€" + repeated("a", 152)));
        CPPUNIT_ASSERT_EQUAL(std::string("UCS-2 134 3"), lengthOf(repeated("\U0001F511", 67)));
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SmsLengthTest);

}  // namespace delivery_sms_length_test
}  // namespace otpgate::delivery
