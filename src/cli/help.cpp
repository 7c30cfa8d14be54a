// otpgate help: of all, of one command, and what is made of the same list for man(1) and bash.
#include "cli/commands.h"

#include <algorithm>
#include <iostream>

namespace otpgate::cli {

int help(const Invocation& invocation) {
    if (invocation.has("--man")) {
        std::cout << manPageOf(commands());
    } else if (invocation.has("--bash")) {
        std::cout << bashCompletionOf(commands());
    } else if (invocation.words.empty()) {
        std::cout << overviewOf(commands());
    } else {
        const std::string& topic = invocation.words.front();
        const auto found =
            std::ranges::find_if(commands(), [&](const Command& command) { return topic == command.name; });
        if (found == commands().end()) throw UsageError("there is no command " + topic);
        std::cout << helpOf(*found);
    }
    return 0;
}

}  // namespace otpgate::cli
