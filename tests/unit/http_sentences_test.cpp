#include "otpgate/http/sentences.h"

#include <cppunit/extensions/HelperMacros.h>

#include <array>
#include <stdexcept>

namespace otpgate::http {

namespace http_sentences_test {

constexpr std::array<SentenceTable, 2> kTables{{
    {"de.json", R"({
        "Not found": "Nicht gefunden",
        "must be {lowest} to {highest}": "muss zwischen {lowest} und {highest} liegen",
        "must be 1 to 50 of a-z": "muss 1 bis 50 aus a-z sein",
        "A code is on its way to {address}.": "Ein Code ist unterwegs an {address}.",
        "A code is on its way to {address}. Enter it.": "Ein Code ist unterwegs an {address}. Geben Sie ihn ein.",
        "You have {count} keys.": "{count} Schlüssel haben Sie."
    })"},
    {"fr.json", R"({"Not found": "Introuvable"})"},
}};

class SentencesTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(SentencesTest);
    CPPUNIT_TEST(translatesAWholeSentence);
    CPPUNIT_TEST(keepsTheValuesOfASentence);
    CPPUNIT_TEST(takesTheSentenceThatSaysMost);
    CPPUNIT_TEST(leavesInEnglishWhatItDoesNotKnow);
    CPPUNIT_TEST(choosesTheFirstLanguageThatItSpeaks);
    CPPUNIT_TEST(fallsBackToWhatTheOwnerSays);
    CPPUNIT_TEST(refusesATableThatIsNone);
    CPPUNIT_TEST(speaksTenLanguages);
    CPPUNIT_TEST_SUITE_END();

public:
    void translatesAWholeSentence() {
        CPPUNIT_ASSERT_EQUAL(std::string{"Nicht gefunden"}, sentences_.in("de", "Not found"));
        CPPUNIT_ASSERT_EQUAL(std::string{"Introuvable"}, sentences_.in("fr", "Not found"));
        CPPUNIT_ASSERT_EQUAL(std::string{"Not found"}, sentences_.in("en", "Not found"));
    }

    void keepsTheValuesOfASentence() {
        CPPUNIT_ASSERT_EQUAL(std::string{"muss zwischen 4 und 10 liegen"}, sentences_.in("de", "must be 4 to 10"));
        CPPUNIT_ASSERT_EQUAL(std::string{"20 Schlüssel haben Sie."}, sentences_.in("de", "You have 20 keys."));
        // A value with a dot in it, and one that looks like a place for a value.
        CPPUNIT_ASSERT_EQUAL(std::string{"Ein Code ist unterwegs an a**b@example.com."},
                             sentences_.in("de", "A code is on its way to a**b@example.com."));
        CPPUNIT_ASSERT_EQUAL(std::string{"muss zwischen {highest} und 3 liegen"},
                             sentences_.in("de", "must be {highest} to 3"));
    }

    void takesTheSentenceThatSaysMost() {
        CPPUNIT_ASSERT_EQUAL(std::string{"muss 1 bis 50 aus a-z sein"}, sentences_.in("de", "must be 1 to 50 of a-z"));
        CPPUNIT_ASSERT_EQUAL(std::string{"Ein Code ist unterwegs an a@b.de. Geben Sie ihn ein."},
                             sentences_.in("de", "A code is on its way to a@b.de. Enter it."));
    }

    void leavesInEnglishWhatItDoesNotKnow() {
        CPPUNIT_ASSERT_EQUAL(std::string{"You have keys."}, sentences_.in("de", "You have keys."));
        CPPUNIT_ASSERT_EQUAL(std::string{"must be "}, sentences_.in("de", "must be "));
        CPPUNIT_ASSERT_EQUAL(std::string{}, sentences_.in("de", ""));
        CPPUNIT_ASSERT_EQUAL(std::string{"Not found"}, sentences_.in("nl", "Not found"));
    }

    void choosesTheFirstLanguageThatItSpeaks() {
        CPPUNIT_ASSERT_EQUAL(std::string_view{"fr"}, sentences_.choose({"", "nl", "fr-CH,de"}));
        CPPUNIT_ASSERT_EQUAL(std::string_view{"de"}, sentences_.choose({"nl,DE-at", "fr"}));
        CPPUNIT_ASSERT_EQUAL(std::string_view{"en"}, sentences_.choose({"en-GB,de"}));
        CPPUNIT_ASSERT_EQUAL(std::string_view{"en"}, sentences_.choose({"nl"}));
        CPPUNIT_ASSERT_EQUAL(std::string_view{"en"}, sentences_.choose({}));
    }

    void fallsBackToWhatTheOwnerSays() {
        CPPUNIT_ASSERT_EQUAL(std::string_view{"fr"}, Sentences(kTables, "fr").choose({"nl"}));
        CPPUNIT_ASSERT_EQUAL(std::string_view{"en"}, Sentences(kTables, "fr").choose({"en"}));
        CPPUNIT_ASSERT_EQUAL(std::string_view{"en"}, Sentences(kTables, "nl").choose({"nl"}));
    }

    void refusesATableThatIsNone() {
        for (const std::string_view text :
             {"", "[]", R"({"a": 1})", R"({"a": "b", "a": "c"})", R"({"a {b": "c"})", R"({"a {b}": "{c}"})"}) {
            const std::array<SentenceTable, 1> tables{{{"xx.json", text}}};
            CPPUNIT_ASSERT_THROW_MESSAGE(std::string{text}, Sentences(tables, "en"), std::logic_error);
        }
    }

    void speaksTenLanguages() {
        const Sentences all(builtInSentences(), "en");
        for (const std::string_view tag : {"ar", "de", "en", "es", "fr", "hi", "ja", "pt", "tr", "zh"}) {
            CPPUNIT_ASSERT_EQUAL(tag, all.choose({tag}));
            CPPUNIT_ASSERT((all.in(tag, "The code is not correct.") == "The code is not correct.") == (tag == "en"));
        }
    }

private:
    const Sentences sentences_{kTables, "en"};
};

CPPUNIT_TEST_SUITE_REGISTRATION(SentencesTest);

}  // namespace http_sentences_test
}  // namespace otpgate::http
