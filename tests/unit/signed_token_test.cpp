// Tokens of our own beside the refresh token: signed payloads, device tokens, and what a verified code is exchanged
// for.
#include "otpgate/crypto/signed_token.h"

#include "domain/device_token.h"
#include "domain/otp_receipt.h"
#include "otpgate/base/encoding.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <limits>
#include <vector>

namespace otpgate::domain {
namespace signed_token_test {

using namespace std::chrono_literals;
using namespace std::string_literals;
using crypto::KeyUse;

const std::string kLineA = "otpgate1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
const std::string kLineB = "otpgate1:ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
constexpr Purpose kPurposes[] = {Purpose::Login, Purpose::Register, Purpose::Verify, Purpose::Reset};
constexpr KeyUse kUses[] = {KeyUse::OtpCode,     KeyUse::RefreshToken, KeyUse::SealedSecret,
                            KeyUse::AccessToken, KeyUse::DeviceToken,  KeyUse::SessionCookie,
                            KeyUse::CsrfToken,   KeyUse::OtpReceipt,   KeyUse::VerificationContext,
                            KeyUse::SiteCookie,  KeyUse::SiteTicket};

crypto::KeyRing ring(const std::string& lines) {
    return crypto::KeyRing::parse(lines, "master.key");
}

// Every text that differs from the token in one bit, or in its length.
std::vector<std::string> forgeriesOf(const std::string& token) {
    std::vector<std::string> forgeries{"",
                                       "x",
                                       token.substr(1),
                                       token.substr(0, token.size() - 1),
                                       token + "A",
                                       token + "=",
                                       " " + token,
                                       token + "\n",
                                       token + token,
                                       std::string(token.size(), 'A'),
                                       std::string(100'000, 'A'),
                                       "\xff\xfe" + token,
                                       "\0"s + token};
    const std::string good = parseBase64Url(token).value();
    for (std::size_t i = 0; i < good.size(); ++i) {
        for (const int bit : {1, 16, 128}) {
            std::string forged = good;
            forged[i] = static_cast<char>(forged[i] ^ bit);
            forgeries.push_back(toBase64Url(forged));
        }
        forgeries.push_back(toBase64Url(good.substr(0, i)));
    }
    return forgeries;
}

class SignedTokenTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(SignedTokenTest);
    CPPUNIT_TEST(opensWhatItSigned);
    CPPUNIT_TEST(opensNoForgery);
    CPPUNIT_TEST(opensForTheUseItWasSignedFor);
    CPPUNIT_TEST(opensAPayloadOfTheExpectedLengthAlone);
    CPPUNIT_TEST(packsIntegersBothWays);
    CPPUNIT_TEST_SUITE_END();

    void opensWhatItSigned() {
        for (const std::string& payload : {""s, "\0"s, "sixteen bytes id"s, std::string(300, '\xff')}) {
            const std::string token = crypto::signToken(ring_, KeyUse::AccessToken, payload);
            CPPUNIT_ASSERT_EQUAL(payload, crypto::openToken(ring_, KeyUse::AccessToken, token, payload.size()).value());
        }
    }

    void opensNoForgery() {
        const std::string token = crypto::signToken(ring_, KeyUse::AccessToken, "sixteen bytes id");
        for (const std::string& forged : forgeriesOf(token)) {
            CPPUNIT_ASSERT(!crypto::openToken(ring_, KeyUse::AccessToken, forged, 16));
        }
    }

    void opensForTheUseItWasSignedFor() {
        for (const KeyUse signedFor : kUses) {
            const std::string token = crypto::signToken(ring_, signedFor, "sixteen bytes id");
            for (const KeyUse use : kUses) {
                CPPUNIT_ASSERT_EQUAL(use == signedFor, crypto::openToken(ring_, use, token, 16).has_value());
            }
        }
    }

    // Else the last bytes of a payload could pass for the first of another.
    void opensAPayloadOfTheExpectedLengthAlone() {
        const std::string token = crypto::signToken(ring_, KeyUse::AccessToken, "sixteen bytes id");
        for (const std::size_t bytes : {0U, 15U, 17U, 48U, 1000U}) {
            CPPUNIT_ASSERT(!crypto::openToken(ring_, KeyUse::AccessToken, token, bytes));
        }
    }

    void packsIntegersBothWays() {
        using Limits = std::numeric_limits<std::int64_t>;
        for (const std::int64_t value : {std::int64_t{0}, std::int64_t{1}, std::int64_t{255}, std::int64_t{256},
                                         std::int64_t{1} << 40, Limits::max(), std::int64_t{-1}, Limits::min()}) {
            CPPUNIT_ASSERT_EQUAL(std::size_t{8}, crypto::packInteger(value).size());
            CPPUNIT_ASSERT_EQUAL(value, crypto::unpackInteger(crypto::packInteger(value)));
        }
        CPPUNIT_ASSERT_EQUAL("\0\0\0\0\0\0\1\2"s, crypto::packInteger(258));
    }

    const crypto::KeyRing ring_ = ring(kLineA);
};

class DeviceTokenTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(DeviceTokenTest);
    CPPUNIT_TEST(neverChangesAToken);
    CPPUNIT_TEST(readsWhatItWrites);
    CPPUNIT_TEST(readsNoForgery);
    CPPUNIT_TEST(readsTheTokensOfEveryKeyOfTheRing);
    CPPUNIT_TEST(readsNoTokenOfAnotherKey);
    CPPUNIT_TEST(readsNoTokenOfAnotherUse);
    CPPUNIT_TEST_SUITE_END();

