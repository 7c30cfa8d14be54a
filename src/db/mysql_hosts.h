// The hosts of a database that has several, and the thread that looks whether the first one is back.
#pragma once

#include "db/database_url.h"
#include "db/host_choice.h"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace otpgate::db {

class MysqlHosts {
public:
    // Whether the host serves: asked by a thread of ours, and only while another host is used.
    using IsWell = std::function<bool(const MysqlHost& host)>;

    MysqlHosts(std::vector<MysqlHost> hosts, IsWell isWell);
    ~MysqlHosts();
    MysqlHosts(const MysqlHosts&) = delete;
    MysqlHosts& operator=(const MysqlHosts&) = delete;

    // Any thread.
    std::size_t count() const { return hosts_.size(); }
    const MysqlHost& at(std::size_t host) const { return hosts_.at(host); }
    std::size_t current() const { return current_.load(std::memory_order_relaxed); }
    // As HostChoice says it.
    bool leave(std::size_t host);

private:
    void watchFirst();

    const std::vector<MysqlHost> hosts_;
    const IsWell isWell_;
    std::atomic<std::size_t> current_{0};
    std::mutex mutex_;  // of what follows
    HostChoice choice_;
    std::condition_variable wake_;
    bool isStopping_ = false;
    std::thread watcher_;  // since the first host failed for the first time
};

}  // namespace otpgate::db
