#include "otpgate/domain/password_policy.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <atomic>
#include <thread>

namespace otpgate::domain {
namespace password_policy_test {

using namespace std::string_literals;

const PasswordOwner kAnna{"anna.schmidt@example.com", "+4915112345678", "asch", "Anna", "Schmidt", "Annie"};

std::string repeat(std::string_view text, std::size_t times) {
    std::string result;
    for (std::size_t i = 0; i < times; ++i) result += text;
    return result;
}

// The reason, or nothing.
std::string refusal(std::string_view password, const PasswordOwner& owner = {}, unsigned minScore = 2) {
    return PasswordPolicy(minScore, "login.acmecorp.example").reasonToRefuse(password, owner).value_or("");
}

class PasswordPolicyTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(PasswordPolicyTest);
    CPPUNIT_TEST(takesWhatIsHardToGuess);
    CPPUNIT_TEST(countsCharactersNotBytes);
    CPPUNIT_TEST(refusesCommonPasswords);
    CPPUNIT_TEST(saysWhichPatternIsEasyToGuess);
    CPPUNIT_TEST(refusesTheOwnersAddress);
    CPPUNIT_TEST(refusesWhatIsMadeOfTheOwnersAndTheSitesNames);
    CPPUNIT_TEST(leavesShortNamesAlone);
    CPPUNIT_TEST(asksForMoreWhenTheScoreIsHigher);
    CPPUNIT_TEST(asksOnlyForLengthAndNoAddressAtScoreZero);
    CPPUNIT_TEST(countsEveryUnicodeCharacterAsOne);
    CPPUNIT_TEST(looksBehindNulBytes);
    CPPUNIT_TEST(doesNotHoldAWeakBeginningAgainstAStrongEnd);
    CPPUNIT_TEST(judgesLongNumbersByTheirBeginning);
    CPPUNIT_TEST(survivesBytesThatAreNotUtf8);
    CPPUNIT_TEST(answersAlikeInManyThreads);
    CPPUNIT_TEST_SUITE_END();

    void takesWhatIsHardToGuess() {
        for (const auto* password : {"correct horse battery staple", "xK9#mQ2$vL", "zwölf Boxkämpfer jagen", "k8dj2mzq",
                                     "密码学家喜欢喝茶", "sieben-graue-gänse"}) {
            CPPUNIT_ASSERT_EQUAL(""s, refusal(password, kAnna));
        }
    }

    void countsCharactersNotBytes() {
        CPPUNIT_ASSERT_EQUAL("It is too short: at least 8 characters."s, refusal("xK9#mQ2"));
        CPPUNIT_ASSERT_EQUAL("It is too short: at least 8 characters."s, refusal("密码学家喜欢喝"));
        CPPUNIT_ASSERT_EQUAL("It is too short: at least 8 characters."s, refusal(""));
        const std::string sixteen = "xK9#mQ2$vLpW7!zR";
        CPPUNIT_ASSERT_EQUAL(""s, refusal(repeat(sixteen, 8)));
        CPPUNIT_ASSERT_EQUAL("It is too long: at most 128 characters."s, refusal(repeat(sixteen, 8) + "x"));
        CPPUNIT_ASSERT_EQUAL(""s, refusal(repeat("密码学家喜欢喝茶", 16)));
        CPPUNIT_ASSERT_EQUAL("It is too long: at most 128 characters."s,
                             refusal(repeat("密码学家喜欢喝茶", 16) + "密"));
    }

    void refusesCommonPasswords() {
        for (const auto* password :
             {"password", "PASSWORD", "Passw0rd", "12345678", "drowssap", "iloveyou", "1q2w3e4r"}) {
            CPPUNIT_ASSERT_EQUAL("This is a very common password."s, refusal(password));
        }
    }

    void saysWhichPatternIsEasyToGuess() {
        CPPUNIT_ASSERT_EQUAL("A common word with little added is easy to guess."s, refusal("Password1"));
        CPPUNIT_ASSERT_EQUAL("A common word with little added is easy to guess."s, refusal("dolphin77"));
        CPPUNIT_ASSERT_EQUAL("A single word is easy to guess."s, refusal("permeability"));
        CPPUNIT_ASSERT_EQUAL("Repeated characters are easy to guess."s, refusal("xxxxxxxxxxxxx"));
        CPPUNIT_ASSERT_EQUAL("Repeated words and patterns are easy to guess."s, refusal("monkeymonkeymonkey"));
        CPPUNIT_ASSERT_EQUAL("Sequences such as abcd or 6543 are easy to guess."s, refusal("cdefghijk"));
        CPPUNIT_ASSERT_EQUAL("Rows of keys such as qwerty are easy to guess."s, refusal("ertyuiop["));
        CPPUNIT_ASSERT_EQUAL("Dates and years are easy to guess."s, refusal("23.07.1985"));
    }

    void refusesTheOwnersAddress() {
        CPPUNIT_ASSERT_EQUAL("It contains your e-mail address."s, refusal("xK9#anna.schmidt@example.commQ2$vL", kAnna));
        CPPUNIT_ASSERT_EQUAL("It contains your e-mail address."s, refusal("Anna.Schmidt@EXAMPLE.com", kAnna));
        CPPUNIT_ASSERT_EQUAL("It contains the name in your e-mail address."s, refusal("xK9#ANNA.schmidtmQ2$vL", kAnna));
        CPPUNIT_ASSERT_EQUAL("It contains your phone number."s, refusal("xK9#4915112345678mQ2$vL", kAnna));
        CPPUNIT_ASSERT_EQUAL("It contains your e-mail address."s,
                             refusal("anna.schmidt@example.com", kAnna, 0));  // whatever the score asks for
    }

