#include "otpgate/base/uuid.h"

#include "support_cpp/fake_random.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <stdexcept>

namespace otpgate {
namespace uuid_test {

using std::chrono::milliseconds;

// The moment of the example in RFC 9562, appendix A.6.
constexpr Timestamp kMoment{milliseconds{0x017F22E279B0}};

class AllOnes final : public Random {
public:
    void fill(std::span<std::uint8_t> bytes) override {
        for (std::uint8_t& byte : bytes) byte = 0xff;
    }
};

class UuidTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(UuidTest);
    CPPUNIT_TEST(beginsWithTheMillisecondsAndMarksVersionAndVariant);
    CPPUNIT_TEST(fillsTheOther74BitsAtRandom);
    CPPUNIT_TEST(makesAnotherIdEachTime);
    CPPUNIT_TEST(sortsByTime);
    CPPUNIT_TEST(boundsEveryIdOfAMoment);
    CPPUNIT_TEST(readsWhatItWrites);
    CPPUNIT_TEST(readsUpperCase);
    CPPUNIT_TEST(refusesEverythingThatIsNotTheRfcForm);
    CPPUNIT_TEST(isSixteenBytesInTheDatabase);
    CPPUNIT_TEST(startsAsNil);
    CPPUNIT_TEST_SUITE_END();

    void beginsWithTheMillisecondsAndMarksVersionAndVariant() {
        CPPUNIT_ASSERT_EQUAL(std::string("017f22e2-79b0-7000-8000-000000000000"), Uuid::lowestV7(kMoment).toString());
    }

    void fillsTheOther74BitsAtRandom() {
        AllOnes random;
        CPPUNIT_ASSERT_EQUAL(std::string("017f22e2-79b0-7fff-bfff-ffffffffffff"),
                             Uuid::makeV7(kMoment, random).toString());
    }

    void makesAnotherIdEachTime() {
        test::FakeRandom random;
        const Uuid first = Uuid::makeV7(kMoment, random);
        CPPUNIT_ASSERT(first != Uuid::makeV7(kMoment, random));
    }

    void sortsByTime() {
        AllOnes random;
        CPPUNIT_ASSERT(Uuid::makeV7(kMoment, random) < Uuid::lowestV7(kMoment + milliseconds{1}));
        CPPUNIT_ASSERT(Uuid::lowestV7(kMoment).bytes() < Uuid::lowestV7(kMoment + milliseconds{256}).bytes());
    }

    void boundsEveryIdOfAMoment() {
        test::FakeRandom random;
        CPPUNIT_ASSERT(Uuid::lowestV7(kMoment) <= Uuid::makeV7(kMoment, random));
    }

    void readsWhatItWrites() {
        test::FakeRandom random;
        const Uuid id = Uuid::makeV7(kMoment, random);
        CPPUNIT_ASSERT(Uuid::parse(id.toString()) == id);
    }

    void readsUpperCase() {
        const auto id = Uuid::parse("017F22E2-79B0-7CC3-98C4-DC0C0C07398F");
        CPPUNIT_ASSERT(id);
        CPPUNIT_ASSERT_EQUAL(std::string("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"), id->toString());
    }

    void refusesEverythingThatIsNotTheRfcForm() {
        for (const char* text : {"", "017f22e279b07cc398c4dc0c0c07398f", "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
                                 "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0", "{017f22e2-79b0-7cc3-98c4-dc0c0c07398}",
                                 "017f22e2-79b0-7cc3-98c4-dc0c0c07398g", "017f22e27-9b0-7cc3-98c4-dc0c0c07398f",
                                 "017f22e2-79b0-7cc3-98c4_dc0c0c07398f", "017f22e2-79b0-7cc3-98c4-dc0c0c07398 "}) {
            CPPUNIT_ASSERT_MESSAGE(text, !Uuid::parse(text));
        }
    }

    void isSixteenBytesInTheDatabase() {
        const Uuid id = Uuid::lowestV7(kMoment);
        CPPUNIT_ASSERT_EQUAL(std::size_t{16}, id.bytes().size());
        CPPUNIT_ASSERT(Uuid::fromBytes(id.bytes()) == id);
        CPPUNIT_ASSERT_THROW(Uuid::fromBytes("fifteen bytes.."), std::invalid_argument);
        CPPUNIT_ASSERT_THROW(Uuid::fromBytes("seventeen bytes.."), std::invalid_argument);
    }

    void startsAsNil() { CPPUNIT_ASSERT_EQUAL(std::string("00000000-0000-0000-0000-000000000000"), Uuid().toString()); }
};

CPPUNIT_TEST_SUITE_REGISTRATION(UuidTest);

}  // namespace uuid_test
}  // namespace otpgate
