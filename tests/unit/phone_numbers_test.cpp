#include "otpgate/domain/phone_numbers.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <atomic>
#include <thread>
#include <vector>

namespace otpgate::domain {
namespace phone_numbers_test {

class PhoneNumbersTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(PhoneNumbersTest);
    CPPUNIT_TEST(takesAnyNumberOfE164);
    CPPUNIT_TEST(takesNumbersOfANumberingPlan);
    CPPUNIT_TEST(takesNumbersThatAreNewerThanTheLibrary);
    CPPUNIT_TEST(refusesWhatNoNumberingPlanHas);
    CPPUNIT_TEST(takesOneSpellingOfANumberOnly);
    CPPUNIT_TEST(leavesEmailAddressesAlone);
    CPPUNIT_TEST(sendsToAllowedPrefixesAlone);
    CPPUNIT_TEST(answersManyThreadsAtOnce);
    CPPUNIT_TEST_SUITE_END();

    const PhoneNumbers any_{PhoneValidation::Any};
    const PhoneNumbers strict_{PhoneValidation::Strict};

    static bool accepts(const PhoneNumbers& numbers, const char* text) {
        return numbers.accepts(Destination::parse(text).value());
    }
    void takes(const char* text) const { CPPUNIT_ASSERT_MESSAGE(text, accepts(strict_, text)); }
    void refuses(const char* text) const {
        CPPUNIT_ASSERT_MESSAGE(text, accepts(any_, text));
        CPPUNIT_ASSERT_MESSAGE(text, !accepts(strict_, text));
    }

    // The first two are in no numbering plan; clients of other services register with such.
    void takesAnyNumberOfE164() {
        for (const char* number : {"+1234567890", "+1555000123", "+12", "+999999999999999"})
            CPPUNIT_ASSERT_MESSAGE(number, accepts(any_, number));
    }

    void takesNumbersOfANumberingPlan() {
        for (const char* number : {"+12025550123", "+447911123456", "+4930123456", "+4366012345678", "+819012345678",
                                   "+5491123456789", "+80012345678"})
            takes(number);
        takes("+390612345678");  // where the 0 belongs to the number
    }

    // Debian's libphonenumber is of 2022. Area codes and longer numbers are assigned every year.
    void takesNumbersThatAreNewerThanTheLibrary() {
        for (const char* number :
             {"+2290197000000",  // Benin, ten digits since 2024
              "+923701234567",   // Pakistan
              "+13292345678", "+14572345678", "+18212345678", "+13572345678", "+13692345678", "+15551234567"})
            takes(number);
    }

    void refusesWhatNoNumberingPlanHas() {
        refuses("+1234567890");  // too short for North America
        refuses("+1555000123");
        refuses("+120255501234567");  // and much too long
        refuses("+22997000");         // Benin had eight digits at least
        refuses("+99912345678");      // no such country
        refuses("+12");
        refuses("+999999999999999");
    }

    // Otherwise one telephone could have several accounts, and several budgets for codes.
    void takesOneSpellingOfANumberOnly() {
        takes("+442079460958");
        refuses("+4402079460958");
        takes("+12025550123");
        refuses("+112025550123");
    }

    void sendsToAllowedPrefixesAlone() {
        const PhoneNumbers german{PhoneValidation::Any, AllowedPrefixes::parse({"+49"}).value()};
        const auto allows = [&](const PhoneNumbers& numbers, const char* text) {
            return numbers.allowsMessagesTo(Destination::parse(text).value());
        };
        CPPUNIT_ASSERT(allows(german, "+4930123456") && allows(german, "ada@example.org"));
        CPPUNIT_ASSERT(!allows(german, "+12025550123"));
        CPPUNIT_ASSERT(allows(any_, "+12025550123"));
        CPPUNIT_ASSERT(accepts(german, "+12025550123"));  // a number it is
    }

    void leavesEmailAddressesAlone() {
        takes("ada@example.org");
        takes("1555000123@example.org");
        CPPUNIT_ASSERT(accepts(any_, "ada@example.org"));
    }

    void answersManyThreadsAtOnce() {
        std::atomic<int> mistakes = 0;
        std::vector<std::jthread> threads;
        threads.reserve(8);
        for (int i = 0; i < 8; ++i) {
            threads.emplace_back([&] {
                for (const char* number : {"+33612345678", "+34612345678", "+48512345678", "+905012345678"}) {
                    if (!accepts(strict_, number) || accepts(strict_, "+99912345678")) ++mistakes;
                }
            });
        }
        threads.clear();
        CPPUNIT_ASSERT_EQUAL(0, mistakes.load());
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(PhoneNumbersTest);

}  // namespace phone_numbers_test
}  // namespace otpgate::domain
