// Who may have an account here.
#pragma once

#include "otpgate/domain/destination.h"

#include <string>
#include <vector>

namespace otpgate::domain {

// Everybody where nothing is named, and nobody where it is closed. Telephone numbers have no domain: where domains are
// named, only those numbers that are named themselves.
struct SignUpRule {
    std::vector<std::string> domains;    // example.com; *.example.com is each below it
    std::vector<std::string> addresses;  // as Destination::value() has them
    bool isClosed = false;
    bool allows(const Destination& destination) const;
};

}  // namespace otpgate::domain
