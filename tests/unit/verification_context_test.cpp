#include "domain/verification_context.h"

#include "otpgate/base/encoding.h"
#include "support_cpp/counting_random.h"
#include "support_cpp/fake_clock.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::domain {
namespace verification_context_test {

using namespace std::chrono_literals;
using namespace std::string_literals;

const std::string kLineA = "otpgate1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
const std::string kLineB = "otpgate1:ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";

class VerificationContextTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(VerificationContextTest);
    CPPUNIT_TEST(opensWhatItSealed);
    CPPUNIT_TEST(isAnotherTextEachTime);
    CPPUNIT_TEST(tellsNothingOfWhatIsInIt);
    CPPUNIT_TEST(noticesEachChangedCharacter);
    CPPUNIT_TEST(noticesACutOrLongerText);
    CPPUNIT_TEST(opensUnderAFormerKey);
    CPPUNIT_TEST(doesNotOpenWithoutItsKey);
    CPPUNIT_TEST(takesNoOtherSealedText);
    CPPUNIT_TEST(fitsIntoTenKilobytes);
    CPPUNIT_TEST_SUITE_END();

    static crypto::KeyRing ring(const std::string& lines) { return crypto::KeyRing::parse(lines, "master.key"); }
    VerificationContext context(std::string_view to = "ada@example.org",
                                std::string metadata = R"({"cart":"\u00e9"})") {
        const Timestamp now = clock_.now();
        return {.id = Uuid::makeV7(now, random_),
                .ownerId = Uuid::makeV7(now, random_),
                .destination = Destination::parse(to).value(),
                .format = {CodeAlphabet::Letters, 9},
                .purpose = "checkout",
                .metadata = std::move(metadata),
                .codeExpiresAt = now + 300s,
                .expiresAt = now + 900s,
                .maxAttempts = 5,
                .retryCount = 2};
    }
    std::string sealed(const VerificationContext& content) { return sealContext(ring_, content, random_); }

    void opensWhatItSealed() {
        for (const char* to : {"ada@example.org", "+4366012345"}) {
            const auto content = context(to);
            const auto opened = openContext(ring_, sealed(content)).value();
            CPPUNIT_ASSERT(opened.id == content.id && opened.ownerId == content.ownerId);
            CPPUNIT_ASSERT(opened.destination == content.destination);
            CPPUNIT_ASSERT(opened.format.alphabet == CodeAlphabet::Letters && opened.format.length == 9);
            CPPUNIT_ASSERT_EQUAL(content.purpose, opened.purpose);
            CPPUNIT_ASSERT_EQUAL(content.metadata, opened.metadata);
            CPPUNIT_ASSERT(opened.codeExpiresAt == content.codeExpiresAt && opened.expiresAt == content.expiresAt);
            CPPUNIT_ASSERT(opened.maxAttempts == 5 && opened.retryCount == 2);
        }
    }

    void isAnotherTextEachTime() {
        const auto content = context();
        CPPUNIT_ASSERT(sealed(content) != sealed(content));
    }

    void tellsNothingOfWhatIsInIt() {
        const std::string bytes = parseBase64Url(sealed(context())).value();
        for (const char* word : {"ada", "checkout", "cart", "letters"})
            CPPUNIT_ASSERT(bytes.find(word) == std::string::npos);
    }

    void noticesEachChangedCharacter() {
        const std::string text = sealed(context());
        for (std::size_t i = 0; i < text.size(); ++i) {
            std::string changed = text;
            changed[i] = changed[i] == 'A' ? 'B' : 'A';
            CPPUNIT_ASSERT(!openContext(ring_, changed));
        }
    }

    void noticesACutOrLongerText() {
        const std::string text = sealed(context());
        for (std::size_t length = 0; length < text.size(); ++length) {
            CPPUNIT_ASSERT(!openContext(ring_, std::string_view{text}.substr(0, length)));
        }
        for (const std::string& more : {"A"s, "AAAA"s, "="s, " "s, "\0"s})
            CPPUNIT_ASSERT(!openContext(ring_, text + more));
    }

    void opensUnderAFormerKey() {
        const auto content = context();
        const std::string text = sealContext(ring(kLineA), content, random_);
        CPPUNIT_ASSERT(openContext(ring(kLineB + kLineA), text).value().id == content.id);
    }

    void doesNotOpenWithoutItsKey() {
        CPPUNIT_ASSERT(!openContext(ring(kLineB), sealContext(ring(kLineA), context(), random_)));
    }

    void takesNoOtherSealedText() {
        for (const std::string& fields :
             {""s, "\1"s, "\2"s + std::string(200, 'x'), "\1"s + std::string(200, '\xff')}) {
            const std::string ours =
                crypto::seal(ring_, fields, "otpgate verification v1", random_, crypto::KeyUse::VerificationContext);
            CPPUNIT_ASSERT(!openContext(ring_, toBase64Url(ours)));
        }
    }

    void fitsIntoTenKilobytes() {
        const std::string address =
            std::string(64, 'a') + "@" + std::string(60, 'b') + "." + std::string(60, 'c') + ".org";
        auto content = context(address, R"({"k":")" + std::string(5112, 'x') + R"("})");
        content.purpose = std::string(50, 'p');
        CPPUNIT_ASSERT_EQUAL(std::size_t{5120}, content.metadata.size());
        CPPUNIT_ASSERT(sealed(content).size() <= 10 * 1024);
    }

    const crypto::KeyRing ring_ = ring(kLineA);
    test::FakeClock clock_;
    test::CountingRandom random_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(VerificationContextTest);

}  // namespace verification_context_test
}  // namespace otpgate::domain
