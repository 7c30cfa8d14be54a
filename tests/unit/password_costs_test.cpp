// What a wrong password costs: the same, whosever hash it is compared with.
#include "otpgate/crypto/password_costs.h"

#include "otpgate/domain/password_costs.h"
#include "support_cpp/fake_account_store.h"
#include "support_cpp/fake_random.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <map>
#include <numeric>

namespace otpgate::crypto {
namespace password_costs_test {

const std::string kPbkdf2 = "pbkdf2_sha256$1000000$salt$ouhwH5QjXU2O1gHvuMrHWhFGwGQ8zEmYRlu7N1suuDo=";
const std::string kBcrypt = "bcrypt_sha256$$2b$12$abcdefghijklmnopqrstuuK9/UbXO5gZ7m9B6ZlWlGm0mJ7Q5a5mS";
const std::set<std::string> kCosts{"pbkdf2_sha256$1000000",
                                   "pbkdf2_sha256$600000",
                                   "bcrypt$12",
                                   "bcrypt$10",
                                   "argon2id$19456,2,1",
                                   "argon2id$102400,2,8",
                                   "all",
                                   "md5$",
                                   "pbkdf2_sha512$210000",
                                   "sha512crypt$656000",
                                   "sha512crypt$5000",
                                   "scrypt$16384,8,1"};

class PasswordCostsTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(PasswordCostsTest);
    CPPUNIT_TEST(namesWhatAHashCosts);
    CPPUNIT_TEST(makesEveryHashCostTheSame);
    CPPUNIT_TEST(makesDecoysThatAreComparedAndMatchNothing);
    CPPUNIT_TEST(looksThroughADatabaseOnce);
    CPPUNIT_TEST_SUITE_END();

    void namesWhatAHashCosts() {
        CPPUNIT_ASSERT(costOf(kPbkdf2) == "pbkdf2_sha256$1000000");
        CPPUNIT_ASSERT(costOf("pbkdf2_sha1$7$a$AAAAAAAAAAAAAAAAAAAAAAAAAAA=") == "pbkdf2_sha1$7");
        CPPUNIT_ASSERT(costOf("$5$saltSALT$5f2c7Hwu36HGWFAVTeuxG2FYyewZowe1JDj6ibrmS53") == "sha256crypt$5000");
        // One cost, however it is written.
        for (const std::string text : {"scrypt$1024$salt$8$1$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
                                       "$scrypt$ln=10,r=8,p=1$AAAA$AAAAAAAAAAAAAAAAAAAAAA",
                                       "$scrypt$ln=1024,r=8,p=1$AAAA$AAAAAAAAAAAAAAAAAAAAAA",
                                       "scrypt:1024:8:1$salt$00000000000000000000000000000000"}) {
            CPPUNIT_ASSERT_MESSAGE(text, costOf(text) == "scrypt$1024,8,1");
        }
        CPPUNIT_ASSERT(costOf(kBcrypt) == "bcrypt$12");
        CPPUNIT_ASSERT(costOf(kBcrypt.substr(14)) == "bcrypt$12");
        test::FakeRandom random;
        const PasswordCost cost{64, 3};
        const std::string own = hashPassword("x", cost, random);
        CPPUNIT_ASSERT(costOf(own) == "argon2id$64,3,1");
        CPPUNIT_ASSERT(costOf("argon2" + own) == costOf(cost));
        for (const char* text : {"", "!", "x", "pbkdf2_sha256$0$a$b", "pbkdf2_sha256$99999999$a$b", "$2b$99$"}) {
            CPPUNIT_ASSERT_MESSAGE(text, !costOf(text));
        }
    }

    // The rounds of each kind, after this one and its decoys.
    static std::map<std::string, unsigned> workOf(const std::optional<std::string>& done) {
        std::vector<std::string> costs;
        if (done) costs.push_back(*done);
        for (const std::string& decoy : decoysAfter(done, kCosts)) costs.push_back(costOf(decoy).value());
        std::map<std::string, unsigned> work;
        for (const std::string& cost : costs) {
            const std::string kind = cost.substr(0, cost.find('$'));
            const std::string amount = cost.substr(kind.size() + 1);
            if (kind == "bcrypt")
                work[kind] += 1U << static_cast<unsigned>(std::stoi(amount));
            else if (kind.starts_with("pbkdf2") || kind.starts_with("sha"))
                work[kind] += static_cast<unsigned>(std::stoi(amount));
            else
                ++work[cost];
        }
        return work;
    }

    void makesEveryHashCostTheSame() {
        const std::map<std::string, unsigned> all = workOf(std::nullopt);
        const std::map<std::string, unsigned> expected{{"pbkdf2_sha256", 1'000'000}, {"bcrypt", 4096},
                                                       {"argon2id$19456,2,1", 1},    {"argon2id$102400,2,8", 1},
                                                       {"pbkdf2_sha512", 210'000},   {"sha512crypt", 656'000},
                                                       {"scrypt$16384,8,1", 1}};
        std::string found;
        for (const auto& [kind, amount] : all) found += kind + " " + std::to_string(amount) + "; ";
        CPPUNIT_ASSERT_MESSAGE(found, all == expected);
        for (const char* cost : {"pbkdf2_sha256$1000000", "pbkdf2_sha256$600000", "bcrypt$12", "bcrypt$10",
                                 "argon2id$19456,2,1", "argon2id$102400,2,8", "pbkdf2_sha512$210000",
                                 "sha512crypt$656000", "sha512crypt$5000", "scrypt$16384,8,1"}) {
            CPPUNIT_ASSERT_MESSAGE(cost, workOf(cost) == all);
        }
    }

    void makesDecoysThatAreComparedAndMatchNothing() {
        const std::set<std::string> cheap{"pbkdf2_sha256$2", "pbkdf2_sha1$2", "bcrypt$4", "argon2id$64,1,1",
                                          "argon2i$64,1,2"};
        const auto decoys = decoysAfter(std::nullopt, cheap);
        CPPUNIT_ASSERT_EQUAL(cheap.size(), decoys.size());
        for (const std::string& decoy : decoys) {
            CPPUNIT_ASSERT_MESSAGE(decoy, verifyPassword("correct horse", decoy) == PasswordMatch::Wrong);
        }
    }

    void looksThroughADatabaseOnce() {
        test::FakeRandom random;
        PasswordGate gate({.cost = {64, 1}, .slots = 1}, random);
        test::FakeAccountStore store;
        for (std::size_t i = 1; i <= 2500; ++i) {
            std::string bytes(16, '\0');
            bytes[14] = static_cast<char>(i / 256);
            bytes[15] = static_cast<char>(i % 256);
            store.hashes.emplace_back(Uuid::fromBytes(bytes), i == 2400 ? kPbkdf2 : "!");
        }
        domain::PasswordCosts costs(store, gate);
        costs.reload();
        CPPUNIT_ASSERT(gate.knows("pbkdf2_sha256$1000000"));
        store.hashes.emplace_back(Uuid{}, kBcrypt);
        store.costs.emplace_back("argon2id$64,2,1");
        costs.reload();
        CPPUNIT_ASSERT(gate.knows("argon2id$64,2,1") && !gate.knows("bcrypt$12"));
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(PasswordCostsTest);

}  // namespace password_costs_test
}  // namespace otpgate::crypto
