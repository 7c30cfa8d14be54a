#include "otpgate/base/text.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <cstdint>

namespace otpgate {
namespace text_test {

using namespace std::string_literals;

class TextTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(TextTest);
    CPPUNIT_TEST(changesTheCaseOfAsciiAlone);
    CPPUNIT_TEST(comparesWithoutRegardToCase);
    CPPUNIT_TEST(tellsControlCharactersFromPrintableOnes);
    CPPUNIT_TEST(trimsBothEnds);
    CPPUNIT_TEST(joinsWordsEmptyOnesToo);
    CPPUNIT_TEST(splitsIntoOnePartMoreThanSeparators);
    CPPUNIT_TEST(readsNumbersWholeOrNotAtAll);
    CPPUNIT_TEST(findsTheHostOfAUrl);
    CPPUNIT_TEST(findsThePortOfAUrl);
    CPPUNIT_TEST(countsCharacters);
    CPPUNIT_TEST(cutsNoCharacter);
    CPPUNIT_TEST_SUITE_END();

    void changesTheCaseOfAsciiAlone() {
        CPPUNIT_ASSERT_EQUAL("az09-Ä"s, toLower("AZ09-Ä"));
        CPPUNIT_ASSERT_EQUAL("AZ09-ä"s, toUpper("az09-ä"));
        for (int byte = 0; byte < 256; ++byte) {
            const char c = static_cast<char>(byte);
            CPPUNIT_ASSERT_EQUAL(isLetter(c), toLower(c) != toUpper(c));
            CPPUNIT_ASSERT(!isDigit(c) || isLetterOrDigit(c));
        }
    }

    void tellsControlCharactersFromPrintableOnes() {
        for (int byte = 0; byte < 256; ++byte) {
            const char c = static_cast<char>(byte);
            CPPUNIT_ASSERT_EQUAL(byte < 0x20 || byte == 0x7f, isControl(c));
            CPPUNIT_ASSERT_EQUAL(byte >= 0x20 && byte <= 0x7e, isPrintable(c));
        }
        CPPUNIT_ASSERT_EQUAL("a?b??c~ "s, printable("a\nb\xc3\xa9"
                                                    "c~ "));
        CPPUNIT_ASSERT_EQUAL("a."s, printable("a\x7f", '.'));
    }

    void comparesWithoutRegardToCase() {
        CPPUNIT_ASSERT(equalsIgnoringCase("X-Request-Id", "x-request-ID"));
        CPPUNIT_ASSERT(!equalsIgnoringCase("X-Request-Id", "X-Request-Id "));
        CPPUNIT_ASSERT(!equalsIgnoringCase("Ä", "ä"));
        CPPUNIT_ASSERT(startsWithIgnoringCase("Mailto:a@b", "mailto:"));
        CPPUNIT_ASSERT(startsWithIgnoringCase("a", ""));
        CPPUNIT_ASSERT(!startsWithIgnoringCase("mail", "mailto:"));
    }

    void trimsBothEnds() {
        CPPUNIT_ASSERT_EQUAL("a \t b"s, std::string{trim(" \t a \t b\t ")});
        CPPUNIT_ASSERT_EQUAL("a\r"s, std::string{trim("a\r")});
        CPPUNIT_ASSERT_EQUAL("a"s, std::string{trim("\ra", " \r")});
        CPPUNIT_ASSERT(trim(" \t ").empty());
        CPPUNIT_ASSERT(trim("").empty());
    }

    void joinsWordsEmptyOnesToo() {
        CPPUNIT_ASSERT_EQUAL("a, b, c"s, joined({"a", "b", "c"}, ", "));
        CPPUNIT_ASSERT_EQUAL(",,"s, joined({"", "", ""}, ","));
        CPPUNIT_ASSERT_EQUAL(""s, joined({}, ", "));
    }

    void splitsIntoOnePartMoreThanSeparators() {
        CPPUNIT_ASSERT((split("a$b$", '$') == std::vector<std::string_view>{"a", "b", ""}));
        CPPUNIT_ASSERT((split("", '$') == std::vector<std::string_view>{""}));
    }

    void readsNumbersWholeOrNotAtAll() {
        CPPUNIT_ASSERT(parseNumber<unsigned>("007") == 7U);
        CPPUNIT_ASSERT(parseNumber<std::int64_t>("-9223372036854775808") == INT64_MIN);
        CPPUNIT_ASSERT(parseNumber<unsigned>("640", 8) == 416U);
        for (const char* text : {"", " 1", "1 ", "+1", "-1", "1,0", "0x1", "4294967296"}) {
            CPPUNIT_ASSERT_MESSAGE(text, !parseNumber<unsigned>(text));
        }
    }

    void findsTheHostOfAUrl() {
        CPPUNIT_ASSERT_EQUAL("login.example"s, std::string{hostOf("https://login.example:8443/a:b")});
        CPPUNIT_ASSERT_EQUAL("login.example"s, std::string{hostOf("https://login.example?a")});
        CPPUNIT_ASSERT_EQUAL("[2001:db8::1]"s, std::string{hostOf("http://[2001:db8::1]:8080/")});
        CPPUNIT_ASSERT_EQUAL("login.example"s, std::string{hostOf("login.example/a")});
    }

    void findsThePortOfAUrl() {
        CPPUNIT_ASSERT_EQUAL("8443"s, std::string{portOf("https://login.example:8443/a:b")});
        CPPUNIT_ASSERT_EQUAL("8443"s, std::string{portOf("https://login.example:8443")});
        CPPUNIT_ASSERT_EQUAL("8080"s, std::string{portOf("http://[2001:db8::1]:8080?a")});
        for (const char* url : {"https://login.example", "https://login.example/a:8443", "http://[2001:db8::1]/", ""}) {
            CPPUNIT_ASSERT_EQUAL(""s, std::string{portOf(url)});
        }
    }

    void countsCharacters() {
        CPPUNIT_ASSERT_EQUAL(std::size_t{4}, countCharacters("aé€😀"));
        CPPUNIT_ASSERT_EQUAL(std::size_t{0}, countCharacters(""));
    }

    void cutsNoCharacter() {
        const std::string text = "aé€😀";  // of 1, 2, 3 and 4 bytes
        for (const auto& [bytes, whole] :
             {std::pair{0, 0}, {1, 1}, {2, 1}, {3, 3}, {5, 3}, {6, 6}, {9, 6}, {10, 10}, {11, 10}}) {
            CPPUNIT_ASSERT_EQUAL(static_cast<std::size_t>(whole),
                                 wholeCharacters(text, static_cast<std::size_t>(bytes)).size());
        }
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(TextTest);

}  // namespace text_test
}  // namespace otpgate
