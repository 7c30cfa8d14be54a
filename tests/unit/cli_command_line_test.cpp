#include "cli/command_line.h"
#include "cli/commands.h"

#include <cppunit/extensions/HelperMacros.h>

#include <set>

namespace otpgate::cli {

namespace cli_command_line_test {

const Command kList{"things",
                    "look after things",
                    {{"list", "", "shows them", {{"--json", "", "as JSON"}, {"--match", "TEXT", "some of them"}}},
                     {"show", "ID [PART]", "shows one", {}},
                     {"drop", "ID...", "drops some", {}},
                     {"keep", "[ID...]", "keeps some", {}}},
                    "",
                    nullptr};
const Command kSingle{
    "read", "read a file", {{"", "FILE", "Reads it.", {{"--as", "USER", "as this user"}}}}, "", nullptr};

std::string refusal(const Command& command, const std::vector<std::string>& arguments) {
    try {
        parse(command, arguments);
    } catch (const UsageError& error) {
        return error.what();
    }
    return "understood";
}

using Words = std::vector<std::string>;

class CommandLineTest : public CppUnit::TestFixture {
    CPPUNIT_TEST_SUITE(CommandLineTest);
    CPPUNIT_TEST(optionsStandAnywhere);
    CPPUNIT_TEST(valuesFollowOrAreJoined);
    CPPUNIT_TEST(afterTwoDashesAllAreWords);
    CPPUNIT_TEST(aDashAloneIsAWord);
    CPPUNIT_TEST(theConfigurationMayComeBeforeTheAction);
    CPPUNIT_TEST(whatIsNotUnderstoodIsNamed);
    CPPUNIT_TEST(wordsAreCounted);
    CPPUNIT_TEST(usageHasALineAnAction);
    CPPUNIT_TEST(helpIsNoWiderThanATerminal);
    CPPUNIT_TEST(everyCommandIsInManPageAndCompletion);
    CPPUNIT_TEST(theManPageMasksWhatMeansSomethingToRoff);
    CPPUNIT_TEST_SUITE_END();

    void optionsStandAnywhere() {
        for (const Words& arguments :
             {Words{"list", "--json", "--match", "x"}, Words{"list", "--match", "x", "--json"}}) {
            const auto invocation = parse(kList, arguments);
            CPPUNIT_ASSERT_EQUAL(std::string{"list"}, invocation.action);
            CPPUNIT_ASSERT(invocation.has("--json"));
            CPPUNIT_ASSERT_EQUAL(std::string{"x"}, invocation.value("--match").value());
        }
        CPPUNIT_ASSERT(!parse(kList, {"list"}).has("--json"));
        CPPUNIT_ASSERT(!parse(kList, {"list"}).value("--match"));
    }

    void valuesFollowOrAreJoined() {
        CPPUNIT_ASSERT_EQUAL(std::string{"a=b"}, parse(kList, {"list", "--match=a=b"}).value("--match").value());
        CPPUNIT_ASSERT_EQUAL(std::string{}, parse(kList, {"list", "--match="}).value("--match").value());
        CPPUNIT_ASSERT_EQUAL(std::string{"--json"},
                             parse(kList, {"list", "--match", "--json"}).value("--match").value());
        CPPUNIT_ASSERT_EQUAL(std::string{"/x"}, parse(kSingle, {"f", "--config=/x"}).configPath);
    }

    void afterTwoDashesAllAreWords() {
        CPPUNIT_ASSERT_EQUAL(std::string{"--as"}, parse(kSingle, {"--", "--as"}).words.front());
    }

    void aDashAloneIsAWord() { CPPUNIT_ASSERT_EQUAL(std::string{"-"}, parse(kSingle, {"-"}).words.front()); }

    void theConfigurationMayComeBeforeTheAction() {
        const auto invocation = parse(kList, {"--config", "/x", "show", "1"});
        CPPUNIT_ASSERT_EQUAL(std::string{"/x"}, invocation.configPath);
        CPPUNIT_ASSERT_EQUAL(std::string{"show"}, invocation.action);
    }

