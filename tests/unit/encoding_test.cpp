#include "otpgate/base/encoding.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate {
namespace encoding_test {

using namespace std::string_literals;

std::string jsonOf(std::string_view text) {
    std::string json;
    appendJsonString(json, text);
    return json;
}

class EncodingTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(EncodingTest);
    CPPUNIT_TEST(writesLowerCaseHex);
    CPPUNIT_TEST(readsBackEveryByteFromHex);
    CPPUNIT_TEST(refusesHexThatItWouldNotWrite);
    CPPUNIT_TEST(writesTheBase64OfRfc4648WithoutPadding);
    CPPUNIT_TEST(usesTheUrlAlphabet);
    CPPUNIT_TEST(writesTheBase32OfRfc4648WithoutPadding);
    CPPUNIT_TEST(readsBackEveryByteFromBase64Url);
    CPPUNIT_TEST(refusesPaddingAndForeignCharacters);
    CPPUNIT_TEST(refusesImpossibleLengths);
    CPPUNIT_TEST(refusesNonZeroLeftOverBits);
    CPPUNIT_TEST(acceptsValidUtf8);
    CPPUNIT_TEST(refusesOverlongForms);
    CPPUNIT_TEST(refusesSurrogatesAndWhatLiesBeyondUnicode);
    CPPUNIT_TEST(refusesCutAndStrayBytes);
    CPPUNIT_TEST(readsTheCodePointOfACharacter);
    CPPUNIT_TEST(encodesAllButUnreservedCharacters);
    CPPUNIT_TEST(writesNumbersHighestByteFirst);
    CPPUNIT_TEST(escapesControlCharactersInJson);
    CPPUNIT_TEST(keepsUtf8InJson);
    CPPUNIT_TEST(makesValidJsonOfInvalidUtf8);
    CPPUNIT_TEST(writesTextThatMeansNothingInAPage);
    CPPUNIT_TEST_SUITE_END();

    static std::string everyByte() {
        std::string bytes;
        for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
        return bytes;
    }

    void writesLowerCaseHex() { CPPUNIT_ASSERT_EQUAL("00ff10ab"s, toHex("\x00\xff\x10\xab"s)); }

    void readsBackEveryByteFromHex() { CPPUNIT_ASSERT(parseHex(toHex(everyByte())) == everyByte()); }

    void refusesHexThatItWouldNotWrite() {
        for (const char* text : {"a", "AB", "0g", " 0", "0x", "0\xc3"}) CPPUNIT_ASSERT_MESSAGE(text, !parseHex(text));
        CPPUNIT_ASSERT(parseHex("") == "");
    }

    void writesTheBase64OfRfc4648WithoutPadding() {
        CPPUNIT_ASSERT_EQUAL(""s, toBase64Url(""));
        CPPUNIT_ASSERT_EQUAL("Zg"s, toBase64Url("f"));
        CPPUNIT_ASSERT_EQUAL("Zm8"s, toBase64Url("fo"));
        CPPUNIT_ASSERT_EQUAL("Zm9v"s, toBase64Url("foo"));
        CPPUNIT_ASSERT_EQUAL("Zm9vYg"s, toBase64Url("foob"));
        CPPUNIT_ASSERT_EQUAL("Zm9vYmE"s, toBase64Url("fooba"));
        CPPUNIT_ASSERT_EQUAL("Zm9vYmFy"s, toBase64Url("foobar"));
    }

    void writesTheBase32OfRfc4648WithoutPadding() {
        const std::pair<const char*, const char*> vectors[] = {
            {"", ""},
            {"f", "MY"},
            {"fo", "MZXQ"},
            {"foo", "MZXW6"},
            {"foob", "MZXW6YQ"},
            {"fooba", "MZXW6YTB"},
            {"foobar", "MZXW6YTBOI"},
            {"\xff\xff\xff\xff\xff", "77777777"},
        };
        for (const auto& [bytes, text] : vectors) CPPUNIT_ASSERT_EQUAL(std::string{text}, toBase32(bytes));
    }

    void usesTheUrlAlphabet() {
        CPPUNIT_ASSERT_EQUAL("-_8"s, toBase64Url("\xfb\xff"));
        CPPUNIT_ASSERT(parseBase64Url("-_8") == "\xfb\xff");
        CPPUNIT_ASSERT(!parseBase64Url("+/8"));
    }

    void readsBackEveryByteFromBase64Url() {
        for (std::size_t length = 250; length <= 256; ++length) {
            const std::string bytes = everyByte().substr(0, length);
            CPPUNIT_ASSERT(parseBase64Url(toBase64Url(bytes)) == bytes);
        }
    }

