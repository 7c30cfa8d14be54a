#include "db/mysql_hosts.h"

#include <utility>

namespace otpgate::db {

using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr std::chrono::seconds kLookEvery{1};

}  // namespace

MysqlHosts::MysqlHosts(std::vector<MysqlHost> hosts, IsWell isWell)
    : hosts_(std::move(hosts)),
      isWell_(std::move(isWell)),
      choice_(hosts_.size()) {}

MysqlHosts::~MysqlHosts() {
    {
        const std::lock_guard lock(mutex_);
        isStopping_ = true;
    }
    wake_.notify_all();
    if (watcher_.joinable()) watcher_.join();
}

bool MysqlHosts::leave(std::size_t host) {
    if (count() == 1) return false;
    const std::lock_guard lock(mutex_);
    const bool hasOther = choice_.leave(host, SteadyClock::now());
    current_ = choice_.current();
    if (current_ != 0 && !watcher_.joinable()) watcher_ = std::thread([this] { watchFirst(); });
    wake_.notify_all();
    return hasOther;
}

// A thread's main.
void MysqlHosts::watchFirst() {
    std::unique_lock lock(mutex_);
    for (;;) {
        wake_.wait(lock, [this] { return isStopping_ || choice_.current() != 0; });
        wake_.wait_for(lock, kLookEvery, [this] { return isStopping_; });
        if (isStopping_) return;
        lock.unlock();
        const bool isWell = isWell_(hosts_.front());
        lock.lock();
        choice_.noteFirst(isWell, SteadyClock::now());
        current_ = choice_.current();
    }
}

}  // namespace otpgate::db
