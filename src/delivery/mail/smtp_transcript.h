// Hears what client and server say to each other, with secrets masked. Implemented by `otpgate mail-test`, told by the
// SMTP classes.
#pragma once

#include <string_view>

namespace otpgate::delivery {

class SmtpTranscript {
public:
    virtual ~SmtpTranscript() = default;
    virtual void sent(std::string_view line) = 0;
    virtual void received(std::string_view line) = 0;  // as the server sent it: not yet fit for a terminal
    virtual void noted(std::string_view text) = 0;     // about the connection: address, TLS, certificate
};

}  // namespace otpgate::delivery
