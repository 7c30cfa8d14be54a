// The quiet work beside the requests: learns of new signing keys and kinds of password hashes, forgets spent ones,
// deletes what retention says, counts what happened, and looks whether users can sign in. One thread with a connection
// of its own.
#pragma once

#include "key_witness.h"
#include "otpgate/base/clock.h"
#include "otpgate/base/log.h"
#include "otpgate/base/random.h"
#include "otpgate/db/connection.h"
#include "otpgate/domain/password_costs.h"
#include "otpgate/domain/signing_keys.h"
#include "otpgate/domain/statistics.h"
#include "otpgate/domain/stores.h"
#include "readiness.h"
#include "settings.h"

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>

namespace otpgate {

class Housekeeper {
public:
    Housekeeper(db::Database& database, domain::SigningKeys& keys, domain::SigningKeys& idKeys,
                crypto::PasswordGate& passwordGate, const RetentionSettings& retention, const crypto::KeyRing& ring,
                domain::UnfinishedHours& unfinished, Readiness& readiness, const Clock& clock, Random& random,
                Logger& log);
    ~Housekeeper();
    Housekeeper(const Housekeeper&) = delete;
    Housekeeper& operator=(const Housekeeper&) = delete;

    void start();
    void stop();

private:
    using SteadyClock = std::chrono::steady_clock;

    void run();
    void tidy(std::string_view what, const std::function<void(Timestamp now)>& work);
    void renewKeys(Timestamp now);
    // Walks through all tables, once every ten minutes, and goes on where it stopped a minute before.
    void purge(Timestamp now);
    // The hours of statistics: those that are over, and what is settled of the one that runs.
    void count();
    // Calls it again and again with rests between, for a minute at most, while it says that there is more to do.
    void workInParts(const std::function<bool()>& part);
    bool isStopping();

    std::unique_ptr<db::Connection> connection_;
    std::unique_ptr<domain::SigningKeyStore> keyStore_;
    std::unique_ptr<domain::SigningKeyStore> idKeyStore_;
    std::unique_ptr<domain::RetentionStore> retentionStore_;
    std::unique_ptr<domain::StatisticsStore> statisticsStore_;
    std::unique_ptr<domain::AccountStore> accountStore_;
    domain::PasswordCosts passwordCosts_;
    domain::Statistics statistics_;
    domain::SigningKeys& keys_;
    domain::SigningKeys& idKeys_;
    const RetentionSettings retention_;
    KeyWitness witness_;
    Readiness& readiness_;
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
