#include "otpgate/domain/otp_code.h"

#include "support_cpp/counting_random.h"
#include "support_cpp/fake_clock.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <array>
#include <set>

namespace otpgate::domain {
namespace otp_code_test {

using namespace std::string_literals;

const std::string kLineA = "otpgate1:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
const std::string kLineB = "otpgate1:ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";

class OtpCodeTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(OtpCodeTest);
    CPPUNIT_TEST(neverChangesACode);
    CPPUNIT_TEST(knowsTheSameCodeEachTime);
    CPPUNIT_TEST(hasAsManyDigitsAsAsked);
    CPPUNIT_TEST(keepsLeadingZeros);
    CPPUNIT_TEST(judgesAnythingElseWrong);
    CPPUNIT_TEST(judgesTheCodeOfAnotherIdWrong);
    CPPUNIT_TEST(judgesByEveryKeyOfTheRing);
    CPPUNIT_TEST(judgesByNoOtherKey);
    CPPUNIT_TEST(sendsTheFixedCodeToAll);
    CPPUNIT_TEST(spreadsTheDigitsEvenly);
    CPPUNIT_TEST(writesLettersThatNobodyConfuses);
    CPPUNIT_TEST(takesLettersInEitherCase);
    CPPUNIT_TEST(readsACodeAsPeopleTypeIt);
    CPPUNIT_TEST(readsNoCodeInWhatIsNone);
    CPPUNIT_TEST(knowsAFormatForEachCode);
    CPPUNIT_TEST(sendsAWaitingMessageInItsFormat);
    CPPUNIT_TEST(opensItsOwnLinksByEveryKeyOfTheRing);
    CPPUNIT_TEST(opensNothingElse);
    CPPUNIT_TEST_SUITE_END();

    static crypto::KeyRing ring(const std::string& lines) { return crypto::KeyRing::parse(lines, "master.key"); }
    static CodeFormat digits(unsigned length) { return {CodeAlphabet::Digits, length}; }
    Uuid nextId() { return Uuid::makeV7(clock_.now(), random_); }

    void opensItsOwnLinksByEveryKeyOfTheRing() {
        const auto older = ring(kLineA);
        const auto newer = ring(kLineB + kLineA);
        const Uuid id = nextId();
        const std::string link = OtpCodes(older, digits(6), "123456").linkFor(id);
        CPPUNIT_ASSERT_EQUAL(std::size_t{43}, link.size());
        CPPUNIT_ASSERT(OtpCodes(newer, digits(6), "").openLink(link) == id);
        CPPUNIT_ASSERT(!OtpCodes(ring(kLineB), digits(6), "").openLink(link));
    }

    void opensNothingElse() {
        const auto keys = ring(kLineA);
        const OtpCodes codes(keys, digits(6), "");
        const Uuid id = nextId();
        const std::string link = codes.linkFor(id);
        CPPUNIT_ASSERT(link != codes.linkFor(nextId()));
        for (std::size_t i = 0; i < link.size() - 1; ++i) {
            std::string other = link;
            other[i] = other[i] == 'A' ? 'B' : 'A';
            CPPUNIT_ASSERT_MESSAGE(other, !codes.openLink(other));
        }
        for (const std::string& other : {""s, "x"s, link.substr(1), link + "AAAA", codes.codeFor(id)}) {
            CPPUNIT_ASSERT_MESSAGE(other, !codes.openLink(other));
        }
    }

    static std::string typed(std::string_view text) { return parseCode(text).value_or("none"); }

    void readsACodeAsPeopleTypeIt() {
        for (const char* text : {"123456", " 123456\n", "123 456", "123-456", "12\u201334\u00a056",
                                 "\u200b123456\ufeff", "\u200f123456\u200e", "<123456>", "[123 456]", "\"123456\".",
                                 "\u201e123456\u201c", "*123456*", "#123456", "\u0661\u0662\u0663\u0664\u0665\u0666",
                                 "\u06f1\u06f2\u06f3\u06f4\u06f5\u06f6", "\u0967\u0968\u0969\u096a\u096b\u096c",
                                 "\uff11\uff12\uff13\uff14\uff15\uff16", "\u2460\u2461\u2462456"}) {
            CPPUNIT_ASSERT_EQUAL_MESSAGE(text, "123456"s, typed(text));
        }
        CPPUNIT_ASSERT_EQUAL("k7mQ2P"s, typed("k7m-Q2P"));
        CPPUNIT_ASSERT_EQUAL("K7MQ2P"s, typed("\uff2b7MQ2P"));
        CPPUNIT_ASSERT_EQUAL("0000"s, typed("0000"));
        CPPUNIT_ASSERT_EQUAL("0123456789"s, typed("0123456789"));
    }