    // Computed by another program. Another text would make a stranger of every browser at the next release.
    void neverChangesAToken() {
        CPPUNIT_ASSERT_EQUAL("AX8i4nmwfMOYxNwMDAc5j8lFmh6Xrmv6yetSRUgw37ay7D9jnKIOa_hUHxvMtMDx"s,
                             makeDeviceToken(ring_, device_));
    }

    void readsWhatItWrites() {
        CPPUNIT_ASSERT(parseDeviceToken(ring_, makeDeviceToken(ring_, device_)) == device_);
        CPPUNIT_ASSERT(parseDeviceToken(ring_, makeDeviceToken(ring_, Uuid{})) == Uuid{});
    }

    void readsNoForgery() {
        for (const std::string& forged : forgeriesOf(makeDeviceToken(ring_, device_))) {
            CPPUNIT_ASSERT(!parseDeviceToken(ring_, forged));
        }
    }

    void readsTheTokensOfEveryKeyOfTheRing() {
        const auto both = ring(kLineB + kLineA);
        CPPUNIT_ASSERT(parseDeviceToken(both, makeDeviceToken(ring_, device_)) == device_);
        CPPUNIT_ASSERT_EQUAL(makeDeviceToken(ring(kLineB), device_), makeDeviceToken(both, device_));
    }

    void readsNoTokenOfAnotherKey() {
        CPPUNIT_ASSERT(!parseDeviceToken(ring_, makeDeviceToken(ring(kLineB), device_)));
    }

    void readsNoTokenOfAnotherUse() {
        for (const KeyUse use : kUses) {
            CPPUNIT_ASSERT_EQUAL(use == KeyUse::DeviceToken,
                                 parseDeviceToken(ring_, crypto::signToken(ring_, use, device_.bytes())).has_value());
        }
    }

    const crypto::KeyRing ring_ = ring(kLineA);
    const Uuid device_ = Uuid::parse("017f22e2-79b0-7cc3-98c4-dc0c0c07398f").value();
};

class OtpReceiptTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(OtpReceiptTest);
    CPPUNIT_TEST(namesTheCodeItWasMadeFor);
    CPPUNIT_TEST(isGoodForItsPurposeAlone);
    CPPUNIT_TEST(isGoodForAQuarterOfAnHour);
    CPPUNIT_TEST(readsNoForgery);
    CPPUNIT_TEST(readsTheReceiptsOfEveryKeyOfTheRing);
    CPPUNIT_TEST(readsNoReceiptOfAForeignRing);
    CPPUNIT_TEST(readsNoTokenOfAnotherUse);
    CPPUNIT_TEST_SUITE_END();

    std::string receipt(Purpose purpose = Purpose::Reset) const { return makeOtpReceipt(ring_, otp_, purpose, kNow); }
    std::optional<Uuid> parse(const std::string& token, Purpose purpose = Purpose::Reset) const {
        return parseOtpReceipt(ring_, token, purpose, kNow);
    }

    void namesTheCodeItWasMadeFor() {
        CPPUNIT_ASSERT(parse(receipt()) == otp_);
        CPPUNIT_ASSERT(parseBase64Url(receipt()));
    }

    // Or who may register an address could set the password of its account.
    void isGoodForItsPurposeAlone() {
        for (const Purpose made : kPurposes) {
            for (const Purpose shown : kPurposes) {
                CPPUNIT_ASSERT_EQUAL(made == shown, parse(receipt(made), shown).has_value());
            }
        }
    }

    void isGoodForAQuarterOfAnHour() {
        const std::string token = receipt();
        CPPUNIT_ASSERT(parseOtpReceipt(ring_, token, Purpose::Reset, kNow + 15min - 1us));
        CPPUNIT_ASSERT(!parseOtpReceipt(ring_, token, Purpose::Reset, kNow + 15min));
        CPPUNIT_ASSERT(!parseOtpReceipt(ring_, token, Purpose::Reset, kNow + 24h * 365));
    }

    void readsNoForgery() {
        for (const std::string& forged : forgeriesOf(receipt())) CPPUNIT_ASSERT(!parse(forged));
    }

    void readsTheReceiptsOfEveryKeyOfTheRing() {
        const auto both = ring(kLineB + kLineA);
        CPPUNIT_ASSERT(parseOtpReceipt(both, receipt(), Purpose::Reset, kNow) == otp_);
    }

    void readsNoReceiptOfAForeignRing() {
        CPPUNIT_ASSERT(!parse(makeOtpReceipt(ring(kLineB), otp_, Purpose::Reset, kNow)));
    }

    void readsNoTokenOfAnotherUse() {
        const std::string payload = parseBase64Url(receipt()).value().substr(0, 25);
        for (const KeyUse use : kUses) {
            CPPUNIT_ASSERT_EQUAL(use == KeyUse::OtpReceipt, parse(crypto::signToken(ring_, use, payload)).has_value());
        }
    }

    static constexpr Timestamp kNow{1'795'151'520s};
    const crypto::KeyRing ring_ = ring(kLineA);
    const Uuid otp_ = Uuid::parse("017f22e2-79b0-7cc3-98c4-dc0c0c07398f").value();
};

CPPUNIT_TEST_SUITE_REGISTRATION(SignedTokenTest);
CPPUNIT_TEST_SUITE_REGISTRATION(DeviceTokenTest);
CPPUNIT_TEST_SUITE_REGISTRATION(OtpReceiptTest);

}  // namespace signed_token_test
}  // namespace otpgate::domain
