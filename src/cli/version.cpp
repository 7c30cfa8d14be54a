#include "cli/commands.h"

#include <iostream>

namespace otpgate::cli {

int version(const Invocation&) {
    std::cout << "otpgate " << OTPGATE_VERSION << "\n";
    return 0;
}

}  // namespace otpgate::cli
