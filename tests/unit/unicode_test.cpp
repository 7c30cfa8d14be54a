#include "otpgate/base/unicode.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <atomic>
#include <thread>
#include <vector>

namespace otpgate {
namespace unicode_test {

using namespace std::string_literals;

class UnicodeTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(UnicodeTest);
    CPPUNIT_TEST(composes);
    CPPUNIT_TEST(readsDigitsOfEveryScript);
    CPPUNIT_TEST(leavesOutWhatNobodySees);
    CPPUNIT_TEST(keepsJoinersWithinWords);
    CPPUNIT_TEST(leavesWhatIsNotUtf8);
    CPPUNIT_TEST(cutsMargins);
    CPPUNIT_TEST(knowsDashes);
    CPPUNIT_TEST(writesDomainsForTheDns);
    CPPUNIT_TEST(answersManyThreadsAtOnce);
    CPPUNIT_TEST_SUITE_END();

    void composes() {
        CPPUNIT_ASSERT_EQUAL("M\u00fcller"s, toNfc("Mu\u0308ller"));
        CPPUNIT_ASSERT_EQUAL("\uac00"s, toNfc("\u1100\u1161"));
        CPPUNIT_ASSERT_EQUAL("\uff41"s, toNfc("\uff41"));  // another letter, not another form
        CPPUNIT_ASSERT_EQUAL("a\0b"s, toNfc("a\0b"s));
    }

    void readsDigitsOfEveryScript() {
        for (const char* text :
             {"0123456789", "\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669",
              "\u0966\u0967\u0968\u0969\u096a\u096b\u096c\u096d\u096e\u096f",
              "\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19",
              "\U0001e950\U0001e951\U0001e952\U0001e953\U0001e954\U0001e955\U0001e956\U0001e957\U0001e958"
              "\U0001e959"}) {
            CPPUNIT_ASSERT_EQUAL("0123456789"s, toPlainText(text));
        }
        CPPUNIT_ASSERT_EQUAL("\u4e94"s, toPlainText("\u4e94"));  // a word for five
    }

    void leavesOutWhatNobodySees() {
        CPPUNIT_ASSERT_EQUAL("ab"s, toPlainText("\ufeffa\u200b\u200c\u200d\u200e\u2060\u00ad\ufe0fb\u202c"));
        CPPUNIT_ASSERT_EQUAL(" a b "s, toPlainText("\u00a0a\u3000b\n"));
        CPPUNIT_ASSERT_EQUAL("a\x1b"s, toPlainText("a\x1b"));  // for others to refuse
    }

    void keepsJoinersWithinWords() {
        const std::string word = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645";
        CPPUNIT_ASSERT_EQUAL(word, toPlainText(word));
        CPPUNIT_ASSERT_EQUAL(word, toPlainText("\u200c" + word + "\u200d"));
        CPPUNIT_ASSERT_EQUAL("\u0645a"s, toPlainText("\u0645\u200ca"));
    }

    void leavesWhatIsNotUtf8() {
        for (const std::string& text : {"\xff\xfe"s, "\u00fc\xc3"s, "\xed\xa0\x80"s}) {
            CPPUNIT_ASSERT_EQUAL(text, toNfc(text));
            CPPUNIT_ASSERT_EQUAL(text, toPlainText(text));
            CPPUNIT_ASSERT_EQUAL(text, trimmed(text));
            CPPUNIT_ASSERT_EQUAL(text, withoutBlanksAndDashes(text));
        }
        CPPUNIT_ASSERT_EQUAL(std::size_t{0}, trailingDashLength("\x80\x80"));
        CPPUNIT_ASSERT_EQUAL(std::size_t{0}, trailingDashLength(""));
    }

    void cutsMargins() {
        CPPUNIT_ASSERT_EQUAL("a b"s, trimmed("\u200b\u3000 a b\t\u202c"));
        CPPUNIT_ASSERT_EQUAL(""s, trimmed("\u200b \u00a0"));
        CPPUNIT_ASSERT_EQUAL("\U0001f511"s, trimmed(" \U0001f511 "));
    }

    void knowsDashes() {
        CPPUNIT_ASSERT_EQUAL("12\u00fc3"s, withoutBlanksAndDashes(" 1-2\u2013\u00fc\u2011\u2212 3\u2014"));
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, leadingDashLength("-a"));
        CPPUNIT_ASSERT_EQUAL(std::size_t{3}, leadingDashLength("\u2013a"));
        CPPUNIT_ASSERT_EQUAL(std::size_t{0}, leadingDashLength("a\u2013"));
        CPPUNIT_ASSERT_EQUAL(std::size_t{3}, trailingDashLength("a\u2013"));
    }

    void writesDomainsForTheDns() {
        CPPUNIT_ASSERT_EQUAL("xn--mller-kva.example"s, toAsciiDomain("M\u00dcLLER.example").value());
        CPPUNIT_ASSERT_EQUAL("example.org"s, toAsciiDomain("example\u3002org").value());
        for (const char* domain :
             {"m\u00fcller..example", "m\u00fc_ller.example", "xn--\u00fc.example", "\u05d0a.example"})
            CPPUNIT_ASSERT_MESSAGE(domain, !toAsciiDomain(domain));
    }

    void answersManyThreadsAtOnce() {
        std::atomic<int> mistakes = 0;
        std::vector<std::jthread> threads;
        threads.reserve(8);
        for (int i = 0; i < 8; ++i) {
            threads.emplace_back([&] {
                if (toAsciiDomain("m\u00fcller.example") != "xn--mller-kva.example") ++mistakes;
                if (toNfc("u\u0308") != "\u00fc" || toPlainText("\u0661") != "1") ++mistakes;
            });
        }
        threads.clear();
        CPPUNIT_ASSERT_EQUAL(0, mistakes.load());
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(UnicodeTest);

}  // namespace unicode_test
}  // namespace otpgate
