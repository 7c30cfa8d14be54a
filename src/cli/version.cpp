#include "cli/commands.h"

#include <iostream>

namespace otpgate::cli {

std::string versionText() {
    return std::string{"otpgate "} + OTPGATE_VERSION;
}

int version(const Invocation&) {
    std::cout << versionText() << "\n";
    return 0;
}

}  // namespace otpgate::cli
