// What tests/mutants/run puts into copies of sources: whether this process is to behave as the mutant of this name.
#pragma once

#include <cstdlib>
#include <string_view>

namespace otpgate::test {

inline bool isMutant(std::string_view name) {
    static const char* const chosen = std::getenv("OTPGATE_MUTANT");
    return chosen != nullptr && name == chosen;
}

}  // namespace otpgate::test
