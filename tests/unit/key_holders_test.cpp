// Who lacks a key and who uses it, among those who are there.
#include "otpgate/domain/key_holders.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::domain {
namespace key_holders_test {

using namespace std::chrono_literals;
using Hosts = std::vector<std::string>;

class KeyHoldersTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(KeyHoldersTest);
    CPPUNIT_TEST(namesWhoLacksAKey);
    CPPUNIT_TEST(namesWhoUsesAKey);
    CPPUNIT_TEST(passesOverWhoIsGone);
    CPPUNIT_TEST_SUITE_END();

    const Timestamp now_{1000h};
    KeyHolder holder(const std::string& host, Hosts fingerprints, std::chrono::seconds ago = 0s) const {
        return {{}, host, std::move(fingerprints), now_ - ago};
    }
    const std::vector<KeyHolder> holders_{holder("b", {"old"}), holder("a", {"old", "new"}), holder("b", {"old"}),
                                          holder("c", {"new", "old"}), holder("d", {})};

    void namesWhoLacksAKey() {
        CPPUNIT_ASSERT((whoLacks("new", holders_, now_) == Hosts{"b", "d"}));
        CPPUNIT_ASSERT((whoLacks("old", holders_, now_) == Hosts{"d"}));
        CPPUNIT_ASSERT(whoLacks("new", {}, now_).empty());
    }
    void namesWhoUsesAKey() {
        CPPUNIT_ASSERT((whoUses("old", holders_, now_) == Hosts{"a", "b"}));
        CPPUNIT_ASSERT((whoUses("new", holders_, now_) == Hosts{"c"}));
    }
    void passesOverWhoIsGone() {
        const std::vector<KeyHolder> holders{holder("gone", {"old"}, kHolderIsGoneAfter),
                                             holder("here", {"old"}, kHolderIsGoneAfter - 1s)};
        CPPUNIT_ASSERT((whoLacks("new", holders, now_) == Hosts{"here"}));
        CPPUNIT_ASSERT((whoUses("old", holders, now_) == Hosts{"here"}));
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(KeyHoldersTest);

}  // namespace key_holders_test
}  // namespace otpgate::domain
