// Registrations and assertions as bytes: what W3C publishes is taken, and nothing that differs from it.
#include "otpgate/crypto/webauthn.h"

#include "crypto/cbor.h"
#include "otpgate/base/encoding.h"
#include "otpgate/crypto/hash.h"
#include "otpgate/domain/assurance.h"
#include "otpgate/domain/passkey_rules.h"
#include "unit/webauthn_vectors.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <set>
#include <sys/resource.h>

namespace otpgate {
namespace webauthn_test {

using crypto::readAttestation;
using crypto::verifyAssertion;
using test::kWebauthnVectors;
using test::WebauthnVector;

constexpr std::string_view kRpId = "example.org";
// A key of 3,482 bits, and curves that libfido2 1.12 does not know.
const std::set<std::string> kUnsupported{"packed-es512", "packed-rs256", "packed-ed448"};

std::string bytes(const char* hex) {
    return parseHex(hex).value();
}

struct Answer {
    explicit Answer(const WebauthnVector& vector)
        : data(bytes(vector.authenticatorData)),
          client(bytes(vector.clientDataJson)),
          signature(bytes(vector.signature)) {}
    std::string data;
    std::string client;
    std::string signature;
};

class WebauthnTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(WebauthnTest);
    CPPUNIT_TEST(verifiesTwelveOfTheVectorsAndNamesTheOthers);
    CPPUNIT_TEST(readsWhatTheFlagsSay);
    CPPUNIT_TEST(acceptsNoneOfAHundredThousandMutatedInputs);
    CPPUNIT_TEST(readsNoAttestationWithSomethingBehindIt);
    CPPUNIT_TEST(makesNoRoomForWhatIsOnlyAnnounced);
    CPPUNIT_TEST(knowsWholeItemsOfCbor);
    CPPUNIT_TEST(takesNoFlagsThatContradictEachOther);
    CPPUNIT_TEST(knowsTheRpIdOfASite);
    CPPUNIT_TEST(claimsDomainsAboveTheHostAlone);
    CPPUNIT_TEST(writesOriginsAsBrowsersDo);
    CPPUNIT_TEST(takesClientDataAsTheyWereAskedFor);
    CPPUNIT_TEST(wantsCountersToGoOn);
    CPPUNIT_TEST(kratos4285CodesAreNeverLessThanOne);
    CPPUNIT_TEST(kratos4317TwoCodesAreOneFactor);
    CPPUNIT_TEST(aPasskeyThatVerifiedItsUserIsTwoFactors);
    CPPUNIT_TEST_SUITE_END();

    void verifiesTwelveOfTheVectorsAndNamesTheOthers() {
        int verified = 0;
        for (const WebauthnVector& vector : kWebauthnVectors) {
            const Answer answer(vector);
            const auto passkey = readAttestation(bytes(vector.attestationObject), kRpId);
            CPPUNIT_ASSERT_EQUAL_MESSAGE(vector.name, kUnsupported.contains(vector.name), !passkey.has_value());
            if (!passkey) continue;
            CPPUNIT_ASSERT_MESSAGE(vector.name,
                                   verifyAssertion(passkey->key, kRpId, answer.data, answer.client, answer.signature));
            CPPUNIT_ASSERT(!verifyAssertion(passkey->key, "example.com", answer.data, answer.client, answer.signature));
            CPPUNIT_ASSERT(!readAttestation(bytes(vector.attestationObject), "example.com"));
            ++verified;
        }
        CPPUNIT_ASSERT_EQUAL(12, verified);
    }

    // 64 million elements, none of which is there: half a GiB for who believes it.
    void makesNoRoomForWhatIsOnlyAnnounced() {
        const auto kibibytes = [] {
            rusage usage{};
            getrusage(RUSAGE_SELF, &usage);
            return usage.ru_maxrss;
        };
        const std::string announced = bytes("9a04000000");
        const std::string data =
            crypto::sha256(kRpId) + bytes("4100000000") + std::string(16, 'm') + bytes("000163") + announced;
        const std::string object = bytes("a1686175746844617461") + bytes("58") + static_cast<char>(data.size()) + data;
        const auto before = kibibytes();
        for (const std::string& text : {announced, bytes("a163666d74") + announced, object}) {
            CPPUNIT_ASSERT(!readAttestation(text, kRpId));
        }
        CPPUNIT_ASSERT_LESS(64L * 1024, kibibytes() - before);
    }

