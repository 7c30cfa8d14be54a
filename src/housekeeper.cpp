#include "housekeeper.h"

#include "otpgate/store/stores.h"

#include <algorithm>

namespace otpgate {

namespace {

// Well below SigningKeys::kPublishedAhead, so that every process knows a key before any signs with it.
constexpr std::chrono::seconds kTidyEvery{60};
// All tables are walked through, which takes long where they are large.
constexpr std::chrono::minutes kPurgeEvery{10};
constexpr unsigned kPurgeBatch = 200;
// Logins always come first: after each batch it rests for so many times as long as that took, and at least so long.
constexpr int kRestFactor = 15;
constexpr std::chrono::milliseconds kShortestRest{5};

}  // namespace

Housekeeper::Housekeeper(db::Database& database, domain::SigningKeys& keys, domain::SigningKeys& idKeys,
                         crypto::PasswordGate& passwordGate, const RetentionSettings& retention,
                         const crypto::KeyRing& ring, domain::UnfinishedHours& unfinished, Readiness& readiness,
                         const Clock& clock, Random& random, Logger& log)
    : connection_(database.connect()),
      keyStore_(store::makeSigningKeyStore(*connection_)),
      idKeyStore_(store::makeIdTokenKeyStore(*connection_)),
      retentionStore_(store::makeRetentionStore(*connection_)),
      statisticsStore_(store::makeStatisticsStore(*connection_)),
      accountStore_(store::makeAccountStore(*connection_)),
      passwordCosts_(*accountStore_, passwordGate),
      statistics_(*statisticsStore_, unfinished, clock),
      keys_(keys),
      idKeys_(idKeys),
      retention_(retention),
      witness_(*connection_, ring, clock, random),
      readiness_(readiness),
      clock_(clock),
      random_(random),
      log_(log) {}

Housekeeper::~Housekeeper() {
    stop();
}

void Housekeeper::start() {
    thread_ = std::thread([this] { run(); });
}

void Housekeeper::stop() {
    {
        const std::lock_guard lock(mutex_);
        isStopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

bool Housekeeper::isStopping() {
    const std::lock_guard lock(mutex_);
    return isStopping_;
}

void Housekeeper::run() {
    while (!isStopping()) {
        const auto next = SteadyClock::now() + kTidyEvery;
        tidy("signing keys", [this](Timestamp now) { renewKeys(now); });
        tidy("master keys", [this](Timestamp) { witness_.note(); });
        tidy("password costs", [this](Timestamp) { passwordCosts_.reload(); });
        // Before what is old is deleted, so that nothing goes that was not counted.
        tidy("statistics", [this](Timestamp) { count(); });
        tidy("old rows", [this](Timestamp now) { purge(now); });
        readiness_.look();  // which logs what it sees
        std::unique_lock lock(mutex_);
        wake_.wait_until(lock, next, [this] { return isStopping_; });
    }
}

// What one part of the work meets does not keep the others from being done.
void Housekeeper::tidy(std::string_view what, const std::function<void(Timestamp now)>& work) {
    try {
        work(clock_.now());
    } catch (const std::exception& error) {
        // A database that is away is back in a minute or so; nothing here is urgent.
        log_.warning("housekeeping failed", {{"of", what}, {"detail", error.what()}});
    }
}

void Housekeeper::renewKeys(Timestamp now) {
    keys_.reload(*keyStore_, random_, now);
    keys_.removeSpent(*keyStore_, now);
    idKeys_.reload(*idKeyStore_, random_, now);
    idKeys_.removeSpent(*idKeyStore_, now);
}

void Housekeeper::purge(Timestamp now) {
    if (SteadyClock::now() < nextPurge_) return;
    const domain::RetentionStore::Bounds bounds{now,
                                                now - retention_.otpRequests,
                                                now - retention_.sessions,
                                                now - retention_.devices,
                                                now - retention_.audit,
                                                now - retention_.deadLetters};
    workInParts([&] {
        if (!retentionStore_->purge(bounds, kPurgeBatch).isOver) return true;
        nextPurge_ = SteadyClock::now() + kPurgeEvery;
        return false;
    });
}

void Housekeeper::count() {
    workInParts([this] { return statistics_.countUnfinishedOn(); });
    workInParts([this] { return statistics_.countOn(); });
}

// Where the tables are large, keys and readiness would else wait for hours.
void Housekeeper::workInParts(const std::function<bool()>& part) {
    const auto end = SteadyClock::now() + kTidyEvery;
    while (!isStopping() && SteadyClock::now() < end) {
        const auto begin = SteadyClock::now();
        if (!part()) return;
        const auto rest = std::max<SteadyClock::duration>((SteadyClock::now() - begin) * kRestFactor, kShortestRest);
        std::unique_lock lock(mutex_);
        wake_.wait_for(lock, rest, [this] { return isStopping_; });
    }
}

}  // namespace otpgate