    void refusesWhatIsMadeOfTheOwnersAndTheSitesNames() {
        const auto reason = "It is too close to your name, your address or the name of this site."s;
        CPPUNIT_ASSERT_EQUAL(reason, refusal("Schmidt1", kAnna));
        CPPUNIT_ASSERT_EQUAL(reason, refusal("5chm1dt!", kAnna));
        CPPUNIT_ASSERT_EQUAL(reason, refusal("acmecorp1", kAnna));
        CPPUNIT_ASSERT_EQUAL(reason, refusal("Özgür123", {"", "", "", "Özgür", "", ""}));
        CPPUNIT_ASSERT_EQUAL(""s, refusal("acme7corp#xK9", kAnna));
    }

    void leavesShortNamesAlone() {
        const PasswordOwner al{"al@example.com", "+123", "", "Al", "Wu", ""};
        CPPUNIT_ASSERT_EQUAL(""s, refusal("alabaster wunderkind 123", al));
        CPPUNIT_ASSERT_EQUAL(""s, refusal("correct horse battery staple", PasswordOwner{}));
    }

    void asksForMoreWhenTheScoreIsHigher() {
        CPPUNIT_ASSERT_EQUAL(""s, refusal("Sommer2024!", {}, 2));
        CPPUNIT_ASSERT(!refusal("Sommer2024!", {}, 3).empty());
        CPPUNIT_ASSERT_EQUAL(""s, refusal("dolphin77", {}, 1));
        CPPUNIT_ASSERT_EQUAL(""s, refusal("correct horse battery staple", {}, 4));
        CPPUNIT_ASSERT_EQUAL(""s, refusal("correct horse battery staple", {}, 99));  // as 4
    }

    void asksOnlyForLengthAndNoAddressAtScoreZero() {
        CPPUNIT_ASSERT_EQUAL(""s, refusal("password", {}, 0));
        CPPUNIT_ASSERT_EQUAL("It is too short: at least 8 characters."s, refusal("passwor", {}, 0));
    }

    void countsEveryUnicodeCharacterAsOne() {
        CPPUNIT_ASSERT_EQUAL("Repeated characters are easy to guess."s, refusal("тттттттт"));
        CPPUNIT_ASSERT_EQUAL("Repeated characters are easy to guess."s, refusal("🐢🐢🐢🐢🐢🐢🐢🐢🐢"));
        CPPUNIT_ASSERT_EQUAL("Repeated words and patterns are easy to guess."s, refusal("密码密码密码密码"));
    }

    void looksBehindNulBytes() {
        CPPUNIT_ASSERT_EQUAL(""s, refusal("abc\0xK9#mQ2$vL"s));
        CPPUNIT_ASSERT_EQUAL("Repeated characters are easy to guess."s, refusal(std::string(20, '\0')));
    }

    void doesNotHoldAWeakBeginningAgainstAStrongEnd() {
        CPPUNIT_ASSERT(!refusal(std::string(100, 'a')).empty());
        CPPUNIT_ASSERT_EQUAL(""s, refusal(std::string(100, 'a') + "xK9#mQ2$vL"));
        CPPUNIT_ASSERT_EQUAL(""s, refusal("xK9#mQ2$vL" + std::string(100, 'a')));
    }

    void judgesLongNumbersByTheirBeginning() {
        CPPUNIT_ASSERT(!refusal(repeat("23", 64)).empty());
        CPPUNIT_ASSERT(!refusal(repeat("23071985", 16)).empty());
        CPPUNIT_ASSERT_EQUAL(""s, refusal("23232323232323232323232323232323 xK9#mQ2$vL"));
        CPPUNIT_ASSERT_EQUAL(""s, refusal("8172635409182736451092837465019283746510293847561029384756"));
    }

    void survivesBytesThatAreNotUtf8() {
        std::string bytes;
        for (int i = 0; i < 128; ++i) bytes += static_cast<char>(0x80 + i % 0x80);
        CPPUNIT_ASSERT_EQUAL(""s, refusal(bytes));
        CPPUNIT_ASSERT_EQUAL("It is too long: at most 128 characters."s, refusal(bytes + '\xff'));
        for (char c = '!'; c < '\x7f'; ++c) {
            CPPUNIT_ASSERT_EQUAL(""s, refusal("gänse" + std::string(1, c) + "7m" + c + c + "\xc3\xff\x80w" + c));
        }
    }

    void answersAlikeInManyThreads() {
        std::atomic<int> wrong = 0;
        {
            std::vector<std::jthread> threads;
            threads.reserve(4);
            for (int t = 0; t < 4; ++t) {
                threads.emplace_back([&] {
                    for (int i = 0; i < 50; ++i) {
                        if (refusal("password") != "This is a very common password.") ++wrong;
                        if (!refusal("correct horse battery staple", kAnna).empty()) ++wrong;
                    }
                });
            }
        }
        CPPUNIT_ASSERT_EQUAL(0, wrong.load());
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(PasswordPolicyTest);

}  // namespace password_policy_test
}  // namespace otpgate::domain
