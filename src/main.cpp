// The command line: finds the command, runs it, and turns what ends it early into one line and an exit code.
#include "cli/commands.h"
#include "otpgate/base/errors.h"

#include <cstring>
#include <iostream>
#include <malloc.h>

namespace {

using otpgate::cli::Command;
using otpgate::cli::Invocation;

void showOverview(std::ostream& out) {
    out << "usage: otpgate COMMAND [--config FILE]\n\n";
    for (const Command& command : otpgate::cli::commands()) {
        out << "  " << command.name << std::string(14 - std::strlen(command.name), ' ') << command.summary << "\n";
    }
    out << "\notpgate COMMAND --help says more. Settings are described in otpgate.conf.\n";
}

void showHelp(const Command& command) {
    std::cout << "usage: otpgate " << command.name << " " << command.usage << "\n\n"
              << command.summary << "\n\n"
              << command.help;
}

int run(const Command& command, int argc, char** argv) {
    Invocation invocation;
    for (int i = 2; i < argc; ++i) {
        const std::string_view argument = argv[i];
        if (argument == "--help") {
            showHelp(command);
            return 0;
        }
        if (argument == "--config") {
            if (++i == argc) throw otpgate::cli::UsageError("--config needs a file");
            invocation.configPath = argv[i];
        } else {
            invocation.arguments.emplace_back(argument);
        }
    }
    return command.run(invocation);
}

}  // namespace

int main(int argc, char** argv) {
    // Before there is a thread: with an arena of its own each thread would keep what it once needed. Two are not
    // slower.
    mallopt(M_ARENA_MAX, 2);
    const std::string_view name = argc > 1 ? argv[1] : "";
    if (name == "--help" || name == "help") {
        showOverview(std::cout);
        return 0;
    }
    for (const Command& command : otpgate::cli::commands()) {
        if (name != command.name) continue;
        try {
            return run(command, argc, argv);
        } catch (const otpgate::cli::UsageError& error) {
            std::cerr << "otpgate: " << error.what() << "\nusage: otpgate " << command.name << " " << command.usage
                      << "\n";
            return 2;
        } catch (const otpgate::ConfigurationError& error) {
            std::cerr << "otpgate: " << error.what() << "\n";
            return 2;
        } catch (const std::exception& error) {
            std::cerr << "otpgate: " << error.what() << "\n";
            return 1;
        }
    }
    if (!name.empty()) std::cerr << "otpgate: unknown command: " << name << "\n";
    showOverview(std::cerr);
    return 2;
}
