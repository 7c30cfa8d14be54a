// Whether somebody could sign in now: what /health/ready tells, and what a process says when it starts.
#pragma once

#include "otpgate/api/routes.h"
#include "otpgate/base/clock.h"
#include "otpgate/base/log.h"
#include "otpgate/base/random.h"
#include "otpgate/crypto/key_ring.h"
#include "otpgate/db/connection.h"
#include "otpgate/domain/signing_keys.h"

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace otpgate {

// Each throws ServiceUnavailable, with the name of what is missing and what to do.
void requireMigrated(db::Connection& connection);
// The clocks of several hosts decide together what a limit grants and when a code ends.
void requireSameClock(db::Connection& connection, const Clock& clock);

void requireOpened(const domain::SigningKeys& keys);

// That the database answers, is migrated, and holds signing keys that our master key opens (the first ones are made).
// Throws ServiceUnavailable that names the database.
void checkStart(const db::Database& database, db::Connection& connection, domain::SigningKeys& keys,
                domain::SigningKeys& idKeys, const Clock& clock, Random& random);

class Readiness {
public:
    // What it is given outlives it.
    Readiness(db::Database& database, const crypto::KeyRing& ring, const domain::SigningKeys& keys, const Clock& clock,
              Random& random, Logger& log);

    // In their order, up to the first that failed. Looked at anew only every other second, however often it is asked;
    // who asks while another looks gets what was seen last. Any thread. What changes is logged.
    std::vector<api::ReadinessCheck> look();

private:
    using SteadyClock = std::chrono::steady_clock;
    std::vector<api::ReadinessCheck> lastSeen(bool mustBeFresh);
    std::vector<api::ReadinessCheck> check();
    void note(const std::vector<api::ReadinessCheck>& checks);

    void noteHost();

    const db::Database& database_;
    const crypto::KeyRing& ring_;
    const domain::SigningKeys& keys_;
    const Clock& clock_;
    Random& random_;
    Logger& log_;
    std::mutex checking_;  // of the connection
    std::unique_ptr<db::Connection> connection_;
    std::mutex mutex_;  // of what follows
    std::vector<api::ReadinessCheck> seen_;
    std::string host_;  // of the database
    SteadyClock::time_point seenAt_;
};

}  // namespace otpgate
