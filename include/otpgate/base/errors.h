// The two exceptions that more than one layer knows.
#pragma once

#include <stdexcept>
#include <string>

namespace otpgate {

// Something outside does not answer or is overloaded (the database, a queue): the request ends with 503, the log gets
// what().
class ServiceUnavailable : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// A setting, file or address that the administrator must correct: the start ends with exit code 2 and what() as its one
// line.
class ConfigurationError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

}  // namespace otpgate
