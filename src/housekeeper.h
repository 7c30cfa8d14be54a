// The quiet work beside the requests: learns of new signing keys and kinds of password hashes, forgets spent ones,
// deletes what retention says. One thread with a connection of its own.
#pragma once

#include "otpgate/base/clock.h"
#include "otpgate/base/log.h"
#include "otpgate/base/random.h"
#include "otpgate/db/connection.h"
#include "otpgate/domain/password_costs.h"
#include "otpgate/domain/signing_keys.h"
#include "otpgate/domain/stores.h"
#include "settings.h"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

namespace otpgate {

class Housekeeper {
public:
    Housekeeper(db::Database& database, domain::SigningKeys& keys, crypto::PasswordGate& passwordGate,
                const RetentionSettings& retention, const Clock& clock, Random& random, Logger& log);
    ~Housekeeper();
    Housekeeper(const Housekeeper&) = delete;
    Housekeeper& operator=(const Housekeeper&) = delete;

    void start();
    void stop();

private:
    using SteadyClock = std::chrono::steady_clock;

    void run();
    void tidy();
    // Walks once through all tables.
    void purge(Timestamp now);
    bool isStopping();

    std::unique_ptr<db::Connection> connection_;
    std::unique_ptr<domain::SigningKeyStore> keyStore_;
    std::unique_ptr<domain::RetentionStore> retentionStore_;
    std::unique_ptr<domain::AccountStore> accountStore_;
    domain::PasswordCosts passwordCosts_;
    domain::SigningKeys& keys_;
    const RetentionSettings retention_;
    const Clock& clock_;
    Random& random_;
    Logger& log_;

    std::mutex mutex_;
    std::condition_variable wake_;
    bool isStopping_ = false;
    std::thread thread_;
    SteadyClock::time_point nextPurge_;  // the thread's own
};

}  // namespace otpgate
