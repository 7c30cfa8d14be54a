#include "delivery/base64.h"
#include "delivery/mail/smtp_reply.h"
#include "delivery/secrets.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

#include <chrono>

namespace otpgate::delivery {
namespace delivery_secrets_test {

class SecretsTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(SecretsTest);
    CPPUNIT_TEST(strikesOutACodeInAnyGrouping);
    CPPUNIT_TEST(strikesOutPiecesOfACode);
    CPPUNIT_TEST(strikesOutACodeOfLetters);
    CPPUNIT_TEST(strikesOutAPasswordInEveryForm);
    CPPUNIT_TEST(strikesOutHalfAPassword);
    CPPUNIT_TEST(strikesOutWhatTheMessageSays);
    CPPUNIT_TEST(strikesOutTheRecipient);
    CPPUNIT_TEST(knowsTheMessageBeforeThisOne);
    CPPUNIT_TEST(knowsEveryCodeOfAConversation);
    CPPUNIT_TEST(leavesTheRest);
    CPPUNIT_TEST(joinsACodeThatTwoLinesShare);
    CPPUNIT_TEST(needsLittleTimeForALongReply);
    CPPUNIT_TEST_SUITE_END();

    static void assertStruck(const Secrets& secrets, const std::string& expected, const std::string& text) {
        CPPUNIT_ASSERT_EQUAL(expected, secrets.strikeOut(text));
    }
    static Secrets withCode(const std::string& code) {
        Secrets secrets;
        secrets.beginMessage({code, "", ""});
        return secrets;
    }

    void strikesOutACodeInAnyGrouping() {
        const Secrets secrets = withCode("918273");
        assertStruck(secrets, "\"*** is not allowed\"", "\"918273 is not allowed\"");
        for (const char* form : {"918-273", "918 273", "9 1 8 2 7 3", "91.82.73", "9-18-27-3", "918\n273",
                                 "9, 1, 8, 2, 7, 3", "918</b>273"}) {
            assertStruck(secrets, "a *** b", std::string("a ") + form + " b");
        }
        assertStruck(secrets, "1***4", "19182734");
        assertStruck(secrets, "*** and ***", "918273 and 918273");
    }

    void strikesOutPiecesOfACode() {
        const Secrets secrets = withCode("918273");
        assertStruck(secrets, "begins with ***", "begins with 9182");
        assertStruck(secrets, "550 *** x1 ***", "550 918 x1 273");
        assertStruck(secrets, "5.1.8 91 9999", "5.1.8 91 9999");
    }

    void strikesOutACodeOfLetters() {
        const Secrets secrets = withCode("K7QX2M");
        for (const char* form : {"K7QX2M", "k7qx2m", "K7Q-X2M", "K 7 Q X 2 M"})
            assertStruck(secrets, "<***>", std::string("<") + form + ">");
        assertStruck(secrets, "***...", "K7QX...");
        assertStruck(secrets, "no such user here", "no such user here");
    }

    void strikesOutAPasswordInEveryForm() {
        const std::string password = "p4ss \"w&rd\":5";
        Secrets secrets;
        secrets.add(password);
        const std::string nul(1, '\0');
        for (const std::string& form :
             {password, std::string("P4SS \"W&RD\":5"), std::string("p4ss%20%22w%26rd%22%3A5"),
              std::string(R"(p4ss \"w&rd\":5)"), std::string("p4ss &quot;w&amp;rd&quot;:5")}) {
            assertStruck(secrets, "a *** b", "a " + form + " b");
        }
        for (const std::string& login : {password, nul + "me" + nul + password, nul + "you" + nul + password,
                                         "user:" + password, "x" + password + "yz"}) {
            const std::string quoted = secrets.strikeOut("AUTH " + toBase64(login) + " no");
            CPPUNIT_ASSERT_MESSAGE(quoted, quoted.find("***") != std::string::npos);
            const std::string encoded = toBase64(login);
            CPPUNIT_ASSERT_MESSAGE(quoted, quoted.size() < encoded.size());
        }
        Secrets shortOne;
        shortOne.add("ab");
        assertStruck(shortOne, "c***c", "cabc");
    }

    void strikesOutHalfAPassword() {
        Secrets secrets;
        secrets.add("0123456789abcdef0123456789abcdef");
        assertStruck(secrets, "key *** is", "key 456789abcdef is");
    }

    void strikesOutWhatTheMessageSays() {
        Secrets secrets;
        secrets.beginMessage({"", "A new device signed in: Firefox on Ann's laptop, 192.0.2.7.\r\n", ""});
        assertStruck(secrets, "refused:***", "refused: device signed in: Firefox on Ann's laptop");
        assertStruck(secrets, "signed in twice", "signed in twice");
    }

    void strikesOutTheRecipient() {
        Secrets secrets;
        secrets.beginMessage({"", "", "+4930123456"});
        assertStruck(secrets, "to *** or *** or ***", "to +4930123456 or 4930123456 or %2B4930123456");
    }

    void knowsTheMessageBeforeThisOne() {
        Secrets secrets = withCode("918273");
        secrets.beginMessage({"445566", "", ""});
        assertStruck(secrets, "*** ***", "918273 445566");
        secrets.beginMessage({"", "", ""});
        secrets.beginMessage({"", "", ""});
        assertStruck(secrets, "*** 9182", "918273 9182");  // the code alone, no pieces of it
    }

    // A mail server on a kept connection may repeat all that it was ever told.
    void knowsEveryCodeOfAConversation() {
        Secrets secrets;
        for (int i = 0; i < 100; ++i) secrets.beginMessage({std::to_string(500'000 + i * 1'111), "", ""});
        assertStruck(secrets, "550 5.7.1 *** and *** and ***", "550 5.7.1 500000 and 50-11-11 and 609989");
    }

    void leavesTheRest() {
        const std::string reply = "550 5.7.1 [192.0.2.7] blocked, see https://example.com/why?id=20261128-4711";
        assertStruck(Secrets(), reply, reply);
        Secrets secrets = withCode("918273");
        secrets.add("a long password");
        assertStruck(secrets, reply, reply);
        assertStruck(secrets, "", "");
    }

    void joinsACodeThatTwoLinesShare() {
        const SmtpReply reply{554, {"5.7.1 rejected 918", "5.7.1 273 is not allowed"}};
        CPPUNIT_ASSERT_EQUAL(std::string("554 5.7.1 rejected *** is not allowed"), reply.forLog(withCode("918273")));
    }

    void needsLittleTimeForALongReply() {
        SmtpReply reply{550, {}};
        for (int i = 0; i < 100; ++i) {
            std::string line;
            while (line.size() < 4090) line += "@ ";
            reply.lines.push_back(line);
        }
        const auto start = std::chrono::steady_clock::now();
        for (int i = 0; i < 10; ++i) CPPUNIT_ASSERT_EQUAL(std::size_t{160}, reply.forLog(withCode("918273")).size());
        CPPUNIT_ASSERT(std::chrono::steady_clock::now() - start < std::chrono::milliseconds(500));
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SecretsTest);

}  // namespace delivery_secrets_test
}  // namespace otpgate::delivery
