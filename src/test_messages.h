// Test messages, with all that is said on the way: of `otpgate sms-test`, and of administrators.
#pragma once

#include "otpgate/db/connection.h"
#include "otpgate/domain/test_sender.h"
#include "settings.h"

#include <iosfwd>
#include <mutex>

namespace otpgate {

// True where the provider took it. Held to sms.allowed_prefixes and to the day's budget, as codes are.
bool testSms(const Settings& settings, db::Connection& connection, const domain::Destination& number,
             std::ostream& out);

// For the process that serves. `turn`: of all its threads, so that tests that wait for slow servers never take up more
// than one of them.
class TestMessages final : public domain::TestSender {
public:
    TestMessages(const Settings& settings, db::Connection& connection, std::mutex& turn)
        : settings_(settings),
          connection_(connection),
          turn_(turn) {}

    std::optional<domain::TestSending> send(const domain::Destination& recipient) override;

private:
    const Settings& settings_;
    db::Connection& connection_;
    std::mutex& turn_;
};

}  // namespace otpgate
