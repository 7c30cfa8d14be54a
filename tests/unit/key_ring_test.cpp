#include "otpgate/crypto/key_ring.h"

#include "otpgate/base/encoding.h"
#include "otpgate/base/errors.h"
#include "support_cpp/fake_random.h"
#include "support_cpp/temporary_directory.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <sys/stat.h>
#include <unistd.h>

namespace otpgate::crypto {
namespace key_ring_test {

using namespace std::string_literals;

constexpr std::string_view kLineA = "otpgate1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
constexpr std::string_view kLineB = "otpgate1:ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

KeyRing ringOf(std::initializer_list<std::string_view> lines) {
    std::string text;
    for (const auto line : lines) text.append(line).append("\n");
    return KeyRing::parse(text, "master.key");
}

template <typename Action>
std::string mistakeOf(Action action) {
    try {
        action();
    } catch (const ConfigurationError& e) {
        return e.what();
    }
    return "no mistake";
}

class KeyRingTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(KeyRingTest);
    CPPUNIT_TEST(derivesOneKeyForEachUse);
    CPPUNIT_TEST(neverChangesADerivedKey);
    CPPUNIT_TEST(keepsTheOrderOfTheFile);
    CPPUNIT_TEST(passesOverCommentsAndBlankLines);
    CPPUNIT_TEST(namesTheLineOfABadKeyAndDoesNotQuoteIt);
    CPPUNIT_TEST(refusesAFileWithoutAKey);
    CPPUNIT_TEST(createsAFileThatItLoads);
    CPPUNIT_TEST(createsAFileForItsOwnerAlone);
    CPPUNIT_TEST(neverOverwritesAKeyFile);
    CPPUNIT_TEST(namesTheFileThatItCannotCreate);
    CPPUNIT_TEST(letsTheGroupReadTheFile);
    CPPUNIT_TEST(refusesAFileThatOthersMayRead);
    CPPUNIT_TEST(refusesWhatIsNotAPlainFile);
    CPPUNIT_TEST(namesTheFileThatItCannotRead);
    CPPUNIT_TEST(makesKeyLinesFromRandomBytes);
    CPPUNIT_TEST(namesKeysByFingerprintsThatNeverChange);
    CPPUNIT_TEST(addsAKeyThatIsNotUsedYet);
    CPPUNIT_TEST(putsTheLastKeyFirst);
    CPPUNIT_TEST(takesTheLastKeyOut);
    CPPUNIT_TEST(changesNothingInAFileThatItCannotRead);
    CPPUNIT_TEST_SUITE_END();

    void derivesOneKeyForEachUse() {
        const KeyRing ring = ringOf({kLineA});
        const std::string otp = ring.keys(KeyUse::OtpCode).at(0);
        const std::string refresh = ring.keys(KeyUse::RefreshToken).at(0);
        const std::string sealed = ring.keys(KeyUse::SealedSecret).at(0);
        CPPUNIT_ASSERT_EQUAL(std::size_t{32}, otp.size());
        CPPUNIT_ASSERT(otp != refresh && refresh != sealed && sealed != otp);
    }

    // Were a label changed, every code and token in flight would be void, and no sealed secret would open again.
    void neverChangesADerivedKey() {
        const KeyRing ring = ringOf({kLineA});
        CPPUNIT_ASSERT_EQUAL("2d984bd9e4165e4530a05f2511ccd79561fec7b443e20f3282cc7e132f79770d"s,
                             toHex(ring.keys(KeyUse::OtpCode).at(0)));
        CPPUNIT_ASSERT_EQUAL("bdeffe6baf88d1e5367c3bf9ec82e4db366fe573ffc26021acfa7df7e0ad0610"s,
                             toHex(ring.keys(KeyUse::RefreshToken).at(0)));
        CPPUNIT_ASSERT_EQUAL("994e6313f80642fb036c83389a4e73f024774a54a0bbbb714701f250cc305344"s,
                             toHex(ring.keys(KeyUse::SealedSecret).at(0)));
    }

