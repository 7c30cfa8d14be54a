// The installation that settings describe, looked at from the command line: its database and what must be well for
// somebody to sign in. Shared by health and doctor.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/crypto/random.h"
#include "otpgate/db/connection.h"
#include "settings.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace otpgate::cli {

class Installation {
public:
    explicit Installation(const Settings& settings);

    // In their order: database, clock, migrations, keys, login, service. Each throws what is wrong, and returns what is
    // worth telling, which may be nothing.
    struct Check {
        std::string name;
        std::function<std::string()> run;
    };
    std::vector<Check> checks();

    db::Connection& connection() { return *connection_; }
    const Clock& clock() const { return clock_; }

private:
    void checkKeys();

    const Settings& settings_;
    std::unique_ptr<db::Database> database_;
    std::unique_ptr<db::Connection> connection_;
    crypto::SystemRandom random_;
    SystemClock clock_;
};

// Whether `server.listen` takes connections. Throws ServiceUnavailable.
void requireAnswerAt(const std::string& listen);

}  // namespace otpgate::cli
