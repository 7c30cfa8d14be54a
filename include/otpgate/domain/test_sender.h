// Sends a test message by the servers that codes go by, at once and beside what waits to be sent. One object a worker
// thread.
#pragma once

#include "otpgate/domain/destination.h"

#include <optional>
#include <string>

namespace otpgate::domain {

struct TestSending {
    bool isSent = false;
    std::string said;  // what was said on the way, line by line, in the servers' own words and without secrets
};

class TestSender {
public:
    virtual ~TestSender() = default;
    // Nullopt: another is being sent by this process, one at a time.
    virtual std::optional<TestSending> send(const Destination& recipient) = 0;
};

}  // namespace otpgate::domain
