// What to change when a mail server cannot be reached or refuses a message: the usual mistakes. Used by testMail().
#pragma once

#include <string>
#include <string_view>

namespace otpgate::delivery {

// `reason` is one of SmtpTransport; `section` names the server's settings. Empty for what is not usual, and where the
// reason says it already.
std::string smtpAdvice(std::string_view reason, std::string_view section);

}  // namespace otpgate::delivery
