#include "otpgate/crypto/hash.h"

#include "otpgate/base/encoding.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <atomic>
#include <thread>
#include <vector>

namespace otpgate::crypto {
namespace hash_test {

using namespace std::string_literals;

std::string bytes(std::string_view hex) {
    return parseHex(hex).value();
}

class HashTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(HashTest);
    CPPUNIT_TEST(hashesTheExamplesOfFips180);
    CPPUNIT_TEST(authenticatesTheExamplesOfRfc4231);
    CPPUNIT_TEST(takesAnEmptyKeyAsAKeyOfItsOwn);
    CPPUNIT_TEST(keepsNothingFromCallToCall);
    CPPUNIT_TEST(derivesTheKeyOfRfc5869WithoutSalt);
    CPPUNIT_TEST(derivesAnotherKeyForAnotherUse);
    CPPUNIT_TEST(worksInManyThreads);
    CPPUNIT_TEST(comparesWholeTexts);
    CPPUNIT_TEST_SUITE_END();

    void hashesTheExamplesOfFips180() {
        CPPUNIT_ASSERT_EQUAL("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"s, toHex(sha256("")));
        CPPUNIT_ASSERT_EQUAL("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"s, toHex(sha256({})));
        CPPUNIT_ASSERT_EQUAL("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"s, toHex(sha256("abc")));
        CPPUNIT_ASSERT_EQUAL("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"s,
                             toHex(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")));
    }

    void authenticatesTheExamplesOfRfc4231() {
        CPPUNIT_ASSERT_EQUAL("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"s,
                             toHex(hmacSha256(std::string(20, '\x0b'), "Hi There")));
        CPPUNIT_ASSERT_EQUAL("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"s,
                             toHex(hmacSha256("Jefe", "what do ya want for nothing?")));
        CPPUNIT_ASSERT_EQUAL("773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"s,
                             toHex(hmacSha256(std::string(20, '\xaa'), std::string(50, '\xdd'))));
        CPPUNIT_ASSERT_EQUAL(
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"s,
            toHex(hmacSha256(bytes("0102030405060708090a0b0c0d0e0f10111213141516171819"), std::string(50, '\xcd'))));
        CPPUNIT_ASSERT_EQUAL(
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"s,
            toHex(hmacSha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")));
    }

    void takesAnEmptyKeyAsAKeyOfItsOwn() {
        hmacSha256("another key", "x");
        CPPUNIT_ASSERT_EQUAL("b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"s,
                             toHex(hmacSha256({}, {})));
        CPPUNIT_ASSERT_EQUAL("b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"s,
                             toHex(hmacSha256("", "")));
    }

    void keepsNothingFromCallToCall() {
        const std::string first = hmacSha256("key", "data");
        hmacSha256("a much longer key, and other data", std::string(1000, 'x'));
        CPPUNIT_ASSERT(hmacSha256("key", "data") == first);
    }

    void derivesTheKeyOfRfc5869WithoutSalt() {
        // Appendix A.3, of which 32 bytes are taken.
        CPPUNIT_ASSERT_EQUAL("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"s,
                             toHex(hkdfSha256(std::string(22, '\x0b'), "")));
        // The info of appendix A.1 instead; by `openssl kdf`.
        CPPUNIT_ASSERT_EQUAL("abbafb13f5c1bc489d4203135817956dd521b39e3bd61d1cc85cef884d1f8e2e"s,
                             toHex(hkdfSha256(std::string(22, '\x0b'), bytes("f0f1f2f3f4f5f6f7f8f9"))));
    }

    void derivesAnotherKeyForAnotherUse() {
        CPPUNIT_ASSERT(hkdfSha256("secret", "one") != hkdfSha256("secret", "two"));
        CPPUNIT_ASSERT(hkdfSha256("secret", "one") != hkdfSha256("Secret", "one"));
    }

    void worksInManyThreads() {
        const std::string expected = hmacSha256("key", "data");
        std::atomic<int> wrong = 0;
        {
            std::vector<std::jthread> threads;
            threads.reserve(8);
            for (int t = 0; t < 8; ++t) {
                threads.emplace_back([&, t] {
                    for (int i = 0; i < 500; ++i) {
                        hmacSha256(std::to_string(t), "other");
                        if (hmacSha256("key", "data") != expected) ++wrong;
                    }
                });
            }
        }
        CPPUNIT_ASSERT_EQUAL(0, wrong.load());
    }

    void comparesWholeTexts() {
        CPPUNIT_ASSERT(equalInConstantTime("", {}));
        CPPUNIT_ASSERT(equalInConstantTime("a\0b"s, "a\0b"s));
        CPPUNIT_ASSERT(!equalInConstantTime("a\0b"s, "a\0c"s));
        CPPUNIT_ASSERT(!equalInConstantTime("abc", "abcd"));
        CPPUNIT_ASSERT(!equalInConstantTime("abc", "Abc"));
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(HashTest);

}  // namespace hash_test
}  // namespace otpgate::crypto
