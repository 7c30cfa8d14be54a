#include "delivery/templates/plain_text.h"
#include "otpgate/base/encoding.h"
#include "otpgate/delivery/sms_length.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <string>

namespace otpgate::delivery {
namespace delivery_plain_text_test {

using namespace std::string_literals;

class PlainTextTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(PlainTextTest);
    CPPUNIT_TEST(keepsNamesOfDevices);
    CPPUNIT_TEST(isOneLine);
    CPPUNIT_TEST(leavesOutWhatIsInvisible);
    CPPUNIT_TEST(leavesNothingThatBecomesALink);
    CPPUNIT_TEST(cutsWholeCharacters);
    CPPUNIT_TEST(makesValidUtf8OfAnything);
    CPPUNIT_TEST_SUITE_END();

    static std::string plain(const std::string& text) { return plainText(text, 60); }

    void keepsNamesOfDevices() {
        for (const std::string name :
             {"Ada's phone", "Mozilla/5.0 (X11; Linux x86_64; rv:121.0)", "iPhone 15,2 / iOS 17.4.1",
              "Grüße 电话 हिन्दी", "v1.2", "2001:db8::1", "a:b", "Dr. Ada", "end."}) {
            CPPUNIT_ASSERT_EQUAL(name, plain(name));
        }
    }

    void isOneLine() {
        CPPUNIT_ASSERT_EQUAL("a b c"s, plain("\r\n a\r\n\tb\0\x7f\u0085\u2028c \u3000"s));
        CPPUNIT_ASSERT_EQUAL(""s, plain(" \n "));
    }

    void leavesOutWhatIsInvisible() {
        CPPUNIT_ASSERT_EQUAL("abcdefgh"s,
                             plain("\u202ea\u202cb\u2066c\u2069d\u200be\u200ff\ufeffg\U000e0041\u00adh\u061c"));
    }

    void leavesNothingThatBecomesALink() {
        CPPUNIT_ASSERT_EQUAL("http //evil example/x?y"s, plain("http://evil.example/x?y"));
        CPPUNIT_ASSERT_EQUAL("www evil example"s, plain("www.evil.example"));
        CPPUNIT_ASSERT_EQUAL("evil example"s, plain("evil\u3002example"));
        CPPUNIT_ASSERT_EQUAL("evil example"s, plain("evil\uff0eexample"));
        CPPUNIT_ASSERT_EQUAL("evil example"s, plain("evil.\u200bexample"));
        CPPUNIT_ASSERT_EQUAL("mailto:a b example"s, plain("mailto:a@b.example"));
        CPPUNIT_ASSERT_EQUAL("evil рф"s, plain("evil.рф"));
    }

    void cutsWholeCharacters() {
        std::string umlauts;
        for (int i = 0; i < 60; ++i) umlauts += "ü";
        CPPUNIT_ASSERT_EQUAL(umlauts, plain(umlauts));
        CPPUNIT_ASSERT_EQUAL(umlauts.substr(2) + "…", plain(umlauts + "x"));
        CPPUNIT_ASSERT_EQUAL("ab…"s, plainText("abcdefgh", 3));
    }

    void makesValidUtf8OfAnything() {
        CPPUNIT_ASSERT_EQUAL("ab"s, plain("a\xff\xc3"s + "b\xe2\x82"));
        std::string bytes;
        for (int i = 0; i < 4096; ++i) bytes += static_cast<char>((i * 7919) >> 4);
        CPPUNIT_ASSERT(isValidUtf8(plain(bytes)));
        CPPUNIT_ASSERT(isValidUtf8(plainText(bytes, 10000)));
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(PlainTextTest);

class SmsLengthTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(SmsLengthTest);
    CPPUNIT_TEST(counts160OfTheGsmAlphabet);
    CPPUNIT_TEST(countsItsExtensionTwice);
    CPPUNIT_TEST(counts70UnitsOfOtherText);
    CPPUNIT_TEST_SUITE_END();

    static std::string times(int count, const std::string& text) {
        std::string out;
        for (int i = 0; i < count; ++i) out += text;
        return out;
    }

    void counts160OfTheGsmAlphabet() {
        CPPUNIT_ASSERT(fitsOneSms(times(160, "x")));
        CPPUNIT_ASSERT(!fitsOneSms(times(161, "x")));
        for (const char* each : {"@", "ü", "Ç", "é", "ñ", "Ω", "\n", "¿"}) CPPUNIT_ASSERT(fitsOneSms(times(160, each)));
    }

    void countsItsExtensionTwice() {
        for (const char* each : {"[", "]", "€", "~", "|", "\\", "{", "^"}) {
            CPPUNIT_ASSERT(fitsOneSms(times(80, each)));
            CPPUNIT_ASSERT(!fitsOneSms(times(80, each) + "x"));
        }
    }

    void counts70UnitsOfOtherText() {
        for (const char* each : {"ı", "ó", "ç", "م", "म", "中", "`", "’"}) {
            CPPUNIT_ASSERT_MESSAGE(each, fitsOneSms(times(70, each)));
            CPPUNIT_ASSERT_MESSAGE(each, !fitsOneSms(times(70, each) + "x"));
        }
        CPPUNIT_ASSERT(fitsOneSms(times(35, "\U0001F600")));
        CPPUNIT_ASSERT(!fitsOneSms(times(36, "\U0001F600")));
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SmsLengthTest);

}  // namespace delivery_plain_text_test
}  // namespace otpgate::delivery
