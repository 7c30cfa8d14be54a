#include "fuzz/fuzz.h"

namespace otpgate::fuzz {

std::map<std::string, Target>& targets() {
    static std::map<std::string, Target> all;
    return all;
}

}  // namespace otpgate::fuzz
