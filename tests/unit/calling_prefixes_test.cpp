#include "otpgate/domain/calling_prefixes.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::domain {
namespace calling_prefixes_test {

class CallingPrefixesTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(CallingPrefixesTest);
    CPPUNIT_TEST(allowsAllNumbersWithoutAPrefix);
    CPPUNIT_TEST(allowsTheNumbersOfItsPrefixesAlone);
    CPPUNIT_TEST(refusesWhatIsNoPrefix);
    CPPUNIT_TEST(hasNoBudgetWithoutASetting);
    CPPUNIT_TEST(findsTheBudgetOfTheLongestPrefix);
    CPPUNIT_TEST(countsEveryOtherNumberTogether);
    CPPUNIT_TEST(refusesWhatIsNoBudget);
    CPPUNIT_TEST(limitsTheOthersWhereNobodyDid);
    CPPUNIT_TEST_SUITE_END();

    static std::string budgetOf(const DailyBudgets& budgets, const char* number) {
        const DailyBudget* budget = budgets.of(number);
        return budget == nullptr ? "none" : budget->prefix + ":" + std::to_string(budget->messages);
    }

    void allowsAllNumbersWithoutAPrefix() {
        CPPUNIT_ASSERT(AllowedPrefixes().covers("+12025550123"));
        CPPUNIT_ASSERT(AllowedPrefixes::parse({}).value().covers("+4930123456"));
    }

    void allowsTheNumbersOfItsPrefixesAlone() {
        const auto allowed = AllowedPrefixes::parse({"+49", "+1242", "+43"}).value();
        for (const char* number : {"+4930123456", "+49", "+12425550123", "+4366012345678"}) {
            CPPUNIT_ASSERT_MESSAGE(number, allowed.covers(number));
        }
        for (const char* number : {"+12025550123", "+4", "+124", "49", "+447911123456", ""}) {
            CPPUNIT_ASSERT_MESSAGE(number, !allowed.covers(number));
        }
    }

    void refusesWhatIsNoPrefix() {
        for (const char* word : {"", "+", "49", "+0", "+049", "+4a", "++49", "+49 ", "+1234567890123456", "*"}) {
            CPPUNIT_ASSERT_MESSAGE(word, !AllowedPrefixes::parse({"+1", word}));
        }
        CPPUNIT_ASSERT(AllowedPrefixes::parse({"+123456789012345"}));
    }

    void hasNoBudgetWithoutASetting() {
        CPPUNIT_ASSERT_EQUAL(std::string("none"), budgetOf(DailyBudgets(), "+4930123456"));
    }

    void findsTheBudgetOfTheLongestPrefix() {
        const auto budgets = DailyBudgets::parse({"+1:10", "+49:1000", "+1242:3", "+124:4"}).value();
        CPPUNIT_ASSERT_EQUAL(std::string("+1242:3"), budgetOf(budgets, "+12425550123"));
        CPPUNIT_ASSERT_EQUAL(std::string("+124:4"), budgetOf(budgets, "+12465550123"));
        CPPUNIT_ASSERT_EQUAL(std::string("+1:10"), budgetOf(budgets, "+12025550123"));
        CPPUNIT_ASSERT_EQUAL(std::string("+49:1000"), budgetOf(budgets, "+4930123456"));
        CPPUNIT_ASSERT_EQUAL(std::string("none"), budgetOf(budgets, "+4366012345678"));
    }

    void limitsTheOthersWhereNobodyDid() {
        auto budgets = DailyBudgets::parse({"+1:10", "+1242:3"}).value();
        budgets.limitOthers(100);
        CPPUNIT_ASSERT_EQUAL(std::string("*:100"), budgetOf(budgets, "+4930123456"));
        CPPUNIT_ASSERT_EQUAL(std::string("+1242:3, +1:10, *:100"), budgets.toText());
        auto told = DailyBudgets::parse({"*:5", "+1:10"}).value();
        told.limitOthers(100);
        CPPUNIT_ASSERT_EQUAL(std::string("+1:10, *:5"), told.toText());
    }

    void countsEveryOtherNumberTogether() {
        const auto budgets = DailyBudgets::parse({"*:100", "+1:0"}).value();
        CPPUNIT_ASSERT_EQUAL(std::string("*:100"), budgetOf(budgets, "+4930123456"));
        CPPUNIT_ASSERT_EQUAL(std::string("+1:0"), budgetOf(budgets, "+12025550123"));
    }

    void refusesWhatIsNoBudget() {
        for (const char* word : {"", "+49", "+49:", ":5", "49:5", "**:5", "+49:-1", "+49:1x", "+49: 1", "+49:1:2",
                                 "+49:1000000001", "+49:99999999999999999999", "+1:7"}) {
            CPPUNIT_ASSERT_MESSAGE(word, !DailyBudgets::parse({"+1:5", word}));
        }
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(CallingPrefixesTest);

}  // namespace calling_prefixes_test
}  // namespace otpgate::domain
