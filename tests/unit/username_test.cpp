// The names by which accounts are told apart.
#include "otpgate/domain/username.h"

#include "otpgate/domain/account_service.h"
#include "otpgate/domain/user_group_store.h"
#include "support_cpp/counting_random.h"
#include "support_cpp/fake_account_store.h"
#include "support_cpp/fake_clock.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::domain {
namespace username_test {

class UsernameTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(UsernameTest);
    CPPUNIT_TEST(takesPlainNames);
    CPPUNIT_TEST(foldsWhatIsTheSameName);
    CPPUNIT_TEST(refusesLookAlikesOfOtherScripts);
    CPPUNIT_TEST(refusesWhatCouldBeAnAddressANumberOrAnId);
    CPPUNIT_TEST(refusesWhatIsNoName);
    CPPUNIT_TEST(knowsTheNamesOfOperators);
    CPPUNIT_TEST(showsTheAddressWhereThereIsNoName);
    CPPUNIT_TEST(letsNoOwnerTakeAnOperatorsName);
    CPPUNIT_TEST(namesGroups);
    CPPUNIT_TEST_SUITE_END();

    static void assertRefused(std::string_view text) {
        CPPUNIT_ASSERT_MESSAGE(std::string{text}, !parseUsername(text));
    }

    void takesPlainNames() {
        for (const std::string name : {"ada", "a1", "1a", "ada.lovelace", "ada-l_2", "0x", "007bond"}) {
            CPPUNIT_ASSERT_MESSAGE(name, parseUsername(name) == name);
        }
        const std::string longest(kMaxUsernameCharacters, 'a');
        CPPUNIT_ASSERT(parseUsername(longest) == longest);
        assertRefused(longest + "a");
    }

    void foldsWhatIsTheSameName() {
        CPPUNIT_ASSERT(parseUsername("ADA") == "ada");
        CPPUNIT_ASSERT(parseUsername("  Ada\u200b\n") == "ada");
        CPPUNIT_ASSERT(parseUsername("\u212aelvin") == "kelvin");  // the sign of its unit is a K in form C
    }

    void refusesLookAlikesOfOtherScripts() {
        assertRefused("\u0430da");            // Cyrillic
        assertRefused("\uff41\uff44\uff41");  // full width
        assertRefused("a\u00addmin");         // soft hyphen
        assertRefused("ad\u200bmin");         // zero width
        assertRefused("\u017fmith");          // long s
        assertRefused("\u0131an");            // without its dot
        assertRefused("\U0001d41ada");        // mathematical
        assertRefused("ad\u00e1");            // with an accent
        assertRefused("ada\u0301");           // and composed
        assertRefused("\u0391da");            // Greek
        assertRefused("\u674e");
    }

    void refusesWhatCouldBeAnAddressANumberOrAnId() {
        assertRefused("ada@example.org");
        assertRefused("+4366012345678");
        assertRefused("4366012345678");
        assertRefused("12");
        assertRefused("1-2_3.4");
        assertRefused("019dd1b0-1111-7222-8333-444455556666");
        assertRefused("019DD1B0-1111-7222-8333-444455556666");
    }

    void refusesWhatIsNoName() {
        for (const char* text : {"", " ", "a", ".ada", "ada.", "-ada", "ada_", "a da", "ada\tb", "a/b", "a,b", "a\"b",
                                 "--", "../etc", "a%00", "\xff\xfe", "a\xc0\xaf"}) {
            assertRefused(text);
        }
        assertRefused(std::string_view{"a\0b", 3});
    }

    void knowsTheNamesOfOperators() {
        for (const char* name : {"admin", "administrator", "root", "postmaster", "abuse", "webmaster", "hostmaster",
                                 "security", "noc", "support", "noreply", "no-reply", "usenet", "www", "ftp"}) {
            CPPUNIT_ASSERT_MESSAGE(name, isReservedUsername(name));
            CPPUNIT_ASSERT_MESSAGE(name, parseUsername(name) == name);
        }
        CPPUNIT_ASSERT(!isReservedUsername("ada") && !isReservedUsername("admin2") && !isReservedUsername(""));
    }

    void showsTheAddressWhereThereIsNoName() {
        User user;
        CPPUNIT_ASSERT_EQUAL(std::string{}, shownUsername(user));
        user.phoneNumber = "+4366012345678";
        CPPUNIT_ASSERT_EQUAL(std::string{"+4366012345678"}, shownUsername(user));
        user.email = "ada@example.org";
        CPPUNIT_ASSERT_EQUAL(std::string{"ada@example.org"}, shownUsername(user));
        user.username = "ada";
        CPPUNIT_ASSERT_EQUAL(std::string{"ada"}, shownUsername(user));
    }

    void letsNoOwnerTakeAnOperatorsName() {
        test::FakeAccountStore store;
        test::FakeClock clock;
        test::CountingRandom random;
        AccountService accounts(store, clock, random);
        store.known = User{};
        store.known->username = "root";
        ProfileFields fields;
        fields.username = "admin";
        const auto refused = accounts.updateProfile({}, fields, NameGiver::Owner, {});
        CPPUNIT_ASSERT(refused.outcome == ProfileUpdate::Outcome::NameTaken);
        CPPUNIT_ASSERT(store.profileChanges.empty());
        accounts.updateProfile({}, fields, NameGiver::Administrator, {});
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, store.profileChanges.size());
        CPPUNIT_ASSERT(store.profileChanges[0].giver == NameGiver::Administrator);
        // Who was given one may say it again.
        fields.username = "root";
        accounts.updateProfile({}, fields, NameGiver::Owner, {});
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, store.profileChanges.size());
    }

    void namesGroups() {
        CPPUNIT_ASSERT(parseGroupName("Editors") == "editors");
        CPPUNIT_ASSERT(parseGroupName("a") == "a" && parseGroupName("1_x-y.z") == "1_x-y.z");
        CPPUNIT_ASSERT(parseGroupName(std::string(64, 'g')) && !parseGroupName(std::string(65, 'g')));
        // It stands in paths, and goes into a header, joined by commas.
        CPPUNIT_ASSERT(!parseGroupName(".") && !parseGroupName("..") && parseGroupName("..."));
        for (const char* text : {"", "a,b", "a b", "a\nb", "a\"", "\u00e4", "a=b", "a;b"}) {
            CPPUNIT_ASSERT_MESSAGE(text, !parseGroupName(text));
        }
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(UsernameTest);

}  // namespace username_test
}  // namespace otpgate::domain