    void keepsTheOrderOfTheFile() {
        const auto both = ringOf({kLineA, kLineB}).keys(KeyUse::OtpCode);
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, both.size());
        CPPUNIT_ASSERT(both[0] == ringOf({kLineA}).keys(KeyUse::OtpCode)[0]);
        CPPUNIT_ASSERT(both[1] == ringOf({kLineB}).keys(KeyUse::OtpCode)[0]);
    }

    void passesOverCommentsAndBlankLines() {
        const KeyRing ring =
            ringOf({"# made in November", "", "  ", std::string(kLineA) + " \r", "# the former:", kLineB});
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, ring.keys(KeyUse::OtpCode).size());
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, KeyRing::parse(kLineA, "x").keys(KeyUse::OtpCode).size());
    }

    void namesTheLineOfABadKeyAndDoesNotQuoteIt() {
        const std::string good(kLineA);
        for (const std::string& bad :
             {good.substr(0, good.size() - 1), good + "00", good.substr(9), "otpgate2:" + good.substr(9),
              good.substr(0, good.size() - 1) + "g", good + " # comment", "OTPGATE1:" + good.substr(9)}) {
            CPPUNIT_ASSERT_EQUAL("master.key:2: not a key (expected otpgate1: and 64 lower-case hex digits)"s,
                                 mistakeOf([&] {
                                     ringOf({kLineB, bad});
                                 }));
        }
    }

    void refusesAFileWithoutAKey() {
        CPPUNIT_ASSERT_EQUAL("the key file master.key holds no key"s, mistakeOf([&] { ringOf({}); }));
        CPPUNIT_ASSERT_EQUAL("the key file master.key holds no key"s, mistakeOf([&] { ringOf({"# none"}); }));
    }

    void createsAFileThatItLoads() {
        createKeyFile(path_, random_);
        CPPUNIT_ASSERT_EQUAL(std::string(kLineA) + "\n", directory_.read("master.key"));
        CPPUNIT_ASSERT(KeyRing::load(path_).keys(KeyUse::OtpCode) == ringOf({kLineA}).keys(KeyUse::OtpCode));
    }

    void createsAFileForItsOwnerAlone() {
        const mode_t before = ::umask(0);
        createKeyFile(path_, random_);
        ::umask(before);
        struct stat status {};
        CPPUNIT_ASSERT_EQUAL(0, ::stat(path_.c_str(), &status));
        CPPUNIT_ASSERT_EQUAL(mode_t{0600}, static_cast<mode_t>(status.st_mode & 07777));
    }

    void neverOverwritesAKeyFile() {
        directory_.write("master.key", "precious");
        CPPUNIT_ASSERT_EQUAL("cannot create the key file " + path_ + ": File exists",
                             mistakeOf([&] { createKeyFile(path_, random_); }));
        CPPUNIT_ASSERT_EQUAL("precious"s, directory_.read("master.key"));
    }

    void namesTheFileThatItCannotCreate() {
        CPPUNIT_ASSERT_EQUAL("cannot create the key file /nowhere/master.key: No such file or directory"s,
                             mistakeOf([&] { createKeyFile("/nowhere/master.key", random_); }));
    }

    void letsTheGroupReadTheFile() {
        createKeyFile(path_, random_);
        ::chmod(path_.c_str(), 0640);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, KeyRing::load(path_).keys(KeyUse::OtpCode).size());
    }

    void refusesAFileThatOthersMayRead() {
        createKeyFile(path_, random_);
        for (const mode_t mode : {0604U, 0602U, 0644U}) {
            ::chmod(path_.c_str(), mode);
            CPPUNIT_ASSERT_EQUAL("the key file " + path_ + " is open to other users: chmod o= " + path_,
                                 mistakeOf([&] { KeyRing::load(path_); }));
        }
    }

    void refusesWhatIsNotAPlainFile() {
        ::mkfifo(path_.c_str(), 0600);
        CPPUNIT_ASSERT_EQUAL("the key file " + path_ + " is not a plain file",
                             mistakeOf([&] { KeyRing::load(path_); }));
        CPPUNIT_ASSERT_THROW(KeyRing::load(directory_.path("")), ConfigurationError);
        const std::string endless = directory_.write("endless", std::string(100'000, '\n'));
        ::chmod(endless.c_str(), 0600);
        CPPUNIT_ASSERT_EQUAL("the key file " + endless + " is too long", mistakeOf([&] { KeyRing::load(endless); }));
    }

    void namesTheFileThatItCannotRead() {
        CPPUNIT_ASSERT_EQUAL("cannot read the key file " + path_ + ": No such file or directory",
                             mistakeOf([&] { KeyRing::load(path_); }));
    }

    void makesKeyLinesFromRandomBytes() {
        CPPUNIT_ASSERT_EQUAL(std::string(kLineA), makeMasterKeyLine(random_));
        CPPUNIT_ASSERT(makeMasterKeyLine(random_) != kLineA);
    }

    void namesKeysByFingerprintsThatNeverChange() {
        const auto names = ringOf({kLineA, kLineB}).fingerprints();
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, names.size());
        CPPUNIT_ASSERT_EQUAL("88634ddc5254ccd0"s, names[0]);
        CPPUNIT_ASSERT(names[1] != names[0]);
        CPPUNIT_ASSERT(ringOf({kLineB}).fingerprints()[0] == names[1]);
    }

    // With its comment, and as the group may read it.
    void writeFile(std::initializer_list<std::string_view> lines) {
        std::string text = "# keep this\n\n";
        for (const auto line : lines) text.append(line).append("\n");
        directory_.write("master.key", text);
        ::chmod(path_.c_str(), 0640);
    }
    void requireKeys(const std::vector<std::string>& expected) {
        CPPUNIT_ASSERT(KeyRing::load(path_).fingerprints() == expected);
        CPPUNIT_ASSERT(directory_.read("master.key").starts_with("# keep this\n\n"));
        struct stat status {};
        ::stat(path_.c_str(), &status);
        CPPUNIT_ASSERT_EQUAL(0640U, status.st_mode & 0777U);
        CPPUNIT_ASSERT(::access((path_ + ".new").c_str(), F_OK) != 0);
    }
    static std::string nameOf(std::string_view line) { return ringOf({line}).fingerprints().at(0); }

    void addsAKeyThatIsNotUsedYet() {
        writeFile({kLineB});
        addKey(path_, random_);
        requireKeys({nameOf(kLineB), nameOf(kLineA)});
    }

    void putsTheLastKeyFirst() {
        const std::string third = std::string{kLineA.substr(0, kLineA.size() - 2)} + "77";
        writeFile({kLineA, third, kLineB});
        const KeyRing before = KeyRing::load(path_);
        promoteLastKey(path_);
        requireKeys({nameOf(kLineB), nameOf(kLineA), nameOf(third)});
        CPPUNIT_ASSERT(before.withLastFirst().fingerprints() == KeyRing::load(path_).fingerprints());
        CPPUNIT_ASSERT(before.withLastFirst().keys(KeyUse::OtpCode) == KeyRing::load(path_).keys(KeyUse::OtpCode));
    }

    void takesTheLastKeyOut() {
        writeFile({kLineA, kLineB});
        const KeyRing before = KeyRing::load(path_);
        dropLastKey(path_);
        requireKeys({nameOf(kLineA)});
        CPPUNIT_ASSERT(before.withoutLast().keys(KeyUse::OtpCode) == KeyRing::load(path_).keys(KeyUse::OtpCode));
    }

    void changesNothingInAFileThatItCannotRead() {
        writeFile({kLineA, "otpgate1:0"});
        const std::string before = directory_.read("master.key");
        CPPUNIT_ASSERT_THROW(addKey(path_, random_), ConfigurationError);
        CPPUNIT_ASSERT_THROW(promoteLastKey(path_), ConfigurationError);
        CPPUNIT_ASSERT_EQUAL(before, directory_.read("master.key"));
    }

    const test::TemporaryDirectory directory_;
    const std::string path_ = directory_.path("master.key");
    test::FakeRandom random_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(KeyRingTest);

class SealTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(SealTest);
    CPPUNIT_TEST(opensWhatItSealed);
    CPPUNIT_TEST(writesVersionNonceCipherTextAndTag);
    CPPUNIT_TEST(sealsTheSameTextDifferentlyEachTime);
    CPPUNIT_TEST(opensUnderAFormerKey);
    CPPUNIT_TEST(doesNotOpenWithoutItsKey);
    CPPUNIT_TEST(doesNotOpenInAnotherContext);
    CPPUNIT_TEST(doesNotOpenForAnotherUse);
    CPPUNIT_TEST(noticesEachChangedBit);
    CPPUNIT_TEST(noticesACutOrLongerText);
    CPPUNIT_TEST_SUITE_END();

    void opensWhatItSealed() {
        for (const std::string& plain : {""s, "x"s, "a\0b"s, std::string(10'000, 'y')}) {
            CPPUNIT_ASSERT(open(ring_, seal(ring_, plain, "totp", random_), "totp") == plain);
            CPPUNIT_ASSERT(open(ring_, seal(ring_, plain, {}, random_), "") == plain);
        }
    }

    void writesVersionNonceCipherTextAndTag() {
        const std::string sealed = seal(ring_, "plain", "", random_);
        CPPUNIT_ASSERT_EQUAL("01000102030405060708090a0b"s, toHex(sealed.substr(0, 13)));
        CPPUNIT_ASSERT_EQUAL(std::size_t{13 + 5 + 16}, sealed.size());
        CPPUNIT_ASSERT(sealed.find("plain") == std::string::npos);
    }

    void sealsTheSameTextDifferentlyEachTime() {
        CPPUNIT_ASSERT(seal(ring_, "plain", "", random_) != seal(ring_, "plain", "", random_));
    }

    void opensUnderAFormerKey() {
        const std::string sealed = seal(ringOf({kLineA}), "plain", "", random_);
        CPPUNIT_ASSERT(open(ringOf({kLineB, kLineA}), sealed, "") == "plain");
    }

    void doesNotOpenWithoutItsKey() {
        CPPUNIT_ASSERT(!open(ringOf({kLineB}), seal(ringOf({kLineA, kLineB}), "plain", "", random_), ""));
    }

    void doesNotOpenInAnotherContext() {
        const std::string sealed = seal(ring_, "plain", "user 1", random_);
        CPPUNIT_ASSERT(!open(ring_, sealed, "user 2"));
        CPPUNIT_ASSERT(!open(ring_, sealed, ""));
    }

    void doesNotOpenForAnotherUse() {
        const std::string sealed = seal(ring_, "plain", "", random_, KeyUse::VerificationContext);
        CPPUNIT_ASSERT(open(ring_, sealed, "", KeyUse::VerificationContext) == "plain");
        CPPUNIT_ASSERT(!open(ring_, sealed, ""));
        CPPUNIT_ASSERT(!open(ring_, seal(ring_, "plain", "", random_), "", KeyUse::VerificationContext));
    }

    void noticesEachChangedBit() {
        const std::string sealed = seal(ring_, "plain", "context", random_);
        for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
            std::string changed = sealed;
            changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
            CPPUNIT_ASSERT(!open(ring_, changed, "context"));
        }
    }

    void noticesACutOrLongerText() {
        const std::string sealed = seal(ring_, "plain", "", random_);
        for (std::size_t length = 0; length < sealed.size(); ++length) {
            CPPUNIT_ASSERT(!open(ring_, sealed.substr(0, length), ""));
        }
        CPPUNIT_ASSERT(!open(ring_, sealed + "x", ""));
    }

    const KeyRing ring_ = ringOf({kLineA, kLineB});
    test::FakeRandom random_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(SealTest);

}  // namespace key_ring_test
}  // namespace otpgate::crypto