    void refusesPaddingAndForeignCharacters() {
        for (const char* text : {"Zg==", "Zm8=", "Zm9v\n", "Zm 9v", "Zm9v.", "Zm9\xc3"}) {
            CPPUNIT_ASSERT_MESSAGE(text, !parseBase64Url(text));
        }
    }

    void refusesImpossibleLengths() {
        CPPUNIT_ASSERT(!parseBase64Url("Z"));
        CPPUNIT_ASSERT(!parseBase64Url("Zm9vA"));
    }

    void refusesNonZeroLeftOverBits() {
        CPPUNIT_ASSERT(parseBase64Url("Zg"));
        CPPUNIT_ASSERT(!parseBase64Url("Zh"));
        CPPUNIT_ASSERT(parseBase64Url("Zm8"));
        CPPUNIT_ASSERT(!parseBase64Url("Zm9"));
    }

    void acceptsValidUtf8() {
        CPPUNIT_ASSERT(isValidUtf8(""));
        CPPUNIT_ASSERT(isValidUtf8("plain"));
        CPPUNIT_ASSERT(isValidUtf8("\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf"));
        CPPUNIT_ASSERT(isValidUtf8("\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf"));
        CPPUNIT_ASSERT(isValidUtf8("\0"s));
    }

    void refusesOverlongForms() {
        for (const char* text : {"\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf"}) {
            CPPUNIT_ASSERT(!isValidUtf8(text));
        }
    }

    void refusesSurrogatesAndWhatLiesBeyondUnicode() {
        for (const char* text : {"\xed\xa0\x80", "\xed\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
            CPPUNIT_ASSERT(!isValidUtf8(text));
        }
    }

    void refusesCutAndStrayBytes() {
        for (const char* text : {"\x80", "a\xbf", "\xc3", "\xe2\x82", "\xe2\x82z", "\xf0\x9f\x98", "\xc3\xc3\xa9"}) {
            CPPUNIT_ASSERT(!isValidUtf8(text));
        }
    }

    void readsTheCodePointOfACharacter() {
        CPPUNIT_ASSERT(codePointOf("a") == U'a');
        CPPUNIT_ASSERT(codePointOf("\xc3\xa9") == 0xe9);
        CPPUNIT_ASSERT(codePointOf("\xe2\x82\xac") == 0x20ac);
        CPPUNIT_ASSERT(codePointOf("\xf4\x8f\xbf\xbf") == 0x10ffff);
    }

    void encodesAllButUnreservedCharacters() {
        CPPUNIT_ASSERT_EQUAL("aZ09-._~%2B%20%2F%C3%A9%00"s, percentEncoded("aZ09-._~+ /\xc3\xa9\0"s));
    }

    void writesNumbersHighestByteFirst() {
        CPPUNIT_ASSERT_EQUAL("\1\2"s, toBigEndian(0x102, 2));
        CPPUNIT_ASSERT_EQUAL("\0\0\0\0\0\0\1\2"s, toBigEndian(0x102));
        CPPUNIT_ASSERT_EQUAL("\2"s, toBigEndian(0x102, 1));  // what does not fit is cut off
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{0x102}, fromBigEndian("\1\2"));
        CPPUNIT_ASSERT_EQUAL(UINT64_MAX, fromBigEndian(std::string(8, '\xff')));
        CPPUNIT_ASSERT_EQUAL(std::uint64_t{0}, fromBigEndian(""));
    }

    void escapesControlCharactersInJson() {
        CPPUNIT_ASSERT_EQUAL(R"("a\"b\\c\nd\u0000\u001f\u007f")"s, jsonOf("a\"b\\c\nd\0\x1f\x7f"s));
        CPPUNIT_ASSERT_EQUAL(R"("\u0085")"s, jsonOf("\xc2\x85"));
    }

    void keepsUtf8InJson() { CPPUNIT_ASSERT_EQUAL("\"\xc3\xa9\xe2\x82\xac\""s, jsonOf("\xc3\xa9\xe2\x82\xac")); }

    void makesValidJsonOfInvalidUtf8() { CPPUNIT_ASSERT_EQUAL(R"("a\\xffb\\xc3")"s, jsonOf("a\xff\x62\xc3")); }

    void writesTextThatMeansNothingInAPage() {
        std::string page = "<p title=\"";
        appendHtml(page, "\"><script>&amp;'\xc3\xa9");
        CPPUNIT_ASSERT_EQUAL("<p title=\"&quot;&gt;&lt;script&gt;&amp;amp;'\xc3\xa9"s, page);
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(EncodingTest);

}  // namespace encoding_test
}  // namespace otpgate
