#include "otpgate/base/settings_reader.h"

#include "otpgate/base/errors.h"
#include "support_cpp/temporary_directory.h"

#include <cppunit/TestFixture.h>
#include <cppunit/extensions/HelperMacros.h>

namespace otpgate {
namespace settings_reader_test {

using namespace std::chrono_literals;
using namespace std::string_literals;
using Environment = std::map<std::string, std::string>;

SettingsReader read(std::string_view text, const Environment& environment = {}) {
    return {"otpgate.conf", text, environment};
}

// The message of the ConfigurationError that the action ends with.
template <typename Action>
std::string mistakeOf(Action action) {
    try {
        action();
    } catch (const ConfigurationError& e) {
        return e.what();
    }
    return "no mistake";
}

std::string mistakeIn(std::string_view text, const Environment& environment = {}) {
    return mistakeOf([&] { read(text, environment); });
}

class SettingsReaderTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(SettingsReaderTest);
    CPPUNIT_TEST(readsSectionsNamesAndValues);
    CPPUNIT_TEST(answersTheDefaultForWhatIsNotSet);
    CPPUNIT_TEST(takesAValueAsItStands);
    CPPUNIT_TEST(readsFilesFromWindows);
    CPPUNIT_TEST(continuesASectionThatComesAgain);
    CPPUNIT_TEST(namesTheLineThatIsNotASetting);
    CPPUNIT_TEST(refusesADuplicateAndNamesBothLines);
    CPPUNIT_TEST(refusesControlCharacters);
    CPPUNIT_TEST(letsTheEnvironmentOverrideTheFile);
    CPPUNIT_TEST(looksAtNoOtherVariables);
    CPPUNIT_TEST(readsWholeNumbersWithinLimits);
    CPPUNIT_TEST(refusesNumbersWithAnythingElse);
    CPPUNIT_TEST(namesTheVariableThatHoldsABadValue);
    CPPUNIT_TEST(readsDurations);
    CPPUNIT_TEST(refusesDurationsOutOfLimits);
    CPPUNIT_TEST(parsesDurationsStrictly);
    CPPUNIT_TEST(readsFlags);
    CPPUNIT_TEST(readsOctalNumbers);
    CPPUNIT_TEST(readsListsWithoutEmptyItems);
    CPPUNIT_TEST(readsOneOfSeveralWords);
    CPPUNIT_TEST(readsASecretFromItsSettingOrTheFirstLineOfItsFile);
    CPPUNIT_TEST(refusesASecretThatIsSetTwice);
    CPPUNIT_TEST(namesASecretFileThatCannotBeRead);
    CPPUNIT_TEST(quotesNoSecret);
    CPPUNIT_TEST(acceptsWhatAllGettersAskedFor);
    CPPUNIT_TEST(namesTheFirstUnknownSettingOfTheFile);
    CPPUNIT_TEST(suggestsTheNearestName);
    CPPUNIT_TEST(suggestsTheSameNameInAnotherSection);
    CPPUNIT_TEST(suggestsNothingForWhatIsFarFromAll);
    CPPUNIT_TEST(refusesUnknownVariables);
    CPPUNIT_TEST(rejectsWithTheOriginOfTheValue);
    CPPUNIT_TEST_SUITE_END();

    void readsSectionsNamesAndValues() {
        auto settings =
            read("environment = development\n\n# a comment\n; another\n[otp]\nlength=8\n [ mail ] \n\tfrom = x\n");
        CPPUNIT_ASSERT_EQUAL("development"s, settings.text("environment", "production"));
        CPPUNIT_ASSERT_EQUAL("8"s, settings.text("otp.length", "6"));
        CPPUNIT_ASSERT_EQUAL("x"s, settings.text("mail.from", ""));
        settings.rejectUnknown();
    }

