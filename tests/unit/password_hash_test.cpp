#include "otpgate/crypto/password_hash.h"

#include "support_cpp/fake_random.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <stdexcept>

namespace otpgate::crypto {
namespace password_hash_test {

using namespace std::string_literals;

constexpr PasswordCost kCheap{64, 1};
const std::string kPassword = "correct horse";
const std::string kUnicode = "зелёная черепаха 🐢";
const std::string kWithNul = "nul\0inside"s;

// Made by argon2-cffi 21.1, salt 0123456789abcdef.
const std::string kOurs =
    "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$rk2Mi3E4dgRMg0fHaYaptWVZRKqs//6b6k3/nntqGJk";
const std::string kOursCheap =
    "$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$MjZP1+1U9JUbDWvDvtLyEsZiNXOKEUxfi6O2oe46uxA";

std::string repeat(std::string_view text, std::size_t times) {
    std::string result;
    for (std::size_t i = 0; i < times; ++i) result += text;
    return result;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    return text.replace(text.find(from), from.size(), to);
}

void assertMatches(const std::string& password, const std::string& stored) {
    CPPUNIT_ASSERT_MESSAGE(stored, verifyPassword(password, stored) == PasswordMatch::Right);
    for (const std::string& other : {password + "x", password.substr(1), "y" + password.substr(1), ""s}) {
        CPPUNIT_ASSERT_MESSAGE(stored, verifyPassword(other, stored) == PasswordMatch::Wrong);
    }
}

void assertUnusable(const std::string& stored) {
    CPPUNIT_ASSERT_MESSAGE(stored, verifyPassword(kPassword, stored) == PasswordMatch::Unusable);
}

class PasswordHashTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(PasswordHashTest);
    CPPUNIT_TEST(writesWhatOthersWrite);
    CPPUNIT_TEST(saltsEachHash);
    CPPUNIT_TEST(readsItsOwnHashes);
    CPPUNIT_TEST(hashesWholePasswords);
    CPPUNIT_TEST(readsDjangosArgon2Hashes);
    CPPUNIT_TEST(readsDjangosPbkdf2Hashes);
    CPPUNIT_TEST(readsDjangosScryptHashes);
    CPPUNIT_TEST(readsDjangosBcryptHashes);
    CPPUNIT_TEST(readsTheHashesOfOtherServices);
    CPPUNIT_TEST(readsFirebasesScryptHashes);
    CPPUNIT_TEST(takesNoPasswordThatShaCryptWouldCut);
    CPPUNIT_TEST(hashesOneTextForEveryKeyboard);
    CPPUNIT_TEST(stillTakesWhatWasHashedAsItWasTyped);
    CPPUNIT_TEST(readsPlainBcryptHashesOfAllThreeNames);
    CPPUNIT_TEST(readsAsMuchOfAPasswordAsBcryptDoes);
    CPPUNIT_TEST(neverTakesAPasswordWithANulForItsBeginning);
    CPPUNIT_TEST(findsUnusableWhatIsNoHash);
    CPPUNIT_TEST(findsDamagedScryptHashesUnusable);
    CPPUNIT_TEST(findsDamagedHashesUnusable);
    CPPUNIT_TEST(refusesToPayForHashesThatCostTooMuch);
    CPPUNIT_TEST(saysWhyAHashIsNotTaken);
    CPPUNIT_TEST(refusesToHashAtACostOutsideOfTheLimits);
    CPPUNIT_TEST(upgradesAllButItsOwnHashesAtTheWantedCost);
    CPPUNIT_TEST(makesAHashThatNothingMatches);
    CPPUNIT_TEST(keepsAndReleasesItsMemory);
    CPPUNIT_TEST_SUITE_END();

    void writesWhatOthersWrite() {
        class AsciiSalt final : public Random {
            void fill(std::span<std::uint8_t> bytes) override {
                const std::string_view salt = "0123456789abcdef";
                std::copy(salt.begin(), salt.end(), bytes.begin());
            }
        } random;
        CPPUNIT_ASSERT_EQUAL(kOurs, hashPassword(kPassword, {}, random));
        CPPUNIT_ASSERT_EQUAL(kOursCheap, hashPassword(kPassword, kCheap, random));
    }

