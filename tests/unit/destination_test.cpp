#include "otpgate/domain/destination.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::domain {
namespace {

using namespace std::string_literals;

class DestinationTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(DestinationTest);
    CPPUNIT_TEST(takesAnEmailAddress);
    CPPUNIT_TEST(takesATelephoneNumber);
    CPPUNIT_TEST(writesAddressesInLowerCase);
    CPPUNIT_TEST(cutsBlanksAround);
    CPPUNIT_TEST(refusesWhatARelayWouldRewrite);
    CPPUNIT_TEST(takesEveryCharacterOfAnAtom);
    CPPUNIT_TEST(takesAHostWithoutADot);
    CPPUNIT_TEST(refusesWhatIsNoAddress);
    CPPUNIT_TEST(refusesWhatCouldReachAMailHeader);
    CPPUNIT_TEST(refusesLettersBeyondAscii);
    CPPUNIT_TEST(refusesBadHostNames);
    CPPUNIT_TEST(knowsTheLengthsOfAnAddress);
    CPPUNIT_TEST(knowsTheLengthsOfANumber);
    CPPUNIT_TEST(refusesWhatIsNoNumber);
    CPPUNIT_TEST(keepsTheTwoKindsApart);
    CPPUNIT_TEST(comesBackFromTheDatabase);
    CPPUNIT_TEST(masksAnEmailAddress);
    CPPUNIT_TEST(masksATelephoneNumber);
    CPPUNIT_TEST(masksAShortNumber);
    CPPUNIT_TEST_SUITE_END();

    static std::string valueOf(std::string_view text) {
        const auto destination = Destination::parse(text);
        return destination ? destination->value() : "refused";
    }
    static void refuses(std::string_view text) { CPPUNIT_ASSERT_EQUAL("refused"s, valueOf(text)); }
    static std::string masked(std::string_view text) { return Destination::parse(text).value().masked(); }

    void takesAnEmailAddress() {
        const auto destination = Destination::parse("ada.lovelace+otp@mail.example.org").value();
        CPPUNIT_ASSERT(destination.channel() == Channel::Email);
        CPPUNIT_ASSERT_EQUAL("ada.lovelace+otp@mail.example.org"s, destination.value());
        CPPUNIT_ASSERT(toString(Channel::Email) == "email");
    }

    // API.md, section 2, names two of them.
    void takesATelephoneNumber() {
        for (const char* number : {"+1234567890", "+1555000123", "+4366012345678"}) {
            const auto destination = Destination::parse(number).value();
            CPPUNIT_ASSERT(destination.channel() == Channel::Sms);
            CPPUNIT_ASSERT_EQUAL(std::string{number}, destination.value());
        }
        CPPUNIT_ASSERT(toString(Channel::Sms) == "sms");
    }

    void writesAddressesInLowerCase() {
        CPPUNIT_ASSERT_EQUAL("ada.lovelace@example.org"s, valueOf("Ada.LOVELACE@Example.ORG"));
        CPPUNIT_ASSERT(Destination::parse("ADA@EXAMPLE.ORG") == Destination::parse("ada@example.org"));
    }

    void cutsBlanksAround() {
        CPPUNIT_ASSERT_EQUAL("ada@example.org"s, valueOf(" \t ada@example.org\t "));
        CPPUNIT_ASSERT_EQUAL("+1234567890"s, valueOf(" +1234567890 "));
    }

    void refusesWhatARelayWouldRewrite() {
        for (const char* text : {"ann%example.net@example.org", "example.net!ann@example.org", "a%b@example.org",
                                 "=?utf-8?q?ann=40example.net?=@example.org", "a=?b@example.org"}) {
            CPPUNIT_ASSERT_MESSAGE(text, !Destination::parse(text));
        }
    }

    void takesEveryCharacterOfAnAtom() {
        for (const char c : "#$&'*+-/=?^_`{|}~"s) {
            const std::string address = "a"s + c + "b@example.org";
            CPPUNIT_ASSERT_EQUAL(address, valueOf(address));
        }
        CPPUNIT_ASSERT_EQUAL("-@example.org"s, valueOf("-@example.org"));
        CPPUNIT_ASSERT_EQUAL("0@0.example"s, valueOf("0@0.example"));
    }

    void takesAHostWithoutADot() { CPPUNIT_ASSERT_EQUAL("root@localhost"s, valueOf("root@localhost")); }

    void refusesWhatIsNoAddress() {
        for (const char* text :
             {"", " ", "@", "ada", "ada@", "@example.org", "ada@@example.org", "ada@eve@example.org",
              ".ada@example.org", "ada.@example.org", "a..da@example.org", ".@example.org", "ada example.org",
              "ada@example.org@", "mailto:ada@example.org", "ada(x)@example.org", "ada@example.org, eve@example.org",
              "ada@example.org;eve@example.org", "a\\b@example.org"}) {
            refuses(text);
        }
    }