    void knowsWholeItemsOfCbor() {
        for (const char* hex :
             {"00", "1818", "1901f4", "1a000f4240", "1b000000e8d4a51000", "20", "4101", "6161", "8101", "820102",
              "a10102", "a0", "80", "c100", "f5", "f97e00", "8181818181818181818181818181818101"}) {
            CPPUNIT_ASSERT_MESSAGE(hex, crypto::isOneCborItem(bytes(hex)));
        }
        for (const char* hex : {"",
                                "18",
                                "1901",
                                "1c",
                                "1f",
                                "ff",
                                "4201",
                                "61",
                                "81",
                                "8201",
                                "a101",
                                "a1",
                                "c1",
                                "0000",
                                "5f4100ff",
                                "9f00ff",
                                "9affffffff",
                                "9bffffffffffffffff",
                                "bb8000000000000000",
                                "bbffffffffffffffff",
                                "818181818181818181818181818181818101"}) {
            CPPUNIT_ASSERT_MESSAGE(hex, !crypto::isOneCborItem(bytes(hex)));
        }
    }

    // none.ES256: registered with UP, BE and BS; signed in with UP, BE and BS.
    void readsWhatTheFlagsSay() {
        const auto passkey = readAttestation(bytes(kWebauthnVectors[0].attestationObject), kRpId).value();
        CPPUNIT_ASSERT(passkey.facts.backupEligible && passkey.facts.backedUp && !passkey.facts.userVerified);
        CPPUNIT_ASSERT_EQUAL(std::string{"8446ccb9ab1db374750b2367ff6f3a1f"}, toHex(passkey.aaguid));
        CPPUNIT_ASSERT_EQUAL(std::string{"f91f391db4c9b2fde0ea70189cba3fb63f579ba6122b33ad94ff3ec330084be4"},
                             toHex(passkey.credentialId));
        CPPUNIT_ASSERT_EQUAL(std::size_t{64}, passkey.key.bytes.size());
    }