    void readsNoCodeInWhatIsNone() {
        for (const std::string& text : {""s, "   "s, "<>"s, "123"s, "12345678901"s, "12.34"s, "12/34"s, "123\00056"s,
                                        "caf\u00e9s"s, "\xff\xfe\xfd\xfc"s, "Your code: 123456"s, "1e+5"s}) {
            CPPUNIT_ASSERT_EQUAL_MESSAGE(text, "none"s, typed(text));
        }
    }

    // HKDF-SHA256 of the master key with "otpgate otp-code v1", HMAC of the id, its first eight bytes modulo 10^length:
    // computed by another program. Another result would void what is in the mail.
    void neverChangesACode() {
        const Uuid id = Uuid::parse("017f22e2-79b0-7cc3-98c4-dc0c0c07398f").value();
        CPPUNIT_ASSERT_EQUAL("863900"s, OtpCodes(ringA_, digits(6), "").codeFor(id));
        CPPUNIT_ASSERT_EQUAL("3900"s, OtpCodes(ringA_, digits(4), "").codeFor(id));
        CPPUNIT_ASSERT_EQUAL("3569863900"s, OtpCodes(ringA_, digits(10), "").codeFor(id));
    }

    void knowsTheSameCodeEachTime() {
        const Uuid id = nextId();
        const OtpCodes codes(ringA_, digits(6), "");
        CPPUNIT_ASSERT_EQUAL(codes.codeFor(id), codes.codeFor(id));
        CPPUNIT_ASSERT(codes.judge(id, codes.codeFor(id)) == Guess::Right);
        CPPUNIT_ASSERT(codes.judge(id, codes.codeFor(id)) == Guess::Right);
    }

    void hasAsManyDigitsAsAsked() {
        for (unsigned length = 4; length <= 10; ++length) {
            const OtpCodes codes(ringA_, digits(length), "");
            for (int i = 0; i < 100; ++i) {
                const Uuid id = nextId();
                const std::string code = codes.codeFor(id);
                CPPUNIT_ASSERT_EQUAL(std::size_t{length}, code.size());
                CPPUNIT_ASSERT(code.find_first_not_of("0123456789") == std::string::npos);
                CPPUNIT_ASSERT(codes.judge(id, code) == Guess::Right);
            }
        }
    }

    void keepsLeadingZeros() {
        const OtpCodes codes(ringA_, digits(6), "");
        Uuid id = nextId();
        while (!codes.codeFor(id).starts_with("00")) id = nextId();
        const std::string code = codes.codeFor(id);
        CPPUNIT_ASSERT_EQUAL(std::size_t{6}, code.size());
        CPPUNIT_ASSERT(codes.judge(id, code) == Guess::Right);
        CPPUNIT_ASSERT(codes.judge(id, code.substr(1)) == Guess::Wrong);
        CPPUNIT_ASSERT(codes.judge(id, code.substr(2)) == Guess::Wrong);
        CPPUNIT_ASSERT(codes.judge(id, "0" + code) == Guess::Wrong);
    }

    void judgesAnythingElseWrong() {
        const OtpCodes codes(ringA_, digits(6), "");
        const Uuid id = nextId();
        const std::string code = codes.codeFor(id);
        for (std::size_t i = 0; i < code.size(); ++i) {
            std::string other = code;
            other[i] = other[i] == '9' ? '0' : static_cast<char>(other[i] + 1);
            CPPUNIT_ASSERT(codes.judge(id, other) == Guess::Wrong);
        }
        for (const std::string& guess :
             {""s, " "s, code + " ", " " + code, code + "\n", code + "\0"s, code + code, "+" + code, code.substr(0, 5),
              "\0\0\0\0\0\0"s, "\uff11\uff12\uff13\uff14\uff15\uff16"s}) {
            CPPUNIT_ASSERT(codes.judge(id, guess) == Guess::Wrong);
        }
    }

    void judgesTheCodeOfAnotherIdWrong() {
        const OtpCodes codes(ringA_, digits(10), "");
        const Uuid first = nextId();
        const Uuid second = nextId();
        CPPUNIT_ASSERT(codes.judge(second, codes.codeFor(first)) == Guess::Wrong);
    }

    void judgesByEveryKeyOfTheRing() {
        const auto both = ring(kLineB + "# the former one\n" + kLineA);
        const OtpCodes before(ringA_, digits(8), "");
        const OtpCodes after(both, digits(8), "");
        const OtpCodes onlyNew(ringB_, digits(8), "");
        const Uuid id = nextId();
        CPPUNIT_ASSERT(after.judge(id, before.codeFor(id)) == Guess::Right);
        CPPUNIT_ASSERT_EQUAL(onlyNew.codeFor(id), after.codeFor(id));
        CPPUNIT_ASSERT(after.judge(id, after.codeFor(id)) == Guess::Right);
    }

