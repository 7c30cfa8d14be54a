#include "otpgate/http/accept_language.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::http {
namespace http_accept_language_test {

using namespace std::string_literals;

class AcceptLanguageTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(AcceptLanguageTest);
    CPPUNIT_TEST(sortsByWeight);
    CPPUNIT_TEST(keepsTheOrderOfEqualWeights);
    CPPUNIT_TEST(leavesOutWhatIsNotWanted);
    CPPUNIT_TEST(leavesOutWhatIsNoTagOrNoWeight);
    CPPUNIT_TEST(readsTagsAsSystemsWriteThem);
    CPPUNIT_TEST(takesNoMoreThanAFew);
    CPPUNIT_TEST_SUITE_END();

    void sortsByWeight() {
        CPPUNIT_ASSERT_EQUAL("fr-CH,fr,en,de"s, acceptedLanguages("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5"));
        CPPUNIT_ASSERT_EQUAL("de,en,fr"s, acceptedLanguages("fr;q=0.001,en ; q=0.5\t,de;Q=1.000"));
    }

    void keepsTheOrderOfEqualWeights() {
        CPPUNIT_ASSERT_EQUAL("da,en,sv"s, acceptedLanguages("da, en, sv"));
        CPPUNIT_ASSERT_EQUAL("x,b,a"s, acceptedLanguages("b;q=0.5,x,a;q=0.50"));
    }

    void leavesOutWhatIsNotWanted() {
        CPPUNIT_ASSERT_EQUAL("en"s, acceptedLanguages("de;q=0, fr;q=0.000, en, *"));
        CPPUNIT_ASSERT_EQUAL(""s, acceptedLanguages("*"));
        CPPUNIT_ASSERT_EQUAL(""s, acceptedLanguages(""));
        CPPUNIT_ASSERT_EQUAL(""s, acceptedLanguages(" ,, ;, ;q=1"));
    }

    void leavesOutWhatIsNoTagOrNoWeight() {
        for (const char* header : {"e n", "d\xc3\xa9", "1en", "-en", "en-", "en\r\nBcc: x", "en;q=2", "en;q=1.1",
                                   "en;q=0.1234", "en;q=-1", "en;q=", "en;q=.5", "en;q=0,5x", "en;level=1", "en;"}) {
            CPPUNIT_ASSERT_EQUAL_MESSAGE(header, ""s, acceptedLanguages(header));
        }
        CPPUNIT_ASSERT_EQUAL(""s, acceptedLanguages("x" + std::string(35, 'y')));
        CPPUNIT_ASSERT_EQUAL(std::string(35, 'y'), acceptedLanguages(std::string(35, 'y')));
    }

    void readsTagsAsSystemsWriteThem() {
        CPPUNIT_ASSERT_EQUAL("en-US,de-AT,zh-Hant-TW"s,
                             acceptedLanguages("en-US@posix, de_AT.UTF-8;q=0.9, zh_Hant_TW;q=0.8"));
        CPPUNIT_ASSERT_EQUAL("zh-TW"s, parseLanguageTag("zh-TW").value());
        CPPUNIT_ASSERT_EQUAL("en-US"s, parseLanguageTag(" en_US.UTF-8@euro ").value());
        for (const char* text : {"", "?", "@posix", "en,de", "en;q=1", "\u00e9n", "1", "-", "en-"})
            CPPUNIT_ASSERT_MESSAGE(text, !parseLanguageTag(text));
    }

    void takesNoMoreThanAFew() {
        CPPUNIT_ASSERT_EQUAL("a,b,c,d"s, acceptedLanguages("a,b,c,d,e"));
        const std::string tag(34, 'y');
        CPPUNIT_ASSERT_EQUAL(tag + "," + tag, acceptedLanguages(tag + "," + tag + "," + tag));
        CPPUNIT_ASSERT_EQUAL(""s, acceptedLanguages(std::string(1000, ',') + "en"));
        std::string flood;
        for (int i = 0; i < 100'000; ++i) flood += "en;q=0.1,";
        CPPUNIT_ASSERT_EQUAL("en,en,en,en"s, acceptedLanguages(flood));
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(AcceptLanguageTest);

}  // namespace http_accept_language_test
}  // namespace otpgate::http
