// What a scripted server does in place of an answer.
#pragma once

#include <string>

namespace otpgate::test {

inline const std::string kStall = "(stall)";  // says nothing until the client goes away
inline const std::string kDrip = "(drip)";    // a little now and then, never a whole line, without end
inline const std::string kClose = "(close)";  // hangs up

}  // namespace otpgate::test
