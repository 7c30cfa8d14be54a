// What a command line may say, as data: parsing, usage, --help, the man page and the completion of the shell are all
// made of it, so none of them can know an option that another does not.
#pragma once

#include "settings.h"

#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace otpgate::cli {

struct Option {
    const char* name;   // "--json"
    const char* value;  // what it takes, as the usage names it; empty: nothing; "URI...": it may come several times
    const char* help;   // a sentence, lower case, without a full stop
};

// What a command does. One of several has a name: `user list`.
struct Action {
    const char* name;   // empty where the command has only one
    const char* words;  // "WHO", "[DIRECTORY]", "ID...", "[ID...]", separated by blanks
    const char* help;
    std::vector<Option> options;
};

// A command line that was understood.
struct Invocation {
    std::string configPath;                      // of --config; empty: the default
    std::string action;                          // the name of the action
    std::vector<std::string> words;              // as many as the action allows
    std::map<std::string, std::string> options;  // by their names, "--json"; of several the last, or all by blanks
    bool has(const std::string& option) const { return options.contains(option); }
    std::optional<std::string> value(const std::string& option) const;
    Settings settings() const;  // reads file and environment
};

struct Command {
    const char* name;
    const char* summary;  // one line for the list
    std::vector<Action> actions;
    const char*
        notes;  // the rest of --help, paragraphs separated by an empty line; a line that begins with a blank stands
    int (*run)(const Invocation&);
};

// The arguments were not understood: main.cpp shows the message and the usage, and exits with 2.
class UsageError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// What follows the command's name. Options may stand anywhere, as `--name value` or `--name=value`; after `--` all are
// words.
Invocation parse(const Command& command, const std::vector<std::string>& arguments);

// "otpgate user show WHO [--json] [--config FILE]", a line an action.
std::string usageOf(const Command& command);
std::string helpOf(const Command& command);

std::string overviewOf(const std::vector<Command>& commands);
std::string manPageOf(const std::vector<Command>& commands);         // roff, for man(1)
std::string bashCompletionOf(const std::vector<Command>& commands);  // for bash-completion

}  // namespace otpgate::cli