    void refusesWhatCouldReachAMailHeader() {
        for (const char* text :
             {"ada@example.org\r\nBcc: eve@example.org", "ada@example.org\n", "ada@example.org\r", "\nada@example.org",
              "ada\r\n@example.org", "a da@example.org", "ada@exa mple.org", "<ada@example.org>",
              "Ada <ada@example.org>", "ada>@example.org", "\"ada\"@example.org", "\"a b\"@example.org",
              "ada@\"example.org\"", "ada@example.org\v", "ada@example.org\x7f", "a\tda@example.org"}) {
            refuses(text);
        }
        refuses("ada@example.org\0"s);
        refuses("ada\0@example.org"s);
        refuses("ada@exam\0ple.org"s);
        refuses("+1234567890\n");
        refuses("+123456\0007890"s);
    }

    void refusesLettersBeyondAscii() {
        for (const char* text :
             {"j\u00f6rg@example.org", "ada@ex\u00e4mple.org", "ada\uff20example.org", "ada@example\u3002org",
              "\u00a0ada@example.org", "ada@example.org\u200b", "\u0430da@example.org", "ada\xff@example.org",
              "+\u0661\u0662\u0663\u0664\u0665", "\uff0b1234567890", "+\uff11\uff12\uff13\uff14"}) {
            refuses(text);
        }
    }

    void refusesBadHostNames() {
        for (const char* host :
             {"example.org.", ".example.org", "example..org", "-example.org", "example-.org", "exam_ple.org",
              "[127.0.0.1]", "[IPv6:::1]", "example.org:25", "example.org/", "*.org"}) {
            refuses("ada@"s + host);
        }
        CPPUNIT_ASSERT_EQUAL("ada@xn--exmple-cua.org"s, valueOf("ada@xn--exmple-cua.org"));
    }

    void knowsTheLengthsOfAnAddress() {
        const std::string label(63, 'd');
        const auto address = [&](std::size_t local, std::size_t lastLabel) {
            return std::string(local, 'l') + "@" + label + "." + label + "." + std::string(lastLabel, 'd');
        };
        CPPUNIT_ASSERT_EQUAL(std::size_t{254}, valueOf(address(64, 61)).size());
        CPPUNIT_ASSERT_EQUAL(std::size_t{254}, valueOf("  " + address(63, 62) + "  ").size());
        refuses(address(64, 62));
        refuses(address(63, 63));
        refuses(address(65, 60));
        refuses("ada@" + std::string(64, 'd') + ".org");
    }

    void knowsTheLengthsOfANumber() {
        CPPUNIT_ASSERT_EQUAL("+12"s, valueOf("+12"));
        CPPUNIT_ASSERT_EQUAL("+123456789012345"s, valueOf("+123456789012345"));
        for (const char* text : {"+", "+1", "+1234567890123456"}) refuses(text);
    }

    void refusesWhatIsNoNumber() {
        for (const char* text : {"1234567890", "0043660123456", "+0123456789", "+12 345 67", "+12-345-67", "+(12)34567",
                                 "++1234567", "+1234567a", "+12345.6", "tel:+1234567", "+1234567;ext=1", "-1234567"}) {
            refuses(text);
        }
    }

    void keepsTheTwoKindsApart() {
        CPPUNIT_ASSERT(!Destination::parseEmail("+1234567890"));
        CPPUNIT_ASSERT(!Destination::parsePhoneNumber("ada@example.org"));
        CPPUNIT_ASSERT(Destination::parse("+1234567890@example.org").value().channel() == Channel::Email);
    }

    void comesBackFromTheDatabase() {
        for (const char* text : {"ada@example.org", "+1234567890"}) {
            const auto parsed = Destination::parse(text).value();
            CPPUNIT_ASSERT(Destination::fromStored(parsed.channel(), parsed.value()) == parsed);
        }
    }

    void masksAnEmailAddress() {
        CPPUNIT_ASSERT_EQUAL("u**r@example.com"s, masked("user@example.com"));
        CPPUNIT_ASSERT_EQUAL("a*@example.com"s, masked("a@example.com"));
        CPPUNIT_ASSERT_EQUAL("a*@example.com"s, masked("ab@example.com"));
        CPPUNIT_ASSERT_EQUAL("a*c@example.com"s, masked("abc@example.com"));
        CPPUNIT_ASSERT_EQUAL("a**********e@example.com"s, masked("Ada.Lovelace@example.com"));
        // Whose name is made of what hides it.
        CPPUNIT_ASSERT_EQUAL("a**@example.com"s, masked("a*@example.com"));
        CPPUNIT_ASSERT_EQUAL("a**c@example.com"s, masked("a*c@example.com"));
        CPPUNIT_ASSERT_EQUAL("a****c@example.com"s, masked("a***c@example.com"));
    }

    void masksATelephoneNumber() {
        CPPUNIT_ASSERT_EQUAL("+12*****890"s, masked("+1234567890"));
        CPPUNIT_ASSERT_EQUAL("+43********678"s, masked("+4366012345678"));
        CPPUNIT_ASSERT_EQUAL("+12***678"s, masked("+12345678"));
    }

    // Three and three would show all of it.
    void masksAShortNumber() {
        CPPUNIT_ASSERT_EQUAL("+1****67"s, masked("+1234567"));
        CPPUNIT_ASSERT_EQUAL("+1**45"s, masked("+12345"));
        CPPUNIT_ASSERT_EQUAL("+**3"s, masked("+123"));
        CPPUNIT_ASSERT_EQUAL("+*2"s, masked("+12"));
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(DestinationTest);

}  // namespace
}  // namespace otpgate::domain
