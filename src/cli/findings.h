// What `otpgate doctor` and `otpgate setup` have found, for people.
#pragma once

#include "otpgate/base/findings.h"

#include <string>

namespace otpgate::cli {

// What is wrong first, then the doubts, then what is good.
std::string toText(const Findings& findings);

}  // namespace otpgate::cli
