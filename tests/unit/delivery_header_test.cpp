// What stands in Subject and From beyond ASCII (RFC 2047), read back by a decoder of the test's own.
#include "delivery/mail/mime.h"

#include <Poco/Base64Decoder.h>
#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <iterator>
#include <sstream>
#include <vector>

namespace otpgate::delivery {
namespace delivery_header_test {

constexpr std::size_t kSubject = 9;  // "Subject: "

std::vector<std::string> linesOf(const std::string& text) {
    std::vector<std::string> lines;
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = text.find("\r\n", begin)) != std::string::npos; begin = end + 2)
        lines.push_back(text.substr(begin, end - begin));
    lines.push_back(text.substr(begin));
    return lines;
}

std::string decodedBase64(const std::string& text) {
    std::istringstream input(text);
    Poco::Base64Decoder decoder(input);
    return {std::istreambuf_iterator<char>(decoder), std::istreambuf_iterator<char>()};
}

std::string decodedQ(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '=') {
            out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
            i += 2;
        } else {
            out += text[i] == '_' ? ' ' : text[i];
        }
    }
    return out;
}

// One encoded word; what is none fails the test.
std::string decodedWord(const std::string& word) {
    CPPUNIT_ASSERT_MESSAGE(word, word.size() <= 75 && word.ends_with("?="));
    const std::string text = word.substr(10, word.size() - 12);
    CPPUNIT_ASSERT_MESSAGE(word, text.find_first_of("? \t") == std::string::npos);
    if (word.starts_with("=?UTF-8?B?")) return decodedBase64(text);
    CPPUNIT_ASSERT_MESSAGE(word, word.starts_with("=?UTF-8?Q?"));
    return decodedQ(text);
}

bool isCutInACharacter(const std::string& text) {
    return !text.empty() && (static_cast<unsigned char>(text.front()) & 0xC0U) == 0x80U;
}

std::string repeated(std::string_view text, int count) {
    std::string out;
    for (int i = 0; i < count; ++i) out += text;
    return out;
}

class HeaderTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(HeaderTest);
    CPPUNIT_TEST(leavesPlainTextAsItIs);
    CPPUNIT_TEST(encodesInTheShorterOfTheTwoWays);
    CPPUNIT_TEST(foldsWithinSeventySixColumns);
    CPPUNIT_TEST(splitsNoCharacter);
    CPPUNIT_TEST(encodesWhatOnlyLooksEncoded);
    CPPUNIT_TEST(encodesPlainTextThatIsTooLongForALine);
    CPPUNIT_TEST(beginsNoOtherHeader);
    CPPUNIT_TEST(findsRoomOnTheNextLine);
    CPPUNIT_TEST_SUITE_END();

    static void assertReadsBack(const std::string& text, std::size_t columnsTaken) {
        std::string read;
        std::size_t column = columnsTaken;
        bool isFolded = false;
        for (std::string line : linesOf(encodedHeader(text, columnsTaken))) {
            CPPUNIT_ASSERT_MESSAGE(line, column + line.size() <= 76);
            if (isFolded) {
                CPPUNIT_ASSERT_EQUAL(' ', line.at(0));
                line.erase(0, 1);
            }
            const std::string part = decodedWord(line);
            CPPUNIT_ASSERT_MESSAGE(line, !part.empty() && !isCutInACharacter(part));
            read += part;
            column = 0;
            isFolded = true;
        }
        CPPUNIT_ASSERT_EQUAL(text, read);
    }

    void leavesPlainTextAsItIs() {
        for (const char* text : {"", "Your code", "a = b? \"c\" <d>"})
            CPPUNIT_ASSERT_EQUAL(std::string(text), encodedHeader(text, kSubject));
        const std::string full(76 - kSubject, 'x');
        CPPUNIT_ASSERT_EQUAL(full, encodedHeader(full, kSubject));
    }

    void encodesInTheShorterOfTheTwoWays() {
        CPPUNIT_ASSERT_EQUAL(std::string("=?UTF-8?Q?Votre_code_d=27acc=C3=A8s?="),
                             encodedHeader("Votre code d'accès", kSubject));
        CPPUNIT_ASSERT_EQUAL(std::string("=?UTF-8?B?55m75b2V?="), encodedHeader("登录", kSubject));
    }

    void foldsWithinSeventySixColumns() {
        for (const std::size_t taken : {std::size_t{0}, std::size_t{6}, kSubject}) {
            for (int count = 1; count < 60; ++count) {
                assertReadsBack(repeated("é", count), taken);
                assertReadsBack(repeated("日本", count), taken);
                assertReadsBack(repeated("un été, ", count), taken);
                assertReadsBack(std::string(static_cast<std::size_t>(count), 'a') + "रमज़ान 😀 مرحبا", taken);
            }
        }
    }

    void splitsNoCharacter() {
        // 42 bytes fill the first word of a Subject; each of these would be cut there.
        for (const char* before : {"xx", "xxx", "xxxx"}) assertReadsBack(before + repeated("😀", 12), kSubject);
    }

    void encodesWhatOnlyLooksEncoded() {
        assertReadsBack("=?UTF-8?Q?code?=", kSubject);
        assertReadsBack(" begins and ends with a space ", kSubject);
    }

    void encodesPlainTextThatIsTooLongForALine() { assertReadsBack(repeated("a long word ", 20) + "x", kSubject); }

    void beginsNoOtherHeader() {
        CPPUNIT_ASSERT_EQUAL(std::string("Code  Bcc: a@b.example"),
                             encodedHeader("Code\r\nBcc: a@b.example", kSubject));
        CPPUNIT_ASSERT_EQUAL(std::string("Accès  Bcc:"), decodedWord(encodedHeader("Accès\r\nBcc:", kSubject)));
        CPPUNIT_ASSERT_EQUAL(std::string("a b"), encodedHeader(std::string("a\0b", 3), kSubject));
    }

    void findsRoomOnTheNextLine() {
        for (const std::size_t taken : {std::size_t{61}, std::size_t{76}, std::size_t{200}}) {
            const std::string header = encodedHeader("日", taken);
            CPPUNIT_ASSERT_EQUAL(std::string("\r\n =?UTF-8?B?5pel?="), header);
        }
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(HeaderTest);

}  // namespace delivery_header_test
}  // namespace otpgate::delivery