    void answersTheDefaultForWhatIsNotSet() {
        auto settings = read("");
        CPPUNIT_ASSERT_EQUAL("a"s, settings.text("x.text", "a"));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{5}, settings.integer("x.integer", 5, 1, 10));
        CPPUNIT_ASSERT(settings.duration("x.duration", 5s, 1s, 10s) == 5s);
        CPPUNIT_ASSERT(settings.flag("x.flag", true));
        CPPUNIT_ASSERT_EQUAL(0660U, settings.octal("x.octal", 0660, 0777));
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, settings.choice("x.choice", {"a", "b"}, "b"));
        CPPUNIT_ASSERT_EQUAL(""s, settings.secret("x.secret"));
        CPPUNIT_ASSERT_EQUAL(std::size_t{2}, settings.list("x.list", "a,b").size());
    }

    void takesAValueAsItStands() {
        auto settings = read("a = \"x\" # y = z\nb =\nc=  d\\n e\t\n");
        CPPUNIT_ASSERT_EQUAL("\"x\" # y = z"s, settings.text("a", ""));
        CPPUNIT_ASSERT_EQUAL(""s, settings.text("b", "default"));
        CPPUNIT_ASSERT_EQUAL("d\\n e"s, settings.text("c", ""));
    }

    void readsFilesFromWindows() {
        auto settings = read("[a]\r\n\r\nb = c\r\nd = e");
        CPPUNIT_ASSERT_EQUAL("c"s, settings.text("a.b", ""));
        CPPUNIT_ASSERT_EQUAL("e"s, settings.text("a.d", ""));
    }

    void continuesASectionThatComesAgain() {
        auto settings = read("[a]\nb = 1\n[c]\nd = 2\n[a]\ne = 3\n");
        CPPUNIT_ASSERT_EQUAL("3"s, settings.text("a.e", ""));
        CPPUNIT_ASSERT_EQUAL("otpgate.conf:4: a.b is set already in line 2"s, mistakeIn("[a]\nb = 1\n[a]\nb = 1\n"));
    }

    void namesTheLineThatIsNotASetting() {
        CPPUNIT_ASSERT_EQUAL("otpgate.conf:2: expected name = value"s, mistakeIn("a = b\nlength\n"));
        CPPUNIT_ASSERT_EQUAL("otpgate.conf:1: expected name = value"s, mistakeIn("= 5"));
        CPPUNIT_ASSERT_EQUAL("otpgate.conf:1: expected name = value"s, mistakeIn("otp.length = 5"));
        CPPUNIT_ASSERT_EQUAL("otpgate.conf:1: expected name = value"s, mistakeIn("Length = 5"));
        CPPUNIT_ASSERT_EQUAL("otpgate.conf:3: expected [section]"s, mistakeIn("\n\n[otp\n"));
        CPPUNIT_ASSERT_EQUAL("otpgate.conf:1: expected [section]"s, mistakeIn("[]"));
        CPPUNIT_ASSERT_EQUAL("otpgate.conf:1: expected [section]"s, mistakeIn("["));
    }

    void refusesADuplicateAndNamesBothLines() {
        CPPUNIT_ASSERT_EQUAL("otpgate.conf:4: otp.length is set already in line 2"s,
                             mistakeIn("[otp]\nlength = 6\n\nlength = 6\n"));
    }

    void refusesControlCharacters() {
        CPPUNIT_ASSERT_EQUAL("otpgate.conf:1: the line holds a control character"s, mistakeIn("a = b\0c\n"s));
        CPPUNIT_ASSERT_EQUAL("OTPGATE_A: the value holds a control character"s, mistakeIn("", {{"OTPGATE_A", "b\nc"}}));
    }

    void letsTheEnvironmentOverrideTheFile() {
        auto settings = read("mode = a\n[mail]\nsmtp_host = b\n",
                             {{"OTPGATE_MODE", "c"}, {"OTPGATE_MAIL_SMTP_HOST", ""}, {"OTPGATE_MAIL_FROM", "d"}});
        CPPUNIT_ASSERT_EQUAL("c"s, settings.text("mode", ""));
        CPPUNIT_ASSERT_EQUAL(""s, settings.text("mail.smtp_host", "localhost"));
        CPPUNIT_ASSERT_EQUAL("d"s, settings.text("mail.from", ""));
        settings.rejectUnknown();
    }

    void looksAtNoOtherVariables() {
        read("", {{"PATH", "/bin\n"}, {"OTPGATEX", "y"}, {"otpgate_a", "z"}}).rejectUnknown();
    }

    void readsWholeNumbersWithinLimits() {
        auto settings = read("a = 4\nb = 10\nc = -3\nd = 11\n");
        CPPUNIT_ASSERT_EQUAL(std::int64_t{4}, settings.integer("a", 6, 4, 10));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{10}, settings.integer("b", 6, 4, 10));
        CPPUNIT_ASSERT_EQUAL(std::int64_t{-3}, settings.integer("c", 0, -5, 5));
        CPPUNIT_ASSERT_EQUAL("otpgate.conf:4: d: expected a whole number from 4 to 10, found '11'"s,
                             mistakeOf([&] { settings.integer("d", 6, 4, 10); }));
    }

    void refusesNumbersWithAnythingElse() {
        for (const char* value : {"", "x", "6x", "+6", "0x6", "6.0", "6 # digits", "1,000", "99999999999999999999"}) {
            auto settings = read("a = "s + value);
            CPPUNIT_ASSERT_THROW_MESSAGE(value, settings.integer("a", 1, 0, 1'000'000), ConfigurationError);
        }
        auto settings = read("", {{"OTPGATE_A", " 6"}});
        CPPUNIT_ASSERT_THROW(settings.integer("a", 1, 0, 10), ConfigurationError);
    }

    void namesTheVariableThatHoldsABadValue() {
        auto settings = read("[otp]\nlength = 6\n", {{"OTPGATE_OTP_LENGTH", "six"}});
        CPPUNIT_ASSERT_EQUAL("OTPGATE_OTP_LENGTH: otp.length: expected a whole number from 4 to 10, found 'six'"s,
                             mistakeOf([&] { settings.integer("otp.length", 6, 4, 10); }));
    }

    void readsDurations() {
        auto settings = read("a = 10m\nb = 1500ms\n");
        CPPUNIT_ASSERT(settings.duration("a", 1s, 1s, 1h) == 10min);
        CPPUNIT_ASSERT(settings.duration("b", 1s, 1ms, 1h) == 1500ms);
    }

    void refusesDurationsOutOfLimits() {
        auto settings = read("a = 2h\nb = 500ms\nc = 10\n");
        CPPUNIT_ASSERT_EQUAL("otpgate.conf:1: a: expected a number with ms, s, m, h or d, from 1m to 1h, found '2h'"s,
                             mistakeOf([&] { settings.duration("a", 5min, 1min, 1h); }));
        CPPUNIT_ASSERT_EQUAL(
            "otpgate.conf:2: b: expected a number with ms, s, m, h or d, from 1500ms to 7d, found '500ms'"s,
            mistakeOf([&] { settings.duration("b", 5min, 1500ms, 168h); }));
        CPPUNIT_ASSERT_EQUAL("otpgate.conf:3: c: expected a number with ms, s, m, h or d, from 0ms to 1h, found '10'"s,
                             mistakeOf([&] { settings.duration("c", 5min, 0ms, 1h); }));
    }

    void parsesDurationsStrictly() {
        std::chrono::milliseconds out{-1};
        for (const char* text : {"", "s", "10", "-1s", "+1s", "1 s", "1S", "1min", "1s ", "1.5h",
                                 "99999999999999999999s", "9223372036854775807d"}) {
            CPPUNIT_ASSERT_MESSAGE(text, !parseDuration(text, out));
        }
        CPPUNIT_ASSERT(out == -1ms);
        CPPUNIT_ASSERT(parseDuration("7d", out) && out == 168h);
        CPPUNIT_ASSERT(parseDuration("0s", out) && out == 0ms);
        CPPUNIT_ASSERT(parseDuration("9223372036854775807ms", out));
    }

    void readsFlags() {
        auto settings = read("a = true\nb = false\nc = yes\n");
        CPPUNIT_ASSERT(settings.flag("a", false));
        CPPUNIT_ASSERT(!settings.flag("b", true));
        CPPUNIT_ASSERT_EQUAL("otpgate.conf:3: c: expected one of true, false, found 'yes'"s,
                             mistakeOf([&] { settings.flag("c", true); }));
    }

    void readsOctalNumbers() {
        auto settings = read("a = 0660\nb = 600\nc = 0888\nd = 01777\n");
        CPPUNIT_ASSERT_EQUAL(0660U, settings.octal("a", 0, 0777));
        CPPUNIT_ASSERT_EQUAL(0600U, settings.octal("b", 0, 0777));
        CPPUNIT_ASSERT_EQUAL("otpgate.conf:3: c: expected an octal number up to 0777, found '0888'"s,
                             mistakeOf([&] { settings.octal("c", 0, 0777); }));
        CPPUNIT_ASSERT_THROW(settings.octal("d", 0, 0777), ConfigurationError);
    }

    void readsListsWithoutEmptyItems() {
        auto settings = read("a = 127.0.0.1, 10.0.0.0/8 ,::1\nb =\nc = ,x,,\n");
        CPPUNIT_ASSERT((settings.list("a", "") == std::vector<std::string>{"127.0.0.1", "10.0.0.0/8", "::1"}));
        CPPUNIT_ASSERT(settings.list("b", "x").empty());
        CPPUNIT_ASSERT((settings.list("c", "") == std::vector<std::string>{"x"}));
    }

    void readsOneOfSeveralWords() {
        auto settings = read("a = file\nb = fil\n");
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, settings.choice("a", {"smtp", "file", "null"}, "smtp"));
        CPPUNIT_ASSERT_EQUAL("otpgate.conf:2: b: expected one of smtp, file, null, found 'fil'"s, mistakeOf([&] {
                                 settings.choice("b", {"smtp", "file", "null"}, "smtp");
                             }));
    }

    void readsASecretFromItsSettingOrTheFirstLineOfItsFile() {
        const test::TemporaryDirectory directory;
        const std::string file = directory.write("password", "s3cret word \r\nsecond line\n");
        auto settings = read("a = direct\na_file =\nb =\nb_file = " + file + "\n");
        CPPUNIT_ASSERT_EQUAL("direct"s, settings.secret("a"));
        CPPUNIT_ASSERT_EQUAL("s3cret word "s, settings.secret("b"));
        settings.rejectUnknown();
    }

    void refusesASecretThatIsSetTwice() {
        auto settings = read("[mail]\npassword = x\n", {{"OTPGATE_MAIL_PASSWORD_FILE", "/nowhere"}});
        CPPUNIT_ASSERT_EQUAL(
            "OTPGATE_MAIL_PASSWORD_FILE: mail.password_file: mail.password is set too "
            "(otpgate.conf:2): only one of them may be"s,
            mistakeOf([&] { settings.secret("mail.password"); }));
    }

    void namesASecretFileThatCannotBeRead() {
        const test::TemporaryDirectory directory;
        const std::string empty = directory.write("empty", "\nx\n");
        auto settings = read("a_file = /nowhere/a\nb_file = " + directory.path("") + "\nc_file = " + empty);
        CPPUNIT_ASSERT_EQUAL("otpgate.conf:1: a_file: cannot read /nowhere/a"s,
                             mistakeOf([&] { settings.secret("a"); }));
        CPPUNIT_ASSERT_THROW(settings.secret("b"), ConfigurationError);
        CPPUNIT_ASSERT_EQUAL("otpgate.conf:3: c_file: the first line of " + empty + " is empty",
                             mistakeOf([&] { settings.secret("c"); }));
    }

    void quotesNoSecret() {
        auto settings = read("a = hunter2\na_file = /nowhere\n");
        CPPUNIT_ASSERT(mistakeOf([&] { settings.secret("a"); }).find("hunter2") == std::string::npos);
        CPPUNIT_ASSERT(mistakeOf([&] { settings.rejectUnknown(); }).find("hunter2") == std::string::npos);
        CPPUNIT_ASSERT(mistakeIn("a = b\nhunter2\n").find("hunter2") == std::string::npos);
    }

    void acceptsWhatAllGettersAskedFor() {
        auto settings = read("[x]\na = 1\nb = 1s\nc = true\nd = 7\ne = y\nf = y\ng = y\nh_file =\n");
        settings.integer("x.a", 0, 0, 9);
        settings.duration("x.b", 0s, 0s, 9s);
        settings.flag("x.c", false);
        settings.octal("x.d", 0, 7);
        settings.list("x.e", "");
        settings.choice("x.f", {"y"}, "y");
        settings.text("x.g", "");
        settings.secret("x.h");
        settings.rejectUnknown();
    }

    void namesTheFirstUnknownSettingOfTheFile() {
        const auto settings = read("zeta = 1\nalpha = 2\n", {{"OTPGATE_BETA", "3"}});
        CPPUNIT_ASSERT_EQUAL("otpgate.conf:1: unknown setting: zeta"s, mistakeOf([&] { settings.rejectUnknown(); }));
    }

    void suggestsTheNearestName() {
        auto settings = read("[otp]\n\nlenght = 6\n");
        settings.integer("otp.length", 6, 4, 10);
        settings.integer("otp.max_attempts", 3, 1, 10);
        CPPUNIT_ASSERT_EQUAL("otpgate.conf:3: unknown setting: otp.lenght (did you mean otp.length?)"s,
                             mistakeOf([&] { settings.rejectUnknown(); }));
    }

    void suggestsTheSameNameInAnotherSection() {
        auto settings = read("smtp_port = 25\n[delivery]\n");
        settings.integer("mail.smtp_port", 25, 1, 65535);
        CPPUNIT_ASSERT_EQUAL("otpgate.conf:1: unknown setting: smtp_port (did you mean mail.smtp_port?)"s,
                             mistakeOf([&] { settings.rejectUnknown(); }));
    }

    void suggestsNothingForWhatIsFarFromAll() {
        auto settings = read("[otp]\nlong = 6\n");
        settings.integer("otp.length", 6, 4, 10);
        CPPUNIT_ASSERT_EQUAL("otpgate.conf:2: unknown setting: otp.long"s,
                             mistakeOf([&] { settings.rejectUnknown(); }));
    }

    void refusesUnknownVariables() {
        auto settings = read("", {{"OTPGATE_OTP_LENGHT", "6"}});
        settings.integer("otp.length", 6, 4, 10);
        CPPUNIT_ASSERT_EQUAL(
            "unknown setting in the environment: OTPGATE_OTP_LENGHT (did you mean OTPGATE_OTP_LENGTH?)"s,
            mistakeOf([&] { settings.rejectUnknown(); }));
    }

    void rejectsWithTheOriginOfTheValue() {
        const auto settings = read("[mail]\nfrom = x\n", {{"OTPGATE_MAIL_TO", "y"}});
        CPPUNIT_ASSERT_EQUAL("otpgate.conf:2: mail.from: not an address"s,
                             mistakeOf([&] { settings.reject("mail.from", "not an address"); }));
        CPPUNIT_ASSERT_EQUAL("OTPGATE_MAIL_TO: mail.to: not an address"s,
                             mistakeOf([&] { settings.reject("mail.to", "not an address"); }));
        CPPUNIT_ASSERT_EQUAL("mail.cc: missing"s, mistakeOf([&] { settings.reject("mail.cc", "missing"); }));
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SettingsReaderTest);

}  // namespace settings_reader_test
}  // namespace otpgate
