#include "otpgate/domain/destination.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate::domain {
namespace destination_test {

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
    CPPUNIT_TEST(tellsMailboxesFromWhatOnlyTheGrammarAllows);
    CPPUNIT_TEST(refusesWhatCouldReachAMailHeader);
    CPPUNIT_TEST(refusesLettersBeyondAsciiBeforeTheAt);
    CPPUNIT_TEST(takesWhatStandsAroundAPastedAddress);
    CPPUNIT_TEST(readsFullWidthLettersAndWhatNobodySees);
    CPPUNIT_TEST(writesADomainOfAnyScriptInOneForm);
    CPPUNIT_TEST(refusesDomainsThatNobodyCanHave);
    CPPUNIT_TEST(takesUnusualLocalPartsWhereAskedTo);
    CPPUNIT_TEST(quotesForMailServersWhatNeedsIt);
    CPPUNIT_TEST(takesLettersOfOneScriptWhereAskedTo);
    CPPUNIT_TEST(masksCharactersAndNotBytes);
    CPPUNIT_TEST(readsANumberAsItIsWritten);
    CPPUNIT_TEST(readsDigitsOfAnyScript);
    CPPUNIT_TEST(looksAtNoEndlessText);
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

    // The first two are in no numbering plan; clients of other services register with such.
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
        CPPUNIT_ASSERT_EQUAL("ada@example.org"s, valueOf("\r\n ada@example.org\n"));
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
              "ada@example.org@", "ada(x)@example.org", "ada@example.org, eve@example.org",
              "ada@example.org;eve@example.org", "a\\b@example.org"}) {
            refuses(text);
        }
    }

    // What the grammar of RFC 5322 has and no mailbox needs: comments, folds, quoted pairs, literals of domains,
    // routes. Whoever validates by it takes several texts for one mailbox, and one mailbox is one account.
    void tellsMailboxesFromWhatOnlyTheGrammarAllows() {
        for (const char* text :
             {"ada+tag@example.org", "ada_b@example.org", "1234567890@example.org", "-@example.org", "a@b.co",
              "ada@xn--nxasmq6b.example", "ada@1.example.org", "ada@sub-domain.example.org", "a@0-9.example",
              "{ada}@example.org", "ada/dept=x@example.org", "ada@example.museum"}) {
            CPPUNIT_ASSERT_EQUAL(std::string{text}, valueOf(text));
        }
        for (const char* text : {"ada(comment)@example.org",
                                 "(comment)ada@example.org",
                                 "ada@(comment)example.org",
                                 "ada@example.org(comment)",
                                 "ada@[127.0.0.1]",
                                 "ada@[IPv6:::1]",
                                 "ada@[tag:text]",
                                 "@relay.example,@other.example:ada@example.org",
                                 "\"ada\\ b\"@example.org",
                                 "\"ada\".b@example.org",
                                 "ada.\"b\"@example.org",
                                 "ada @example.org",
                                 "ada@ example.org",
                                 "ada. b@example.org",
                                 "group: ada@example.org;",
                                 "ada@example.org/x",
                                 "ada@example.org:25",
                                 "ada@example..org",
                                 "ada@.example.org",
                                 "ada@-example.org",
                                 "ada@example-.org",
                                 "ada@exam_ple.org",
                                 "ada@example.org\\",
                                 "ada@@",
                                 "@@",
                                 "ada@\"",
                                 "\"@example.org",
                                 "ada@exa[mple.org",
                                 "ada@{example}.org"}) {
            refuses(text);
        }
    }

    void refusesWhatCouldReachAMailHeader() {
        for (const char* text :
             {"ada@example.org\r\nBcc: eve@example.org", "ada@example.org\nBcc: eve@example.org", "ada\r\n@example.org",
              "a da@example.org", "ada@exa mple.org", "<ada@example.org> <eve@example.org>",
              "ada@example.org <eve@example.org>", "ada>@example.org", "\"ada\"@example.org", "\"a b\"@example.org",
              "ada@\"example.org\"", "ada@example.org\x7f", "a\tda@example.org", "ada@example.org\x1b"}) {
            refuses(text);
        }
        refuses("ada@example.org\0"s);
        refuses("ada\0@example.org"s);
        refuses("ada@exam\0ple.org"s);
        refuses("+123456\0007890"s);
    }

    // They need SMTPUTF8 all the way, and too many look alike.
    void refusesLettersBeyondAsciiBeforeTheAt() {
        for (const char* text : {"j\u00f6rg@example.org", "\u0430da@example.org", "ada\xff@example.org",
                                 "\u0130da@example.org", "a\u200db@example.org\xff"}) {
            refuses(text);
        }
    }

    void takesWhatStandsAroundAPastedAddress() {
        for (const char* text :
             {"<ada@example.org>", "Ada <ada@example.org>", "\"Lovelace, Ada\" <ada@example.org>", "(ada@example.org)",
              "[ada@example.org]", "\"ada@example.org\"", "'ada@example.org'", "\u201cada@example.org\u201d",
              "\u00abada@example.org\u00bb", "mailto:ada@example.org", "MAILTO:Ada@Example.org?subject=Hello",
              "<mailto:ada@example.org>", "ada@example.org.", "ada@example.org,", "ada@example.org;",
              "- ada@example.org", "\u2013 ada@example.org \u2013", "\u2022 ada@example.org",
              "\"<ada@example.org>\", "}) {
            CPPUNIT_ASSERT_EQUAL_MESSAGE(text, "ada@example.org"s, valueOf(text));
        }
        CPPUNIT_ASSERT_EQUAL("'t.hart@example.org"s, valueOf("'t.hart@example.org"));
        CPPUNIT_ASSERT_EQUAL("{ada}@example.org"s, valueOf("{ada}@example.org"));
        CPPUNIT_ASSERT_EQUAL("+4930123456"s, valueOf("\u201c+49 30 123456\u201d."));
    }

    void readsFullWidthLettersAndWhatNobodySees() {
        for (const char* text :
             {"\u00a0ada@example.org", "ada@example.org\u200b", "\ufeffada@example.org", "\u200eada@example.org\u200f",
              "\u2066ada@example.org\u2069", "a\u00adda@exam\u200bple.org", "ada\u200d@example.org\u200c",
              "\uff41\uff44\uff41\uff20\uff45xample.org", "ada@example\u3002org", "ada@example\uff0eorg",
              "ada@example.org\ufe0f"}) {
            CPPUNIT_ASSERT_EQUAL_MESSAGE(text, "ada@example.org"s, valueOf(text));
        }
    }

    // Who signs in by either form is one user.
    void writesADomainOfAnyScriptInOneForm() {
        for (const char* text : {"info@m\u00fcller.example", "info@mu\u0308ller.example", "Info@M\u00dcLLER.Example",
                                 "info@xn--mller-kva.example", "INFO@XN--MLLER-KVA.example",
                                 "info@m\u00fcller\u3002example", "<info@m\u200b\u00fcller.example>"}) {
            CPPUNIT_ASSERT_EQUAL_MESSAGE(text, "info@xn--mller-kva.example"s, valueOf(text));
        }
        CPPUNIT_ASSERT_EQUAL("a@xn--strae-oqa.example"s,
                             valueOf("a@stra\u00dfe.example"));  // as browsers have it today
        CPPUNIT_ASSERT_EQUAL("a@xn--fiqs8s"s, valueOf("a@\u4e2d\u56fd"));
        CPPUNIT_ASSERT_EQUAL("ada@xn--exmple-cua.org"s, valueOf("ada@ex\u00e4mple.org"));
        // The joiner belongs to the word.
        CPPUNIT_ASSERT_EQUAL("a@xn--10cl1a0b660p.example"s, valueOf("a@\u0dc1\u0dca\u200d\u0dbb\u0dd3.example"));
    }

    void refusesDomainsThatNobodyCanHave() {
        for (const char* host :
             {"m\u00fcller..example", "-m\u00fcller.example", "m\u00fcl ler.example", "m\u00fcller_x.example",
              "m\u00fcller\u2100.example", "\u05d0a.example", "m\u00fcller.example/x", "\u0301a.example"}) {
            refuses("ada@"s + host);
        }
        std::string longest = "ada@";
        for (int i = 0; i < 63; ++i) longest += "\u00fc";
        refuses(longest + ".example");
    }

    void takesUnusualLocalPartsWhereAskedTo() {
        const auto lenient = [](std::string_view text) {
            const auto destination = Destination::parse(text, EmailValidation::Lenient);
            return destination ? destination->value() : "refused";
        };
        for (const char* text : {"a..b@docomo.example", "a.b.@docomo.example", ".a@docomo.example",
                                 "\"a b\"@example.org", "\"a,b\"@example.org", "\"a@b\"@example.org"}) {
            CPPUNIT_ASSERT_EQUAL("refused"s, valueOf(text));
            CPPUNIT_ASSERT_EQUAL(std::string{text}, lenient(text));
        }
        // One mailbox, one text.
        CPPUNIT_ASSERT_EQUAL("a..b@docomo.example"s, lenient("\"A..B\"@docomo.example"));
        CPPUNIT_ASSERT_EQUAL("ada@example.org"s, lenient("\"ada\"@example.org"));
        for (const std::string& text :
             {"..@example.org"s, "\"\"@example.org"s, "\"a\\\"b\"@example.org"s, "\"a\"b\"@example.org"s,
              "\"a<b>\"@example.org"s, "\"a\x01\"@example.org"s, "a b@example.org"s, "\"a@example.org"s,
              "\"" + std::string(63, 'a') + "\"@b.c"}) {
            CPPUNIT_ASSERT_EQUAL("refused"s, lenient(text));
        }
    }

    void quotesForMailServersWhatNeedsIt() {
        const auto mailbox = [](std::string_view text) {
            return Destination::parse(text, EmailValidation::Lenient).value().mailbox();
        };
        CPPUNIT_ASSERT_EQUAL("ada@example.org"s, mailbox("ada@example.org"));
        CPPUNIT_ASSERT_EQUAL("\"a..b\"@docomo.example"s, mailbox("a..b@docomo.example"));
        CPPUNIT_ASSERT_EQUAL("\"a b\"@example.org"s, mailbox("\"a b\"@example.org"));
    }

    static std::string international(std::string_view text) {
        const auto destination = Destination::parse(text, EmailValidation::International);
        return destination ? destination->mailbox() : "refused";
    }

    void takesLettersOfOneScriptWhereAskedTo() {
        for (const char* text : {"j\u00f6rg@example.org", "JO\u0308RG@Example.org", " <J\u00d6RG@example.org>"})
            CPPUNIT_ASSERT_EQUAL_MESSAGE(text, "j\u00f6rg@example.org"s, international(text));
        CPPUNIT_ASSERT_EQUAL("\u0438\u0432\u0430\u043d.2@xn--e1afmkfd.example"s,
                             international("\u0418\u0412\u0410\u041d.2@\u043f\u0440\u0438\u043c\u0435\u0440.example"));
        CPPUNIT_ASSERT_EQUAL("\u592a\u90ce+a@example.org"s, international("\u592a\u90ce+a@example.org"));
        // A Cyrillic a among Latin letters, a sign, a mark that stands on nothing, dots, quotes, a relay, what is no
        // UTF-8.
        for (const char* text : {"\u0430da@example.org", "ad\u0430m@example.org", "j\u00f6rg\u2603@example.org",
                                 "\u0301a@example.org", ".j\u00f6rg@example.org", "j\u00f6..rg@example.org",
                                 "\"j\u00f6rg\"@example.org", "j\u00f6rg%x@example.org", "j\xffrg@example.org",
                                 "j\u00f6<rg@example.org", "j\u00f6\x01rg@example.org"}) {
            CPPUNIT_ASSERT_EQUAL_MESSAGE(text, "refused"s, international(text));
        }
        CPPUNIT_ASSERT_EQUAL("refused"s, international(std::string(63, 'a') + "\u00f6@example.org"));
        // What the others take.
        CPPUNIT_ASSERT_EQUAL("ada@example.org"s, international("Ada@example.org"));
        CPPUNIT_ASSERT_EQUAL("\"a..b\"@docomo.example"s, international("a..b@docomo.example"));
    }

    void masksCharactersAndNotBytes() {
        const auto masked = [](std::string_view text) {
            return Destination::parse(text, EmailValidation::International).value().masked();
        };
        CPPUNIT_ASSERT_EQUAL("\u00f6***\u00e9@example.org"s, masked("\u00f6abc\u00e9@example.org"));
        CPPUNIT_ASSERT_EQUAL("\u592a*@example.org"s, masked("\u592a\u90ce@example.org"));
    }

    void readsANumberAsItIsWritten() {
        for (const char* text :
             {"+49 30 123-456", "+49 (0)30 123 456", "+49 (30) 123.456", "+49/30/123456", "(+49) 30 123456",
              "tel:+49-30-123456", "TEL:+4930123456", "<tel:+49-30-123456>", "+49\u00a030\u2011123\u2013456",
              "\u202a+4930123456\u202c", "+49\u200b30123456", " +4930123456.\n", "\u2212 +49 30 123 456"}) {
            CPPUNIT_ASSERT_EQUAL_MESSAGE(text, "+4930123456"s, valueOf(text));
        }
    }

    void readsDigitsOfAnyScript() {
        for (const char* text : {"+\u0664\u0669\u0663\u0660\u0661\u0662\u0663\u0664\u0665\u0666",  // Arabic
                                 "+\u06f4\u06f9\u06f3\u06f0\u06f1\u06f2\u06f3\u06f4\u06f5\u06f6",  // Persian
                                 "+\u096a\u096f\u0969\u0966\u0967\u0968\u0969\u096a\u096b\u096c",  // Hindi
                                 "\uff0b\uff14\uff19\uff13\uff10\uff11\uff12\uff13\uff14\uff15\uff16"}) {
            CPPUNIT_ASSERT_EQUAL_MESSAGE(text, "+4930123456"s, valueOf(text));
        }
        CPPUNIT_ASSERT_EQUAL("a12@example.org"s, valueOf("a\u0661\u0662@example.org"));
    }

    void looksAtNoEndlessText() {
        refuses(std::string(2000, ' ') + "ada@example.org");
        refuses("+" + std::string(2000, ' ') + "4930123456");
        CPPUNIT_ASSERT_EQUAL("ada@example.org"s,
                             valueOf(std::string(500, '<') + "ada@example.org" + std::string(500, '>')));
    }

    void refusesBadHostNames() {
        for (const char* host : {".example.org", "example..org", "-example.org", "example-.org", "exam_ple.org",
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
        for (const char* text : {"1234567890", "0043660123456", "+0123456789", "12 345 67+", "+12345+67", "++1234567",
                                 "+1234567a", "+1 800 FLOWERS", "tel:1234567", "+1234567;ext=1", "-1234567", "+(0)"}) {
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

}  // namespace destination_test
}  // namespace otpgate::domain
