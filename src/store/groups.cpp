#include "otpgate/store/groups.h"

#include "store/group_kinds.h"
#include "store/otp_requests.h"
#include "store/session_store.h"

#include <algorithm>
#include <thread>

namespace otpgate::store {

namespace {

// Each is a connection more, of the few hundred that a server takes.
constexpr unsigned kMostThreads = 4;

// One group keeps a core of the database busy. The others make the next one, where all is on one machine. SQLite has
// one writer at a time.
unsigned threadsFor(db::Engine engine) {
    if (engine == db::Engine::Sqlite) return 1;
    return std::clamp(std::thread::hardware_concurrency() / 2, 1U, kMostThreads);
}

}  // namespace

template <typename Call, typename Answer>
Kind<Call, Answer>::Kind(db::Database& database, Work work)
    : work_(work),
      calls_(
          threadsFor(database.engine()),
          [&database, work] {
              return [connection = std::shared_ptr(database.connectForGroups()),
                      work](std::span<const Call* const> calls) { return transact(*connection, work, calls); };
          },
          database.metrics().groupSizes) {}

Groups::Kinds::Kinds(db::Database& database)
    : requests(database, requestOtps),
      guesses(database, verifyOtps),
      refreshes(database, refreshSessions) {}

Groups::Groups(db::Database& database) : kinds_(std::make_unique<Kinds>(database)) {}
Groups::~Groups() = default;

}  // namespace otpgate::store
