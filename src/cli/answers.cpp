#include "cli/answers.h"

#include "otpgate/base/text.h"

#include <iostream>
#include <unistd.h>

namespace otpgate::cli {

Answers::Answers(const Invocation& invocation)
    : invocation_(invocation),
      asks_(!invocation.has("--no-questions") && isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0) {}

std::optional<std::string> Answers::get(const std::string& option, const std::string& question,
                                        const std::string& now) const {
    if (auto value = invocation_.value(option)) return value;
    if (!asks_) return std::nullopt;
    std::cout << question << (now.empty() ? "" : " [" + now + "]") << ": " << std::flush;
    std::string line;
    if (!std::getline(std::cin, line)) return std::nullopt;
    const std::string answer{trim(line)};
    return answer.empty() ? std::nullopt : std::optional{answer};
}

}  // namespace otpgate::cli
