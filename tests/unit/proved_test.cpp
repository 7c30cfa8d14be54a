// What is told of a user to others than himself.
#include "otpgate/domain/proved.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::domain {
namespace proved_test {

class ProvedTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(ProvedTest);
    CPPUNIT_TEST(tellsProvedAddressesAlone);
    CPPUNIT_TEST(tellsTheUserNameElseAProvedAddress);
    CPPUNIT_TEST_SUITE_END();

    static User user(const std::string& name, bool isEmailVerified, bool isPhoneVerified) {
        User user;
        if (!name.empty()) user.username = name;
        user.email = "ada@example.org";
        user.phoneNumber = "+4366012345678";
        user.emailVerified = isEmailVerified;
        user.phoneVerified = isPhoneVerified;
        return user;
    }

    void tellsProvedAddressesAlone() {
        CPPUNIT_ASSERT(!provedEmail(user("ada", false, true)) && provedPhoneNumber(user("ada", false, true)));
        CPPUNIT_ASSERT(provedEmail(user("ada", true, false)) == "ada@example.org");
        CPPUNIT_ASSERT(!provedPhoneNumber(user("ada", true, false)));
        CPPUNIT_ASSERT(!provedEmail(User{}));
    }

    void tellsTheUserNameElseAProvedAddress() {
        CPPUNIT_ASSERT(tellableName(user("ada", false, false)) == "ada");
        CPPUNIT_ASSERT(tellableName(user("", true, true)) == "ada@example.org");
        CPPUNIT_ASSERT(tellableName(user("", false, true)) == "+4366012345678");
        CPPUNIT_ASSERT(!tellableName(user("", false, false)));
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ProvedTest);

}  // namespace proved_test
}  // namespace otpgate::domain
