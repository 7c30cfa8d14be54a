#include "otpgate/domain/sign_up_rule.h"

#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::domain {
namespace sign_up_rule_test {

class SignUpRuleTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(SignUpRuleTest);
    CPPUNIT_TEST(everybodyWhereNothingIsNamed);
    CPPUNIT_TEST(aDomainIsThatDomainAlone);
    CPPUNIT_TEST(aStarIsEachBelow);
    CPPUNIT_TEST(addressesAreNamedBesides);
    CPPUNIT_TEST(numbersAreNamedThemselves);
    CPPUNIT_TEST(aQuotedLocalPartDeceivesNobody);
    CPPUNIT_TEST(nobodyWhereItIsClosed);
    CPPUNIT_TEST_SUITE_END();

    static bool allows(const SignUpRule& rule, const char* address) {
        const auto destination = Destination::parse(address, EmailValidation::Lenient);
        CPPUNIT_ASSERT_MESSAGE(address, destination.has_value());
        return rule.allows(*destination);
    }

    void everybodyWhereNothingIsNamed() {
        CPPUNIT_ASSERT(allows({}, "ann@example.com"));
        CPPUNIT_ASSERT(allows({}, "+4930123456"));
    }

    void aDomainIsThatDomainAlone() {
        const SignUpRule rule{{"example.com"}, {}};
        CPPUNIT_ASSERT(allows(rule, "Ann@EXAMPLE.com"));
        for (const char* address : {"ann@evil.example", "ann@sub.example.com", "ann@notexample.com",
                                    "ann@example.com.evil", "example.com@evil.example"}) {
            CPPUNIT_ASSERT_MESSAGE(address, !allows(rule, address));
        }
    }

    void aStarIsEachBelow() {
        const SignUpRule rule{{"*.example.com"}, {}};
        CPPUNIT_ASSERT(allows(rule, "ann@sub.example.com"));
        CPPUNIT_ASSERT(allows(rule, "ann@a.b.example.com"));
        CPPUNIT_ASSERT(!allows(rule, "ann@example.com"));
        CPPUNIT_ASSERT(!allows(rule, "ann@notexample.com"));
    }

    void addressesAreNamedBesides() {
        const SignUpRule rule{{"example.com"}, {"guest@elsewhere.example"}};
        CPPUNIT_ASSERT(allows(rule, "guest@elsewhere.example"));
        CPPUNIT_ASSERT(!allows(rule, "other@elsewhere.example"));
        CPPUNIT_ASSERT(!allows({{}, {"guest@elsewhere.example"}}, "ann@example.com"));
    }

    void numbersAreNamedThemselves() {
        CPPUNIT_ASSERT(!allows({{"example.com"}, {}}, "+4930123456"));
        CPPUNIT_ASSERT(allows({{"example.com"}, {"+4930123456"}}, "+49 30 123456"));
    }

    void nobodyWhereItIsClosed() {
        CPPUNIT_ASSERT(!allows({{}, {}, true}, "ann@example.com"));
        CPPUNIT_ASSERT(!allows({{"example.com"}, {"ann@example.com"}, true}, "ann@example.com"));
    }

    void aQuotedLocalPartDeceivesNobody() {
        CPPUNIT_ASSERT(!allows({{"example.com"}, {}}, "\"x@example.com\"@evil.example"));
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SignUpRuleTest);

}  // namespace sign_up_rule_test
}  // namespace otpgate::domain
