// What ends an SMTP connection. Thrown by the SMTP classes, caught by SmtpTransport.
#pragma once

#include <stdexcept>

namespace otpgate::delivery {

// The connection is of no more use; what() is fit for the log.
class SmtpError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// 421: the server takes its leave (RFC 5321, section 3.8), whatever the message.
class SmtpLeave : public SmtpError {
public:
    using SmtpError::SmtpError;
};

}  // namespace otpgate::delivery
