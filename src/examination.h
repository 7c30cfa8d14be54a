// What is wrong with an installation, as far as its settings, its database and its servers for messages tell: for
// `otpgate doctor`, which looks at the way to the service, too, and for the page of administrators.
#pragma once

#include "otpgate/api/routes.h"
#include "otpgate/base/clock.h"
#include "otpgate/base/findings.h"
#include "otpgate/db/connection.h"
#include "readiness.h"
#include "settings.h"

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>

namespace otpgate {

// What needs a database that answers says so itself; the other checks go on.
void examine(const char* check, Findings& findings, const std::function<void()>& look);

// What one of the checks of readiness found, why it matters and what to do.
void tellCheck(const api::ReadinessCheck& check, Findings& findings);

// The rest, in the order of looking. Greets the mail servers, and sends nothing.
void examineService(const Settings& settings, db::Connection& connection, Timestamp now, Findings& findings);

// Both within the process that serves: one at a time, for it talks to mail servers, and anew only after a while,
// however often it is asked. Any thread, each with its own connection.
class Examiner {
public:
    Examiner(const Settings& settings, Readiness& readiness, const Clock& clock)
        : settings_(settings),
          readiness_(readiness),
          clock_(clock) {}

    // What was seen last, where another looks. Nullopt: that is the first look of all.
    std::optional<Findings> look(db::Connection& connection);

private:
    using SteadyClock = std::chrono::steady_clock;
    static constexpr std::chrono::seconds kSeenFor{10};

    const Settings& settings_;
    Readiness& readiness_;
    const Clock& clock_;
    std::mutex examining_;  // whose turn it is to look
    std::mutex mutex_;      // of what follows
    std::optional<Findings> seen_;
    SteadyClock::time_point seenAt_ = SteadyClock::now() - kSeenFor;
};

}  // namespace otpgate
