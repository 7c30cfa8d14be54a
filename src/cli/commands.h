// The subcommands of the binary. Each returns an exit code: 0 done, 1 failed, 2 used or configured wrongly. What ends
// one early is an exception; main.cpp turns it into one line on standard error.
#pragma once

#include "cli/command_line.h"

#include <vector>

namespace otpgate::cli {

// All of them, in the order of the help.
const std::vector<Command>& commands();

// What `otpgate migrate` does.
void migrateDatabase(const Settings& settings);

std::string versionText();  // "otpgate 1.2.3"

int serve(const Invocation& invocation);
int deliver(const Invocation& invocation);
int migrate(const Invocation& invocation);
int backup(const Invocation& invocation);
int restore(const Invocation& invocation);
int copyData(const Invocation& invocation);
int checkConfig(const Invocation& invocation);
int keys(const Invocation& invocation);
int audit(const Invocation& invocation);
int stats(const Invocation& invocation);
int outbox(const Invocation& invocation);
int user(const Invocation& invocation);
int group(const Invocation& invocation);
int client(const Invocation& invocation);
int webhook(const Invocation& invocation);
int importUsers(const Invocation& invocation);
int importDjango(const Invocation& invocation);
int mailTest(const Invocation& invocation);
int smsTest(const Invocation& invocation);
int health(const Invocation& invocation);
int doctor(const Invocation& invocation);
int setup(const Invocation& invocation);
int templates(const Invocation& invocation);
int help(const Invocation& invocation);
int version(const Invocation& invocation);

}  // namespace otpgate::cli