    // Bits, bytes, cuts and tails, in each part of what is signed and in the signature.
    void acceptsNoneOfAHundredThousandMutatedInputs() {
        std::uint32_t state = 15;  // the same each time
        const auto chance = [&state] { return (state = state * 1664'525U + 1'013'904'223U) >> 8; };
        int tried = 0;
        for (const WebauthnVector& vector : kWebauthnVectors) {
            const Answer good(vector);
            const auto passkey = readAttestation(bytes(vector.attestationObject), kRpId);
            if (!passkey) continue;
            for (int i = 0; i < 100'000 / 12 + 1; ++i) {
                Answer bad = good;
                std::string& part = i % 3 == 0 ? bad.data : i % 3 == 1 ? bad.client : bad.signature;
                const std::size_t place = chance() % part.size();
                switch (chance() % 4) {
                case 0: part[place] = static_cast<char>(part[place] ^ (1 << chance() % 8)); break;
                case 1: part[place] = static_cast<char>(part[place] + 1 + chance() % 255); break;
                case 2: part.resize(place); break;
                default: part.insert(place, 1, static_cast<char>(chance())); break;
                }
                ++tried;
                if (part == (i % 3 == 0 ? good.data : i % 3 == 1 ? good.client : good.signature)) continue;
                CPPUNIT_ASSERT_MESSAGE(toHex(bad.data) + " " + toHex(bad.client) + " " + toHex(bad.signature),
                                       !verifyAssertion(passkey->key, kRpId, bad.data, bad.client, bad.signature));
            }
        }
        CPPUNIT_ASSERT(tried >= 100'000);
    }

    void readsNoAttestationWithSomethingBehindIt() {
        const std::string object = bytes(kWebauthnVectors[0].attestationObject);
        CPPUNIT_ASSERT(!readAttestation(object + '\0', kRpId));
        for (std::size_t size = 0; size < object.size(); ++size)
            CPPUNIT_ASSERT(!readAttestation(object.substr(0, size), kRpId));
        CPPUNIT_ASSERT(
            !readAttestation(std::string(100'000, '\x81'), kRpId));  // a hundred thousand lists in each other
    }

    void takesNoFlagsThatContradictEachOther() {
        std::string object = bytes(kWebauthnVectors[0].attestationObject);
        const std::size_t flags = object.find("authData") + 8 + 2 + 32;
        CPPUNIT_ASSERT_EQUAL(0x59, int{static_cast<unsigned char>(object[flags])});
        // Not there; backed up and may not be; extensions; without a credential.
        for (const int wrong : {0x58, 0x51, 0xd9, 0x19}) {
            object[flags] = static_cast<char>(wrong);
            CPPUNIT_ASSERT(!readAttestation(object, kRpId));
        }
    }

    void knowsTheRpIdOfASite() {
        CPPUNIT_ASSERT(domain::rpIdOf("https://Login.Example.org/login") == "login.example.org");
        CPPUNIT_ASSERT(domain::rpIdOf("http://localhost:8080") == "localhost");
        for (const char* none : {"http://login.example.org", "https://192.0.2.7", "https://[2001:db8::1]", "https://"})
            CPPUNIT_ASSERT_MESSAGE(none, !domain::rpIdOf(none));
    }

    void claimsDomainsAboveTheHostAlone() {
        CPPUNIT_ASSERT(domain::mayClaim("https://login.example.org", "login.example.org"));
        CPPUNIT_ASSERT(domain::mayClaim("https://login.example.org", "example.org"));
        for (const char* other : {"org", "ogin.example.org", "example.com", "a.login.example.org", ""})
            CPPUNIT_ASSERT_MESSAGE(other, !domain::mayClaim("https://login.example.org", other));
    }

    void writesOriginsAsBrowsersDo() {
        CPPUNIT_ASSERT_EQUAL(std::string{"https://login.example.org"},
                             domain::originOf("https://Login.example.org:443/login"));
        CPPUNIT_ASSERT_EQUAL(std::string{"http://localhost:8080"}, domain::originOf("http://localhost:8080"));
    }

    void takesClientDataAsTheyWereAskedFor() {
        const domain::ClientData good{"", "webauthn.get", "", "https://example.org", false};
        const auto isTaken = [](const domain::ClientData& data) {
            return domain::isAsAsked(data, domain::Ceremony::SignIn, "https://example.org");
        };
        CPPUNIT_ASSERT(isTaken(good));
        CPPUNIT_ASSERT(!domain::isAsAsked(good, domain::Ceremony::Registration, "https://example.org"));
        auto other = good;
        other.origin = "https://example.org.evil.example";
        CPPUNIT_ASSERT(!isTaken(other));
        other = good;
        other.isCrossOrigin = true;
        CPPUNIT_ASSERT(!isTaken(other));
    }

    void wantsCountersToGoOn() {
        CPPUNIT_ASSERT(domain::countsOn(0, 0) && domain::countsOn(0, 1) && domain::countsOn(7, 8));
        CPPUNIT_ASSERT(!domain::countsOn(7, 7) && !domain::countsOn(7, 6) && !domain::countsOn(7, 0));
    }

    void kratos4285CodesAreNeverLessThanOne() {
        for (const char* methods : {"otp", "sms", "pwd otp", "otp otp", ""})
            CPPUNIT_ASSERT(domain::assuranceOf(methods) == domain::AssuranceLevel::One);
    }

    void kratos4317TwoCodesAreOneFactor() {
        CPPUNIT_ASSERT(domain::assuranceOf("otp otp") == domain::AssuranceLevel::One);
        CPPUNIT_ASSERT(domain::assuranceOf("otp sms mfa") == domain::AssuranceLevel::One);
    }

    void aPasskeyThatVerifiedItsUserIsTwoFactors() {
        crypto::AuthenticatorFacts facts;
        CPPUNIT_ASSERT(domain::assuranceOf(domain::methodsOf(facts)) == domain::AssuranceLevel::One);
        facts.userVerified = true;
        CPPUNIT_ASSERT_EQUAL(std::string{"hwk user mfa"}, domain::methodsOf(facts));
        CPPUNIT_ASSERT(domain::assuranceOf(domain::methodsOf(facts)) == domain::AssuranceLevel::Two);
        facts.backupEligible = true;
        CPPUNIT_ASSERT_EQUAL(std::string{"swk user mfa"}, domain::methodsOf(facts));
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(WebauthnTest);

}  // namespace webauthn_test
}  // namespace otpgate
