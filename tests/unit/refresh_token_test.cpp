#include "domain/refresh_token.h"

#include "otpgate/base/encoding.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <limits>

namespace otpgate::domain {
namespace refresh_token_test {

using namespace std::string_literals;

const std::string kLineA = "otpgate1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
const std::string kLineB = "otpgate1:ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";

class RefreshTokenTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(RefreshTokenTest);
    CPPUNIT_TEST(neverChangesAToken);
    CPPUNIT_TEST(readsWhatItWrites);
    CPPUNIT_TEST(refusesEveryForgery);
    CPPUNIT_TEST(refusesWhatIsNoToken);
    CPPUNIT_TEST(refusesATokenWithoutItsMac);
    CPPUNIT_TEST(takesTheTokensOfEveryKeyOfTheRing);
    CPPUNIT_TEST(signsWithTheFirstKey);
    CPPUNIT_TEST(refusesTheTokensOfOtherKeys);
    CPPUNIT_TEST_SUITE_END();

    static crypto::KeyRing ring(const std::string& lines) { return crypto::KeyRing::parse(lines, "master.key"); }
    std::string text(std::int64_t counter) const { return RefreshToken{id_, counter}.toText(ringA_); }

    // Computed by another program. Another text would end every session at the next release.
    void neverChangesAToken() {
        CPPUNIT_ASSERT_EQUAL("AX8i4nmwfMOYxNwMDAc5jwAAAAAAAAAHJ5CD5vkQVanWQReYlmzsxg9X9cFALcimDKiYlBWwq8Q"s, text(7));
    }

    void readsWhatItWrites() {
        using Limits = std::numeric_limits<std::int64_t>;
        for (const std::int64_t counter : {std::int64_t{0}, std::int64_t{1}, std::int64_t{255}, std::int64_t{256},
                                           std::int64_t{1} << 40, Limits::max(), std::int64_t{-1}, Limits::min()}) {
            const auto token = RefreshToken::parse(text(counter), ringA_);
            CPPUNIT_ASSERT(token);
            CPPUNIT_ASSERT(token->sessionId == id_);
            CPPUNIT_ASSERT_EQUAL(counter, token->counter);
        }
    }

    void refusesEveryForgery() {
        const std::string good = parseBase64Url(text(7)).value();
        for (std::size_t i = 0; i < good.size(); ++i) {
            for (const int bit : {1, 16, 128}) {
                std::string forged = good;
                forged[i] = static_cast<char>(forged[i] ^ bit);
                CPPUNIT_ASSERT(!RefreshToken::parse(toBase64Url(forged), ringA_));
            }
        }
    }

    void refusesWhatIsNoToken() {
        const std::string good = text(7);
        for (const std::string& bad : {""s, "x"s, good.substr(1), good.substr(0, good.size() - 1), good + "A",
                                       good + "=", " " + good, good + "\n", good + good, std::string(good.size(), 'A'),
                                       std::string(100'000, 'A'), "\xff\xfe"s + good, "\0"s + good}) {
            CPPUNIT_ASSERT(!RefreshToken::parse(bad, ringA_));
        }
    }

    void refusesATokenWithoutItsMac() {
        const std::string bytes = parseBase64Url(text(7)).value();
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            CPPUNIT_ASSERT(!RefreshToken::parse(toBase64Url(bytes.substr(0, size)), ringA_));
        }
    }

    void takesTheTokensOfEveryKeyOfTheRing() {
        const auto token = RefreshToken::parse(text(7), ring(kLineB + kLineA));
        CPPUNIT_ASSERT(token);
        CPPUNIT_ASSERT_EQUAL(std::int64_t{7}, token->counter);
    }

    void signsWithTheFirstKey() {
        const RefreshToken token{id_, 7};
        CPPUNIT_ASSERT_EQUAL(token.toText(ring(kLineB)), token.toText(ring(kLineB + kLineA)));
        CPPUNIT_ASSERT(token.toText(ring(kLineB)) != text(7));
    }

    void refusesTheTokensOfOtherKeys() { CPPUNIT_ASSERT(!RefreshToken::parse(text(7), ring(kLineB))); }

    const crypto::KeyRing ringA_ = ring(kLineA);
    const Uuid id_ = Uuid::parse("017f22e2-79b0-7cc3-98c4-dc0c0c07398f").value();
};

CPPUNIT_TEST_SUITE_REGISTRATION(RefreshTokenTest);

}  // namespace refresh_token_test
}  // namespace otpgate::domain