    void whatIsNotUnderstoodIsNamed() {
        CPPUNIT_ASSERT_EQUAL(std::string{"say which: list, show, drop, keep"}, refusal(kList, {}));
        CPPUNIT_ASSERT_EQUAL(std::string{"unknown: things lits; there are list, show, drop, keep"},
                             refusal(kList, {"lits"}));
        CPPUNIT_ASSERT_EQUAL(std::string{"unknown option: --jsn"}, refusal(kList, {"list", "--jsn"}));
        CPPUNIT_ASSERT_EQUAL(std::string{"unknown option: --json"}, refusal(kList, {"show", "1", "--json"}));
        CPPUNIT_ASSERT_EQUAL(std::string{"--match needs a value: TEXT"}, refusal(kList, {"list", "--match"}));
        CPPUNIT_ASSERT_EQUAL(std::string{"--json takes no value"}, refusal(kList, {"list", "--json=yes"}));
        CPPUNIT_ASSERT_EQUAL(std::string{"--config needs a value: FILE"}, refusal(kSingle, {"f", "--config"}));
    }

    void wordsAreCounted() {
        CPPUNIT_ASSERT_EQUAL(std::string{"missing: ID"}, refusal(kList, {"show"}));
        CPPUNIT_ASSERT_EQUAL(std::string{"understood"}, refusal(kList, {"show", "1", "2"}));
        CPPUNIT_ASSERT_EQUAL(std::string{"unexpected argument: 3"}, refusal(kList, {"show", "1", "2", "3"}));
        CPPUNIT_ASSERT_EQUAL(std::string{"missing: ID"}, refusal(kList, {"drop"}));
        CPPUNIT_ASSERT_EQUAL(std::size_t{3}, parse(kList, {"drop", "1", "2", "3"}).words.size());
        CPPUNIT_ASSERT_EQUAL(std::string{"understood"}, refusal(kList, {"keep"}));
        CPPUNIT_ASSERT_EQUAL(std::string{"unexpected argument: 1"}, refusal(kList, {"list", "1"}));
    }

    void usageHasALineAnAction() {
        CPPUNIT_ASSERT_EQUAL(std::string{"usage: otpgate things list [--json] [--match TEXT] [--config FILE]\n"
                                         "       otpgate things show ID [PART] [--config FILE]\n"
                                         "       otpgate things drop ID... [--config FILE]\n"
                                         "       otpgate things keep [ID...] [--config FILE]\n"},
                             usageOf(kList));
    }

    void helpIsNoWiderThanATerminal() {
        for (const Command& command : commands()) {
            std::istringstream help(helpOf(command));
            for (std::string line; std::getline(help, line);) {
                CPPUNIT_ASSERT_MESSAGE(std::string{command.name} + ": " + line, line.size() <= 100);
            }
        }
    }

    void everyCommandIsInManPageAndCompletion() {
        const std::string page = manPageOf(commands());
        const std::string completion = bashCompletionOf(commands());
        std::set<std::string> names;
        for (const Command& command : commands()) {
            CPPUNIT_ASSERT(names.insert(command.name).second);
            CPPUNIT_ASSERT(completion.find(std::string{"        "} + command.name + ") actions=") != std::string::npos);
            for (const Action& action : command.actions) {
                for (const Option& option : action.options) {
                    CPPUNIT_ASSERT(completion.find(option.name) != std::string::npos);
                    CPPUNIT_ASSERT(page.find(option.help) != std::string::npos ||
                                   std::string_view{option.help}.find_first_of("-\\") != std::string_view::npos);
                }
            }
        }
    }

    void theManPageMasksWhatMeansSomethingToRoff() {
        const Command odd{"odd", "x", {{"", "", "a\\b -c\n.d", {}}}, "", nullptr};
        const std::string page = manPageOf({odd});
        CPPUNIT_ASSERT(page.find("a\\eb \\-c\n\\&.d") != std::string::npos);
    }
};

CPPUNIT_TEST_SUITE_REGISTRATION(CommandLineTest);

}  // namespace cli_command_line_test
}  // namespace otpgate::cli
