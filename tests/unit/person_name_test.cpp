// Names that may be shown anywhere.
#include "otpgate/domain/person_name.h"

#include <cppunit/extensions/HelperMacros.h>

#include <string>

namespace person_name_test {

using otpgate::domain::parsePersonName;

class PersonNameTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(PersonNameTest);
    CPPUNIT_TEST(keepsNamesOfAnyScript);
    CPPUNIT_TEST(cutsWhiteSpaceAround);
    CPPUNIT_TEST(cutsWhatNobodySeesAround);
    CPPUNIT_TEST(writesANameInOneForm);
    CPPUNIT_TEST(countsCharactersNotBytes);
    CPPUNIT_TEST(refusesWhatControls);
    CPPUNIT_TEST(refusesWhatIsNotUtf8);
    CPPUNIT_TEST_SUITE_END();

    static std::string repeated(const std::string& text, int count) {
        std::string result;
        for (int i = 0; i < count; ++i) result += text;
        return result;
    }

    void keepsNamesOfAnyScript() {
        // The joiners are part of how some names are spelt.
        for (const std::string name : {"Ada", "José", "李小龍", "می\u200cخواهم", "O'Neil-Smith", "🔑", "=1+1"}) {
            CPPUNIT_ASSERT_EQUAL(name, parsePersonName(name).value());
        }
    }

    void cutsWhiteSpaceAround() {
        CPPUNIT_ASSERT_EQUAL(std::string{"Ada  L"}, parsePersonName(" \t\r\n Ada  L \n").value());
        CPPUNIT_ASSERT_EQUAL(std::string{}, parsePersonName("  ").value());
        CPPUNIT_ASSERT_EQUAL(std::string{}, parsePersonName("").value());
    }

    void cutsWhatNobodySeesAround() {
        for (const char* pasted :
             {"\u00a0Ada\u3000", "\ufeffAda\u200b", "\u202aAda\u202c", "\u2066Ada\u2069 ", "\u200eAda"}) {
            CPPUNIT_ASSERT_EQUAL(std::string{"Ada"}, parsePersonName(pasted).value());
        }
        CPPUNIT_ASSERT_EQUAL(std::string{}, parsePersonName("\u200b\u00a0").value());
        // The end of an emoji: a heart in colour, the flag of Wales.
        for (const std::string name :
             {"\u2764\ufe0f", "\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f"}) {
            CPPUNIT_ASSERT_EQUAL(name, parsePersonName(name).value());
        }
    }

    void writesANameInOneForm() {
        CPPUNIT_ASSERT_EQUAL(std::string{"Jos\u00e9"}, parsePersonName("Jose\u0301").value());
    }

    void countsCharactersNotBytes() {
        for (const std::string character : {"a", "é", "李", "🔑"}) {
            CPPUNIT_ASSERT(parsePersonName(repeated(character, 150)).has_value());
            CPPUNIT_ASSERT(!parsePersonName(repeated(character, 151)).has_value());
        }
    }

    void refusesWhatControls() {
        for (const std::string& bad :
             {std::string(1, '\0'), std::string{"\x1b[31m"}, std::string{"b\nc"}, std::string{"b\tc"},
              std::string{"\x7f"}, std::string{"\u0080"}, std::string{"\u009f"}, std::string{"\u2028"},
              std::string{"\u2029"}, std::string{"\u202a"}, std::string{"\u202e"}, std::string{"\u2066"},
              std::string{"\u2069"}}) {
            CPPUNIT_ASSERT(!parsePersonName("a" + bad + "d").has_value());
        }
        CPPUNIT_ASSERT(parsePersonName("\u00a0a\u2027b\u2065").has_value());
    }

    void refusesWhatIsNotUtf8() {
        for (const std::string bad : {"\xff", "\xc3", "\xe2\x80", "\xed\xa0\x80", "\xc0\xaf"}) {
            CPPUNIT_ASSERT(!parsePersonName("a" + bad).has_value());
        }
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(PersonNameTest);

}  // namespace person_name_test