    void judgesByNoOtherKey() {
        const Uuid id = nextId();
        CPPUNIT_ASSERT(OtpCodes(ringB_, digits(10), "").judge(id, OtpCodes(ringA_, digits(10), "").codeFor(id)) ==
                       Guess::Wrong);
    }

    void sendsTheFixedCodeToAll() {
        const OtpCodes codes(ringA_, digits(6), "000042");
        const Uuid id = nextId();
        CPPUNIT_ASSERT_EQUAL("000042"s, codes.codeFor(id));
        CPPUNIT_ASSERT(codes.judge(id, "000042") == Guess::Right);
        CPPUNIT_ASSERT(codes.judge(nextId(), "000042") == Guess::Right);
        CPPUNIT_ASSERT(codes.judge(id, OtpCodes(ringA_, digits(6), "").codeFor(id)) == Guess::Wrong);
        CPPUNIT_ASSERT(codes.judge(id, "42") == Guess::Wrong);
    }

    // Ids that follow each other give codes that do not: each digit comes about as often at each place, and hardly a
    // code comes twice. Key and ids are fixed, so this is the same in each run.
    void spreadsTheDigitsEvenly() {
        constexpr int kCodes = 10'000;
        std::array<std::array<int, 10>, 6> counts{};
        std::set<std::string> different;
        const OtpCodes codes(ringA_, digits(6), "");
        for (int i = 0; i < kCodes; ++i) {
            const std::string code = codes.codeFor(nextId());
            different.insert(code);
            for (std::size_t place = 0; place < 6; ++place)
                ++counts[place][static_cast<std::size_t>(code[place] - '0')];
        }
        for (const auto& place : counts) {
            for (const int count : place)
                CPPUNIT_ASSERT(count > 880 && count < 1120);  // 1000 and four deviations of 30
        }
        CPPUNIT_ASSERT(different.size() > 9'900);  // 9950 are expected of 10000 out of a million
    }

    void writesLettersThatNobodyConfuses() {
        const OtpCodes codes(ringA_, {CodeAlphabet::Letters, 10}, "");
        for (int i = 0; i < 200; ++i) {
            const std::string code = codes.codeFor(nextId());
            CPPUNIT_ASSERT_EQUAL(std::size_t{10}, code.size());
            CPPUNIT_ASSERT(code.find_first_not_of("23456789ABCDEFGHJKMNPQRSTVWXYZ") == std::string::npos);
        }
    }

    void takesLettersInEitherCase() {
        const OtpCodes codes(ringA_, {CodeAlphabet::Letters, 8}, "");
        const Uuid id = nextId();
        std::string code = codes.codeFor(id);
        for (char& c : code) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        CPPUNIT_ASSERT(codes.judge(id, code) == Guess::Right);
    }

    void knowsAFormatForEachCode() {
        const OtpCodes codes(ringA_, digits(6), "");
        const CodeFormat other{CodeAlphabet::Letters, 9};
        const Uuid id = nextId();
        CPPUNIT_ASSERT_EQUAL(OtpCodes(ringA_, other, "").codeFor(id), codes.codeFor(id, other));
        CPPUNIT_ASSERT(codes.judge(id, codes.codeFor(id, other), other) == Guess::Right);
        CPPUNIT_ASSERT(codes.judge(id, codes.codeFor(id), other) == Guess::Wrong);
        CPPUNIT_ASSERT(codes.judge(id, codes.codeFor(id, other)) == Guess::Wrong);
    }

    void sendsAWaitingMessageInItsFormat() {
        const OtpCodes codes(ringA_, digits(6), "");
        OutboxMessage message{.id = {},
                              .otpId = nextId(),
                              .destination = Destination::fromStored(Channel::Email, "a@b.c"),
                              .locale = {},
                              .requestId = {},
                              .expiresAt = {},
                              .availableAt = {}};
        CPPUNIT_ASSERT_EQUAL(codes.codeFor(message.otpId), codes.codeFor(message));
        message.codeLength = 9;
        message.codeAlphabet = CodeAlphabet::Letters;
        CPPUNIT_ASSERT_EQUAL(codes.codeFor(message.otpId, {CodeAlphabet::Letters, 9}), codes.codeFor(message));
    }

    const crypto::KeyRing ringA_ = ring(kLineA);
    const crypto::KeyRing ringB_ = ring(kLineB);
    test::FakeClock clock_;
    test::CountingRandom random_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(OtpCodeTest);

}  // namespace otp_code_test
}  // namespace otpgate::domain
