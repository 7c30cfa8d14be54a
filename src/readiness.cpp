#include "readiness.h"

#include "key_witness.h"
#include "otpgate/base/errors.h"
#include "otpgate/db/migrator.h"
#include "otpgate/db/own_tables.h"
#include "otpgate/store/login_trial.h"
#include "otpgate/store/stores.h"

#include <cstdlib>
#include <functional>
#include <utility>

namespace otpgate {

using namespace std::chrono_literals;
using api::ReadinessCheck;

namespace {

constexpr auto kSeenFor = 2s;
// Of hosts that some time service keeps; a code lives for minutes.
constexpr auto kMostSkew = 30s;

std::string faultOf(const std::vector<ReadinessCheck>& checks) {
    if (checks.empty() || checks.back().fault.empty()) return {};
    return checks.back().name + ": " + checks.back().fault;
}

}  // namespace

void requireMigrated(db::Connection& connection) {
    const auto pending = db::pendingMigrations(connection, db::sqlFiles());
    if (!pending.empty())
        throw ServiceUnavailable("the database is not migrated (" + pending.front() + "): run otpgate migrate");
    const auto missing = db::missingTables(connection, db::sqlFiles());
    if (!missing.empty())
        throw ServiceUnavailable("the table " + missing.front() +
                                 " is missing, which a migration made: a part of a dump" +
                                 " was restored, or somebody dropped it; restore the whole one into an empty database");
}

void requireSameClock(db::Connection& connection, const Clock& clock) {
    if (connection.engine() == db::Engine::Sqlite) return;
    const auto before = clock.now();
    const auto row = connection.queryOne("SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))");
    const auto ahead = before - row.value().timestamp(0);
    if (std::chrono::abs(ahead) <= kMostSkew) return;
    const auto seconds = std::chrono::round<std::chrono::seconds>(std::chrono::abs(ahead));
    throw ServiceUnavailable("this host's clock is " + std::to_string(seconds.count()) + " seconds " +
                             (ahead.count() > 0 ? "ahead of" : "behind") +
                             " the database's: let a time service (chrony, systemd-timesyncd) set both");
}

void requireOpened(const domain::SigningKeys& keys) {
    const auto unopened = keys.unopened();
    if (unopened.empty()) return;
    throw ServiceUnavailable(
        "signing key " + unopened.front() +
        " does not open: the line of the master key that sealed it is not in this host's key file");
}

void checkStart(const db::Database& database, db::Connection& connection, domain::SigningKeys& keys,
                domain::SigningKeys& idKeys, const Clock& clock, Random& random) {
    try {
        requireSameClock(connection, clock);
        requireMigrated(connection);
        keys.reload(*store::makeSigningKeyStore(connection), random, clock.now());
        idKeys.reload(*store::makeIdTokenKeyStore(connection), random, clock.now());
    } catch (const ServiceUnavailable& error) {
        throw ServiceUnavailable("database " + database.describe() + ": " + error.what());
    }
}

Readiness::Readiness(db::Database& database, const crypto::KeyRing& ring, const domain::SigningKeys& keys,
                     const Clock& clock, Random& random, Logger& log)
    : database_(database),
      ring_(ring),
      keys_(keys),
      clock_(clock),
      random_(random),
      log_(log),
      connection_(database.connect()),
      host_(database.currentHost()) {}

std::vector<ReadinessCheck> Readiness::look() {
    std::unique_lock turn(checking_, std::try_to_lock);
    if (auto seen = lastSeen(turn.owns_lock()); !seen.empty()) return seen;
    if (!turn) {
        turn.lock();  // the first look of all
        if (auto seen = lastSeen(true); !seen.empty()) return seen;
    }
    auto checks = check();
    const std::lock_guard lock(mutex_);
    note(checks);
    noteHost();
    seen_ = std::move(checks);
    seenAt_ = SteadyClock::now();
    return seen_;
}

// Nothing where it is to be looked at anew.
std::vector<ReadinessCheck> Readiness::lastSeen(bool mustBeFresh) {
    const std::lock_guard lock(mutex_);
    if (mustBeFresh && SteadyClock::now() - seenAt_ >= kSeenFor) return {};
    return seen_;
}

std::vector<ReadinessCheck> Readiness::check() {
    const std::pair<const char*, std::function<void()>> steps[] = {
        {"database", [this] { connection_->query("SELECT 1"); }},
        {"clock", [this] { requireSameClock(*connection_, clock_); }},
        {"migrations", [this] { requireMigrated(*connection_); }},
        {"keys",
         [this] {
             requireOpened(keys_);
             requireKnownKey(*connection_, ring_, clock_.now());
         }},
        {"login", [this] { store::tryLogin(*connection_, random_, clock_.now()); }},
    };
    std::vector<ReadinessCheck> checks;
    for (const auto& [name, step] : steps) {
        checks.push_back({name, {}});
        try {
            step();
            if (checks.size() == 1) checks.back().detail = database_.currentHost();
        } catch (const std::exception& error) {
            checks.back().fault = error.what();
            break;
        }
    }
    return checks;
}

void Readiness::noteHost() {
    const std::string now = database_.currentHost();
    if (now == host_) return;
    log_.warning("another host of the database is used", {{"host", now}, {"before", host_}});
    host_ = now;
}

void Readiness::note(const std::vector<ReadinessCheck>& checks) {
    const std::string before = faultOf(seen_);
    const std::string now = faultOf(checks);
    if (now == before) return;
    if (now.empty())
        log_.info("users can sign in again");
    else
        log_.warning("users cannot sign in", {{"reason", now}});
}

}  // namespace otpgate
