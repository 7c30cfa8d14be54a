// Which row of the audit trail tells of one more change.
#include "otpgate/domain/audit_rules.h"

#include "support_cpp/counting_random.h"
#include "support_cpp/fake_clock.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <vector>

namespace otpgate::domain {
namespace audit_rules_test {

class AuditRulesTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(AuditRulesTest);
    CPPUNIT_TEST(tellsTheFirstChangeOfEachClientByItself);
    CPPUNIT_TEST(addsToTheRowOfTheSameClient);
    CPPUNIT_TEST(addsToTheNewestWhereThereAreMany);
    CPPUNIT_TEST_SUITE_END();

    ToldChange told(const std::string& address) { return {Uuid::makeV7(test::FakeClock{}.now(), random_), address}; }

    void tellsTheFirstChangeOfEachClientByItself() {
        CPPUNIT_ASSERT(!rowToAddTo({}, "192.0.2.1"));
        CPPUNIT_ASSERT(!rowToAddTo(std::vector{told("192.0.2.2"), told("192.0.2.3")}, "192.0.2.1"));
    }

    void addsToTheRowOfTheSameClient() {
        const std::vector rows{told("192.0.2.2"), told("192.0.2.1"), told("192.0.2.1")};
        CPPUNIT_ASSERT(rowToAddTo(rows, "192.0.2.1") == rows[1].id);
    }

    // An address costs nothing where there are 2^64 of them.
    void addsToTheNewestWhereThereAreMany() {
        std::vector<ToldChange> rows;
        for (std::size_t i = 0; i < kMostToldApart; ++i) {
            CPPUNIT_ASSERT(!rowToAddTo(rows, "2001:db8::1"));
            rows.insert(rows.begin(), told("2001:db8::2:" + std::to_string(i)));
        }
        CPPUNIT_ASSERT(rowToAddTo(rows, "2001:db8::1") == rows.front().id);
    }

    test::CountingRandom random_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(AuditRulesTest);

}  // namespace audit_rules_test
}  // namespace otpgate::domain
