#include "otpgate/store/groups.h"

#include "store/group_queue.h"

#include <algorithm>
#include <thread>

namespace otpgate::store {

namespace {

// Each is a connection more, of the few hundred that a server takes.
constexpr unsigned kMostGroups = 4;

// One group keeps a core of the database busy. The others make the next one, where all is on one machine. SQLite has
// one writer at a time.
unsigned groupsAtOnce(db::Engine engine) {
    if (engine == db::Engine::Sqlite) return 1;
    return std::clamp(std::thread::hardware_concurrency() / 2, 1U, kMostGroups);
}

}  // namespace

Groups::Queue::Queue(db::Database& database)
    : calls_(
          groupsAtOnce(database.engine()),
          [&database] {
              return
                  [connection = std::shared_ptr(database.connectForGroups())](std::span<const GroupCall* const> calls) {
                      std::vector<GroupCall> group;
                      for (const GroupCall* call : calls) group.push_back(*call);
                      return transact(*connection, group);
                  };
          },
          database.metrics().groupSizes) {}

Groups::Groups(db::Database& database) : queue_(std::make_unique<Queue>(database)) {}
Groups::~Groups() = default;

}  // namespace otpgate::store
