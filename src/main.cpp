// The command line: finds the command, runs it, and turns what ends it early into one line and an exit code.
#include "cli/commands.h"
#include "otpgate/base/errors.h"

#include <algorithm>
#include <iostream>
#include <malloc.h>

namespace {

using otpgate::cli::Command;

// What ends a command early becomes one line and an exit code.
int run(const Command& command, const std::vector<std::string>& arguments) {
    try {
        // Wherever it stands, it is all that is wanted.
        const auto asksForHelp = [](const std::string& word) { return word == "--help" || word == "-h"; };
        if (std::ranges::any_of(arguments, asksForHelp)) {
            std::cout << otpgate::cli::helpOf(command);
            return 0;
        }
        return command.run(otpgate::cli::parse(command, arguments));
    } catch (const otpgate::cli::UsageError& error) {
        std::cerr << "otpgate: " << error.what() << "\n" << otpgate::cli::usageOf(command);
        return 2;
    } catch (const otpgate::ConfigurationError& error) {
        std::cerr << "otpgate: " << error.what() << "\n";
        return 2;
    } catch (const std::exception& error) {
        std::cerr << "otpgate: " << error.what() << "\n";
        return 1;
    }
}

}  // namespace

int main(int argc, char** argv) {
    // Before there is a thread: with an arena of its own each thread would keep what it once needed. Two are not
    // slower.
    mallopt(M_ARENA_MAX, 2);
    std::string name = argc > 1 ? argv[1] : "";
    if (name == "--help" || name == "-h") name = "help";
    if (name == "--version" || name == "-V") name = "version";
    for (const Command& command : otpgate::cli::commands()) {
        if (name == command.name) return run(command, {argv + 2, argv + argc});
    }
    if (!name.empty()) std::cerr << "otpgate: unknown command: " << name << "\n";
    std::cerr << otpgate::cli::overviewOf(otpgate::cli::commands());
    return 2;
}
