// What setup is told: by options, or by questions where somebody sits at a terminal.
#pragma once

#include "cli/command_line.h"

#include <optional>
#include <string>

namespace otpgate::cli {

class Answers {
public:
    // Asks only at a terminal, and not with --no-questions.
    explicit Answers(const Invocation& invocation);

    // The option's value; else the answer to the question, which shows what is so now; nullopt where there is neither,
    // and nothing is to be changed.
    std::optional<std::string> get(const std::string& option, const std::string& question,
                                   const std::string& now = {}) const;
    // The option's value alone.
    std::optional<std::string> given(const std::string& option) const { return invocation_.value(option); }

private:
    const Invocation& invocation_;
    bool asks_;
};

}  // namespace otpgate::cli
