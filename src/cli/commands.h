// The subcommands of the binary. Each returns an exit code: 0 done, 1 failed, 2 used or configured wrongly. What ends
// one early is an exception; main.cpp turns it into one line on standard error.
#pragma once

#include "settings.h"

#include <stdexcept>
#include <string>
#include <vector>

namespace otpgate::cli {

struct Invocation {
    std::string configPath;              // of --config; empty: the default
    std::vector<std::string> arguments;  // what follows the command, without --config
    Settings settings() const;           // reads file and environment
};

// The arguments were not understood: main.cpp shows the message and the command's usage, and exits with 2.
class UsageError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct Command {
    const char* name;
    const char* usage;    // after "otpgate NAME"
    const char* summary;  // one line for the list
    const char* help;     // the rest of --help
    int (*run)(const Invocation&);
};

// All of them, in the order of the help.
const std::vector<Command>& commands();

// What `otpgate migrate` does.
void migrateDatabase(const Settings& settings);

int serve(const Invocation& invocation);
int deliver(const Invocation& invocation);
int migrate(const Invocation& invocation);
int checkConfig(const Invocation& invocation);
int keys(const Invocation& invocation);
int audit(const Invocation& invocation);
int outbox(const Invocation& invocation);
int user(const Invocation& invocation);
int importDjango(const Invocation& invocation);
int mailTest(const Invocation& invocation);
int smsTest(const Invocation& invocation);
int health(const Invocation& invocation);
int templates(const Invocation& invocation);
int version(const Invocation& invocation);

}  // namespace otpgate::cli