    void saltsEachHash() {
        test::FakeRandom random;
        CPPUNIT_ASSERT(hashPassword(kPassword, kCheap, random) != hashPassword(kPassword, kCheap, random));
    }

    void readsItsOwnHashes() {
        test::FakeRandom random;
        for (const std::string& password :
             {kPassword, kUnicode, kWithNul, repeat("🐢", 128), std::string(10'000, 'x')}) {
            assertMatches(password, hashPassword(password, kCheap, random));
        }
        assertMatches(kPassword, kOurs);
        CPPUNIT_ASSERT(verifyPassword("", hashPassword({}, kCheap, random)) == PasswordMatch::Right);
    }

    void hashesWholePasswords() {
        assertMatches(repeat("🐢", 128),
                      "$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$k9qGwVVS3kjccR95nW0jxgm1XTgDkSCe5QwU5NiAVKo");
    }

    void readsDjangosArgon2Hashes() {
        assertMatches(kPassword,
                      "argon2$argon2id$v=19$m=102400,t=2,p=8$MGdRaVpUZGZRQjNlOTVFRmEzS0VmMA$ej7iUo0FbEoW4X8gNK80AA");
        assertMatches(kUnicode,
                      "argon2$argon2id$v=19$m=512,t=2,p=2$emtjc3lkVHFqYThhRHFabmJ1MnQxTg$/4y3t/2rkQgagP5dPLNgCg");
        assertMatches(kWithNul,
                      "argon2$argon2id$v=19$m=512,t=2,p=2$YkhEb0xVTDNsTGZIbWV2anBQVEhJZw$Wnkv2DW2L/BfLvCKHITkmw");
        assertMatches(kPassword, "argon2$argon2i$v=19$m=512,t=2,p=2$WVdKalpHVm1aMmhw$172jgagw7KL/3BEE3XKYrQ");
        assertMatches(kPassword, "argon2$argon2i$v=16$m=512,t=2,p=2$WVdKalpHVm1aMmhw$kV22+g+OfhZcNiXQX2Mphg");
        assertMatches(kPassword, "argon2$argon2i$m=512,t=2,p=2$WVdKalpHVm1aMmhw$kV22+g+OfhZcNiXQX2Mphg");
    }

    void readsDjangosPbkdf2Hashes() {
        assertMatches(kPassword, "pbkdf2_sha256$260000$0Qk3ZcYb5x2R$cn7NO0x8TPPzKZJVhVQoxZTtJsSX63bKGcPYhPfY8wI=");
        assertMatches(kPassword, "pbkdf2_sha256$1000$0Qk3ZcYb5x2R$BQdbA0yHeBu0WmSivedicE5b/1BHJs6eLENNxe/6VCY=");
        assertMatches(kUnicode, "pbkdf2_sha256$1000$saltforUnicode$hRiiUD5IXGnnHV8H24uMz6P5BF1obPrPKxguRJK2HNs=");
        assertMatches(kWithNul, "pbkdf2_sha256$1000$saltfornul$ouVJ2Vf3RJSjQjV6BNbaZJPcvIbzPLCPZD+AwXRLM7s=");
        assertMatches(kPassword, "pbkdf2_sha1$1000$7vA2bq1LmN0p$T7DXWm7vcMIdVmAXhnVbsqq0vlk=");
        const auto empty = "pbkdf2_sha256$1000$saltforempty$+BmzjpGLSEwGBR2jgNEiaZFWvw7p3whdC72LB1rhzDY="s;
        CPPUNIT_ASSERT(verifyPassword({}, empty) == PasswordMatch::Right);
        CPPUNIT_ASSERT(verifyPassword("x", empty) == PasswordMatch::Wrong);
    }

    // Made by Python's hashlib, which Django calls.
    void readsDjangosScryptHashes() {
        assertMatches(kPassword,
                      "scrypt$16384$seasalt2$8$1$U0MqTO5VM3LOvXkhi9ZNjAuUiQBZLCsADOMYg1QHcUrcxc0MS9gDfSChonFA244Ko/"
                      "3Nw3w2eefFW1ZYo3WwvQ==");
        assertMatches(kUnicode,
                      "scrypt$1024$saltforUnicode$8$5$ebjqld0NV++oGaWUzMl+ugf5f7rnMi4ZNRMBY7xzlk/"
                      "lSylXsxVSH1ombkKhdbxJwsmkBadFy0hjdXmJYomOsQ==");
    }

    // "Müllers Brücke", composed by a PC and decomposed by a Mac.
    const std::string composed_ = "M\u00fcllers Br\u00fccke";
    const std::string decomposed_ = "Mu\u0308llers Bru\u0308cke";

    // By Python's hashlib and by glibc's crypt; passlib's as its documentation has it.
    void readsTheHashesOfOtherServices() {
        for (const auto* stored :
             {// Ory Kratos; the hash of the fourth is longer than its digest (Keycloak's were), of the fifth shorter
              "$pbkdf2-sha1$i=1000,l=20$MDEyMzQ1Njc4OWFiY2RlZg$aUfE2vx5Q7zgbb0jx49AaNpXUQQ",
              "$pbkdf2-sha256$i=1000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$cBg8D2DungRB9k76szThf5ehfyBz991ay6PT8Srwk4M",
              "$pbkdf2-sha512$i=1000,l=64$MDEyMzQ1Njc4OWFiY2RlZg$OM0FAoIqCVK1sWtxDiffVlBejtLa+"
              "ks4TP71JiecwuSZCG8iLbnlIEPOMoVX+i2B2wkSxjQ8CRGR9OkNGuIPMQ",
              "$pbkdf2-sha256$i=1000,l=64$MDEyMzQ1Njc4OWFiY2RlZg$cBg8D2DungRB9k76szThf5ehfyBz991ay6PT8Srwk4NQEC0GVAwWLS"
              "UGWbcye1xU+dO7fZFld1DsscNlAN1uxw",
              "$pbkdf2-sha512$i=1000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$OM0FAoIqCVK1sWtxDiffVlBejtLa+ks4TP71JiecwuQ",
              "$scrypt$ln=1024,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg==$6g3umF+uVrJsObaTZhIbbTlgrvOEFcCItdwSjtPF67M=",
              // passlib, with . for + in base64
              "$pbkdf2-sha256$1000$./..MDEyMzQ1Njc4OWFiYw$FGTSurLPHI/tHFF9GVW3h3cGLTPmhC/aRL3GEXn5wuQ",
              "$pbkdf2$1000$./..MDEyMzQ1Njc4OWFiYw$iN36gu2lhNxsOZg0apo2ONhV7Nc",
              "$scrypt$ln=10,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$6g3umF+uVrJsObaTZhIbbTlgrvOEFcCItdwSjtPF67M",
              // Django with a hasher of the site's own
              "pbkdf2_sha512$1000$salt$OLVIYs9d725fWAOJJefTRceqvLMxlIyJ7RdZ81m79nQ/"
              "WsLEVNuGBnpkP+F7ZcBTNoOkXO3SQAh1KMQGiyEjbw==",
              // Werkzeug
              "pbkdf2:sha256:1000$saltSALT$3ab9fb36a44f1010f26329674e1e785ca5626118394f66c004b3cd58dc2b34ec",
              "scrypt:1024:8:1$saltSALT$"
              "ddde11f081c03bcd088edb2ee90b7c7977feea8ee7bb32ec6b422ffe00276a24f2ec5074f4d46bea"
              "bb715db2822b476af8da15b963eeb44c506e0408f9281c3e",
              // Linux
              "$5$saltSALT$5f2c7Hwu36HGWFAVTeuxG2FYyewZowe1JDj6ibrmS53",
              "$6$saltSALT$Q9AC4N9QuGifi2IaiB8w95XjRPlCjJ0wNpEnhowVu7FdL7YArNigmrPW1/4EqUUYzCdx6qVsYcBQ3e/tyVpUm/",
              "$5$rounds=1000$saltSALT$WViYobpsCB8MJW.ihahQARSW/e1kr6W0xffKs7s0lI7",
              "$6$rounds=1234$0123456789abcdef$yJKAU.GCgxQxo9NIHthYvSOZlwcGg6tBNIwD1wtfwrQJ8ZAMotNBlAVg1rHuHueFD9A/"
              "6OxeAnDolLXIH.xSz1"}) {
            assertMatches(kPassword, stored);
            CPPUNIT_ASSERT(isUsableHash(stored) && needsUpgrade(stored, {}));
        }
        assertMatches("password",
                      "$scrypt$ln=8,r=8,p=1$WKs1xljLudd6z9kbY0wpJQ$yCR4iDZYDKv+iEJj6yHY0lv/epnfB6f/w1EbXrsJOuQ");
    }

    // The vector that Firebase publishes beside its scrypt.
    void readsFirebasesScryptHashes() {
        const std::string stored =
            "$firescrypt$ln=14,r=8,p=1$42xEC+ixf3L2lw==$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+"
            "VHjoZilo78198JAdRuid5lQ==$Bw==$jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDz"
            "ZvpjeJ9WmXA==";
        assertMatches("user1password", stored);
        assertUnusable(replaced(stored, "$Bw==", ""));
        assertUnusable(replaced(stored, "Bw==$jxspr8Ki", "Bw==$"));
    }

    void takesNoPasswordThatShaCryptWouldCut() {
        const auto* const ofCorrect = "$5$rounds=1000$saltSALT$WViYobpsCB8MJW.ihahQARSW/e1kr6W0xffKs7s0lI7";
        CPPUNIT_ASSERT(verifyPassword(kPassword + "\0x"s, ofCorrect) == PasswordMatch::Wrong);
        CPPUNIT_ASSERT(verifyPassword(std::string(100'000, 'x'), ofCorrect) == PasswordMatch::Wrong);
    }

    void hashesOneTextForEveryKeyboard() {
        test::FakeRandom random;
        for (const std::string& chosen : {composed_, decomposed_}) {
            const std::string hash = hashPassword(chosen, kCheap, random);
            CPPUNIT_ASSERT(verifyPassword(composed_, hash) == PasswordMatch::Right);
            CPPUNIT_ASSERT(verifyPassword(decomposed_, hash) == PasswordMatch::Right);
            CPPUNIT_ASSERT(verifyPassword("Mullers Brucke", hash) == PasswordMatch::Wrong);
        }
        const std::string noText = "\xff\xfe password";
        CPPUNIT_ASSERT(verifyPassword(noText, hashPassword(noText, kCheap, random)) == PasswordMatch::Right);
    }

    void stillTakesWhatWasHashedAsItWasTyped() {
        const auto ofDecomposed = "pbkdf2_sha256$1000$salt$UtW7b7Wyo4Q3HiLsNmFmyuOOFfzc5UKStVYXmrDe1Ng="s;
        CPPUNIT_ASSERT(verifyPassword(decomposed_, ofDecomposed) == PasswordMatch::RightAsTyped);
        CPPUNIT_ASSERT(verifyPassword(composed_, ofDecomposed) == PasswordMatch::Wrong);
        const auto ofComposed = "pbkdf2_sha256$1000$salt$kHeyzQeNXG/D6Q8vgQFMoMM/KJHdd7b9RnmlTFdht4o="s;
        CPPUNIT_ASSERT(verifyPassword(decomposed_, ofComposed) == PasswordMatch::Right);
        CPPUNIT_ASSERT(verifyPassword(composed_, ofComposed) == PasswordMatch::Right);
        CPPUNIT_ASSERT(verifyPassword(decomposed_, "!") == PasswordMatch::Unusable);
    }

    void readsDjangosBcryptHashes() {
        assertMatches(kPassword, "bcrypt_sha256$$2b$12$7Z8FNkSbUTzwNNm9QZ8zvO/GGTE3CuANba2y90PtHAryNcOFMM2ai");
        assertMatches(kUnicode, "bcrypt_sha256$$2b$04$JrkYwUN296f41wqlYwlb8.egaVDyVd0av5WixAkalZTbBJNVrsCFO");
        assertMatches(kWithNul, "bcrypt_sha256$$2b$04$JrkYwUN296f41wqlYwlb8.PUMjpQbGpFqW7c1IidppKcEdcPuRfTy");
        assertMatches(kPassword, "bcrypt$$2b$04$iDjfhXS2p4atLlR.SDxU.O/vMbgTLE/RnbCKGqGACwtBzisyRJngG");
        assertMatches(kUnicode, "bcrypt$$2b$04$nafD/uMJ49gi2tOigQYxQOvN5eGrNX4t9F5OUw90.KNxTd6oa.TI6");
    }

    void readsPlainBcryptHashesOfAllThreeNames() {
        const auto hash = "$2b$04$HGPfJspV76.sDZAxpTHuIuuL2j/4omuqoDi0CssDwJK9zBYdoV2Hq"s;
        assertMatches(kPassword, hash);
        assertMatches(kPassword, replaced(hash, "2b", "2y"));
        assertMatches(kPassword, "$2a$04$hn2UeewKdkTLmOkvn72P9eZAeo.2lN1OaHvXjkxGUDznGBCPhdQ72");
        // Bytes over which libcrypt's own $2a$ and everybody else's differ.
        assertMatches("\xff\xa3"s + "34\xff\xff\xff\xa3" + "345",
                      "$2a$04$YFATV0O6oSTWHjWZTkSRB.65e5rxF75kKH46wFcdz0qDF9PuuqIZC");
    }

    void readsAsMuchOfAPasswordAsBcryptDoes() {
        const auto hash = "$2b$04$7DEIwvd2TwH02TJO.kDgiOBxH11i6u9SZLeBKnjdnxGXZFV7k7xtS"s;
        const std::string first72 = repeat("я", 36);
        CPPUNIT_ASSERT(verifyPassword(first72 + "tail that bcrypt never reads", hash) == PasswordMatch::Right);
        CPPUNIT_ASSERT(verifyPassword(first72, hash) == PasswordMatch::Right);
        CPPUNIT_ASSERT(verifyPassword(repeat("я", 35), hash) == PasswordMatch::Wrong);
        // Longer than libcrypt takes.
        const auto turtles = "$2b$04$SSGltwglXzNSklSGgm.7eOW59luSWFXr9Q/A9WkN/4WxDkxzHN/aK"s;
        CPPUNIT_ASSERT(verifyPassword(repeat("🐢", 128), turtles) == PasswordMatch::Right);
        CPPUNIT_ASSERT(verifyPassword(repeat("🐢", 5000), turtles) == PasswordMatch::Right);
    }

    void neverTakesAPasswordWithANulForItsBeginning() {
        const auto hash = "$2b$04$HGPfJspV76.sDZAxpTHuIuuL2j/4omuqoDi0CssDwJK9zBYdoV2Hq"s;
        CPPUNIT_ASSERT(verifyPassword(kPassword + "\0x"s, hash) == PasswordMatch::Wrong);
        CPPUNIT_ASSERT(verifyPassword(kPassword + "\0"s, "bcrypt$" + hash) == PasswordMatch::Wrong);
        CPPUNIT_ASSERT(verifyPassword(kPassword + "\0"s, kOursCheap) == PasswordMatch::Wrong);
    }

    void findsUnusableWhatIsNoHash() {
        for (const auto* stored :
             {"", "!", "!DCxcWPgB6Y4lB9YydBSdsorpDPLDsAzVcO9MLNB0", "correct horse", "$", "$$$", "$argon2", "argon2$",
              "argon2$argon2", "$2b", "$2x$04$HGPfJspV76.sDZAxpTHuIuuL2j/4omuqoDi0CssDwJK9zBYdoV2Hq", "bcrypt$",
              "bcrypt_sha256$", "pbkdf2_sha256$", "pbkdf2_sha1$$$", "md5$abc$900150983cd24fb0d6963f7d28e17f72",
              "$argon2d$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFiY2RlZg$MjZP1+1U9JUbDWvDvtLyEsZiNXOKEUxfi6O2oe46uxA",
              "$6$salt$IxDD3jeSOb5eB1CX5LBsqZFVkJdido3OUILO5Ifz5iwMuTS4XMS130MTSuDDl3aCI6WouIL9AjRbLCelDCy.g"}) {
            assertUnusable(stored);
        }
        assertUnusable(std::string(100'000, '$'));
        assertUnusable("$argon2id$" + std::string(100'000, 'v'));
    }

    void findsDamagedScryptHashesUnusable() {
        const auto hash = "scrypt$1024$salt$8$1$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="s;
        CPPUNIT_ASSERT(isUsableHash(hash));
        for (const auto& [from, to] :
             std::vector<std::pair<std::string, std::string>>{{"1024", "1000"},
                                                              {"1024", "0"},
                                                              {"1024", "1"},
                                                              {"1024", "-1024"},
                                                              {"1024", "1048576"},
                                                              {"1024", "4294967296"},
                                                              {"salt", ""},
                                                              {"$8$", "$0$"},
                                                              {"$8$", "$65$"},
                                                              {"$1$", "$17$"},
                                                              {"$1$", "$"},
                                                              {"AAAAAAAAAAAAAAAAAAAAAAAA", ""}}) {
            assertUnusable(replaced(hash, from, to));
            CPPUNIT_ASSERT(!isUsableHash(replaced(hash, from, to)));
        }
    }

    void findsDamagedHashesUnusable() {
        const auto& pbkdf2 = "pbkdf2_sha256$1000$salt$BQdbA0yHeBu0WmSivedicE5b/1BHJs6eLENNxe/6VCY="s;
        const auto& bcrypt = "$2b$04$HGPfJspV76.sDZAxpTHuIuuL2j/4omuqoDi0CssDwJK9zBYdoV2Hq"s;
        for (std::size_t i = 0; i < kOursCheap.size() - 22; ++i) assertUnusable(kOursCheap.substr(0, i));
        for (std::size_t i = 0; i < pbkdf2.size() - 1; ++i) assertUnusable(pbkdf2.substr(0, i));
        for (std::size_t i = 0; i < bcrypt.size(); ++i) assertUnusable(bcrypt.substr(0, i));
        for (const std::string& stored : {kOursCheap + "$",
                                          kOursCheap + " ",
                                          " " + kOursCheap,
                                          replaced(kOursCheap, "v=19", "v=18"),
                                          replaced(kOursCheap, "m=64", "m=+64"),
                                          replaced(kOursCheap, "m=64", "m=64 "),
                                          replaced(kOursCheap, "m=64", "m="),
                                          replaced(kOursCheap, "m=64,t=1", "t=1,m=64"),
                                          replaced(kOursCheap, "p=1", "p=1,data=x"),
                                          replaced(kOursCheap, "+", "-"),
                                          replaced(kOursCheap, "RlZg", "RlZ"),
                                          replaced(kOursCheap, "RlZg", "RlZh"),
                                          replaced(pbkdf2, "salt", ""),
                                          replaced(pbkdf2, "$1000", "$-1"),
                                          replaced(pbkdf2, "$1000", "$0"),
                                          pbkdf2 + "=",
                                          replaced(pbkdf2, "sha256", "sha1"),
                                          bcrypt + "x",
                                          replaced(bcrypt, "HGP", "HG$"),
                                          replaced(bcrypt, "$04$", "$4$H"),
                                          replaced(bcrypt, "$04$", "$03$")}) {
            assertUnusable(stored);
        }
    }

    void refusesToPayForHashesThatCostTooMuch() {
        for (const auto* cost : {"m=262145,t=1,p=1", "m=64,t=11,p=1", "m=64,t=0,p=1", "m=7,t=1,p=1", "m=64,t=1,p=9",
                                 "m=1024,t=1,p=17", "m=4294967295,t=4294967295,p=1", "m=99999999999,t=1,p=1"}) {
            assertUnusable(replaced(kOursCheap, "m=64,t=1,p=1", cost));
        }
        assertUnusable("pbkdf2_sha256$5000001$salt$BQdbA0yHeBu0WmSivedicE5b/1BHJs6eLENNxe/6VCY=");
        assertUnusable("pbkdf2_sha1$4294967296$7vA2bq1LmN0p$T7DXWm7vcMIdVmAXhnVbsqq0vlk=");
        assertUnusable("$2b$16$HGPfJspV76.sDZAxpTHuIuuL2j/4omuqoDi0CssDwJK9zBYdoV2Hq");
    }

    void saysWhyAHashIsNotTaken() {
        struct Case {
            std::string text;
            HashFault fault;
            std::string_view kind;
        };
        const std::string bytes64 = std::string(86, 'A') + "==";
        const std::vector<Case> cases{
            {kOurs, HashFault::None, ""},
            {replaced(kOurs, "m=19456", "m=999999999999"), HashFault::TooCostly, "argon2"},
            {replaced(kOurs, "t=2", "t=1000000000"), HashFault::TooCostly, "argon2"},
            {"pbkdf2_sha256$1000000000$salt$BQdbA0yHeBu0WmSivedicE5b/1BHJs6eLENNxe/6VCY=", HashFault::TooCostly,
             "pbkdf2_sha256"},
            {"$pbkdf2-sha256$i=1000000000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$cBg8D2DungRB9k76szThf5ehfyBz991ay6PT8Srwk4M",
             HashFault::TooCostly, "pbkdf2"},
            {"$6$rounds=999999999$saltSALT$" + std::string(86, '.'), HashFault::TooCostly, "sha512-crypt"},
            {"$5$rounds=1000001$saltSALT$" + std::string(43, '.'), HashFault::TooCostly, "sha256-crypt"},
            {"$2b$31$HGPfJspV76.sDZAxpTHuIuuL2j/4omuqoDi0CssDwJK9zBYdoV2Hq", HashFault::TooCostly, "bcrypt"},
            {"$scrypt$ln=31,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$" + bytes64, HashFault::TooCostly, "scrypt"},
            {"scrypt$16384$salt$4294967295$4294967295$" + bytes64, HashFault::TooCostly, "scrypt"},
            {"$scrypt$ln=99999999999,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$" + bytes64, HashFault::TooCostly, "scrypt"},
            {"$6$rounds=999$saltSALT$" + std::string(86, '.'), HashFault::Damaged, "sha512-crypt"},
            {"$6$rounds=05000$saltSALT$" + std::string(86, '.'), HashFault::Damaged, "sha512-crypt"},
            {"$6$saltSALTsaltSALTx$" + std::string(86, '.'), HashFault::Damaged, "sha512-crypt"},
            {"$5$saltSALT$" + std::string(86, '.'), HashFault::Damaged, "sha256-crypt"},
            {"$scrypt$ln=1000,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$" + bytes64, HashFault::Damaged, "scrypt"},
            {"$pbkdf2-md5$i=1000,l=16$MDEyMzQ1Njc4OWFiY2RlZg$MDEyMzQ1Njc4OWFiY2RlZg", HashFault::Damaged, "pbkdf2"},
            {"pbkdf2:sha256:1000$salt$zz", HashFault::Damaged, "pbkdf2"},
            {"$2b$04$", HashFault::Damaged, "bcrypt"},
            {"$1$salt$qJH7.N4xYta3aEG/dfqo/0", HashFault::TooWeak, "md5-crypt"},
            {"{SSHA}AAAA", HashFault::TooWeak, "salted sha"},
            {"$P$B12345678", HashFault::TooWeak, "phpass"},
            {std::string(40, 'a'), HashFault::TooWeak, "unsalted_sha1"},
            {"", HashFault::Unknown, ""},
            {"hunter2", HashFault::Unknown, ""},
        };
        for (const Case& each : cases) {
            const HashInspection found = inspectHash(each.text);
            CPPUNIT_ASSERT_MESSAGE(each.text, found.fault == each.fault && found.kind == each.kind);
            CPPUNIT_ASSERT_EQUAL_MESSAGE(each.text, each.fault == HashFault::None, isUsableHash(each.text));
        }
    }

    void refusesToHashAtACostOutsideOfTheLimits() {
        test::FakeRandom random;
        for (const PasswordCost cost :
             {PasswordCost{7, 1}, PasswordCost{262'145, 1}, PasswordCost{64, 0}, PasswordCost{64, 11}}) {
            CPPUNIT_ASSERT_THROW(hashPassword(kPassword, cost, random), std::invalid_argument);
            CPPUNIT_ASSERT_THROW(makeUnmatchableHash(cost, random), std::invalid_argument);
        }
    }

    void upgradesAllButItsOwnHashesAtTheWantedCost() {
        CPPUNIT_ASSERT(!needsUpgrade(kOurs, {}));
        CPPUNIT_ASSERT(!needsUpgrade(kOursCheap, kCheap));
        CPPUNIT_ASSERT(needsUpgrade(kOurs, kCheap));
        CPPUNIT_ASSERT(needsUpgrade(kOursCheap, {}));
        CPPUNIT_ASSERT(needsUpgrade("argon2" + kOurs, {}));
        CPPUNIT_ASSERT(needsUpgrade(replaced(kOurs, "argon2id", "argon2i"), {}));
        CPPUNIT_ASSERT(needsUpgrade(replaced(kOurs, "v=19", "v=16"), {}));
        CPPUNIT_ASSERT(needsUpgrade(replaced(kOurs, "p=1", "p=2"), {}));
        CPPUNIT_ASSERT(
            needsUpgrade("$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$ej7iUo0FbEoW4X8gNK80AA", {}));
        CPPUNIT_ASSERT(needsUpgrade("$2b$12$HGPfJspV76.sDZAxpTHuIuuL2j/4omuqoDi0CssDwJK9zBYdoV2Hq", {}));
        CPPUNIT_ASSERT(needsUpgrade("", {}));
    }

    void makesAHashThatNothingMatches() {
        test::FakeRandom random;
        const std::string hash = makeUnmatchableHash(kCheap, random);
        CPPUNIT_ASSERT(verifyPassword(kPassword, hash) == PasswordMatch::Wrong);
        CPPUNIT_ASSERT(!needsUpgrade(hash, kCheap));
        CPPUNIT_ASSERT(hash != makeUnmatchableHash(kCheap, random));
    }

    void keepsAndReleasesItsMemory() {
        HashMemory memory(64);
        CPPUNIT_ASSERT_EQUAL(std::size_t{0}, memory.heldBytes());
        for (int i = 0; i < 3; ++i) {
            assertMatches(kPassword, kOursCheap);
            CPPUNIT_ASSERT_EQUAL(std::size_t{64} * 1024, memory.heldBytes());
            memory.release();
            CPPUNIT_ASSERT_EQUAL(std::size_t{0}, memory.heldBytes());
        }
        assertMatches(kPassword, kOurs);  // wants more than is kept
        CPPUNIT_ASSERT_EQUAL(std::size_t{0}, memory.heldBytes());
        test::FakeRandom random;
        assertMatches(kPassword, hashPassword(kPassword, {16, 1}, random));
        CPPUNIT_ASSERT_EQUAL(std::size_t{16} * 1024, memory.heldBytes());
        assertMatches(kPassword, kOursCheap);  // grows
        assertMatches(kPassword, hashPassword(kPassword, {16, 1}, random));
        CPPUNIT_ASSERT_EQUAL(std::size_t{64} * 1024, memory.heldBytes());
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(PasswordHashTest);

}  // namespace password_hash_test
}  // namespace otpgate::crypto
