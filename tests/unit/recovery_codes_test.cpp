// What recovery codes look like, and how they are typed.
#include "otpgate/domain/recovery_codes.h"

#include "support_cpp/counting_random.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::domain {
namespace recovery_codes_test {

class RecoveryCodesTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(RecoveryCodesTest);
    CPPUNIT_TEST(readsBackWhatItWrites);
    CPPUNIT_TEST(takesThemAsPeopleTypeThem);
    CPPUNIT_TEST(takesNothingElse);
    CPPUNIT_TEST_SUITE_END();

    void readsBackWhatItWrites() {
        test::CountingRandom random;
        for (unsigned number = 0; number < kRecoveryCodes; ++number) {
            const RecoveryCode code = makeRecoveryCode(number, random);
            CPPUNIT_ASSERT_EQUAL(std::size_t{16}, code.letters.size());
            const auto read = parseRecoveryCode(toText(code));
            CPPUNIT_ASSERT(read && read->number == number && read->letters == code.letters);
        }
    }

    void takesThemAsPeopleTypeThem() {
        CPPUNIT_ASSERT_EQUAL(std::string{"3-K7MQ-2PXW-9ABC-DEFG"}, toText({3, "K7MQ2PXW9ABCDEFG"}));
        for (const char* typed : {"3-K7MQ-2PXW-9ABC-DEFG", " 3 k7mq 2pxw 9abc defg ", "3k7mq2pxw9abcdefg",
                                  "３－Ｋ７ＭＱ－2PXW–9ABC—DEFG"}) {
            const auto code = parseRecoveryCode(typed);
            CPPUNIT_ASSERT_MESSAGE(typed, code && code->number == 3 && code->letters == "K7MQ2PXW9ABCDEFG");
        }
        CPPUNIT_ASSERT_EQUAL(std::string{"0101000000000000"}, parseRecoveryCode("0-OI0l-oooo-0000-0000")->letters);
    }

    void takesNothingElse() {
        for (const char* typed : {"", "3", "K7MQ-2PXW-9ABC-DEFG", "3-K7MQ-2PXW-9ABC-DEF", "3-K7MQ-2PXW-9ABC-DEFGH",
                                  "A-K7MQ-2PXW-9ABC-DEFG", "3-U7MQ-2PXW-9ABC-DEFG", "3-K7M\xff-2PXW-9ABC-DEFG"}) {
            CPPUNIT_ASSERT_MESSAGE(typed, !parseRecoveryCode(typed));
        }
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(RecoveryCodesTest);

}  // namespace recovery_codes_test
}  // namespace otpgate::domain
