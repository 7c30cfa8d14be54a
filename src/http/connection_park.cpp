#include "http/connection_park.h"

#include <algorithm>
#include <cerrno>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <system_error>

namespace otpgate::http {

namespace {

// What epoll names beside the numbers of connections.
constexpr std::uint64_t kListeningSocket = 0;
constexpr std::uint64_t kStopEvent = 1;
constexpr std::uint64_t kTimer = 2;

constexpr std::size_t kMaxParked = 4096;
constexpr time_t kTickSeconds = 1;

// Database, files and mail need descriptors too.
std::size_t halfOfTheDescriptors() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return kMaxParked;
    return std::clamp<std::size_t>(limit.rlim_cur / 2, 1, kMaxParked);
}

std::uint32_t eventsOf(ConnectionPark::WaitFor what) {
    switch (what) {
    case ConnectionPark::WaitFor::Input: return EPOLLIN;
    case ConnectionPark::WaitFor::Output: return EPOLLOUT;
    case ConnectionPark::WaitFor::Turn: return EPOLLIN | EPOLLOUT;
    }
    return EPOLLIN;
}

}  // namespace

ConnectionPark::ConnectionPark(int listeningSocket, int stopEvent)
    : listeningSocket_(listeningSocket),
      stopEvent_(stopEvent),
      limit_(halfOfTheDescriptors()),
      epoll_(orThrow(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      timer_(orThrow(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), "timerfd_create")) {
    // A connection that comes, and a tick, wake one thread and not all.
    const bool isWatching = watch(EPOLL_CTL_ADD, listeningSocket_, EPOLLIN | EPOLLONESHOT, kListeningSocket) &&
                            watch(EPOLL_CTL_ADD, timer_.get(), EPOLLIN | EPOLLET, kTimer) &&
                            watch(EPOLL_CTL_ADD, stopEvent_, EPOLLIN, kStopEvent);
    if (!isWatching) throwErrno("epoll_ctl");
}

bool ConnectionPark::watch(int what, int descriptor, std::uint32_t events, std::uint64_t data) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = data;
    return epoll_ctl(epoll_.get(), what, descriptor, &event) == 0;
}

ConnectionPark::Event ConnectionPark::next(int milliseconds) {
    Event event;
    epoll_event ready{};
    if (epoll_wait(epoll_.get(), &ready, 1, milliseconds) != 1) return event;
    if (ready.data.u64 == kListeningSocket) {
        event.isIncoming = true;
    } else if (ready.data.u64 == kTimer) {
        event.late = takeLate();
    } else if (ready.data.u64 != kStopEvent) {
        const std::lock_guard lock(mutex_);
        // Its time may have come to an end just now.
        const auto found = parked_.find(ready.data.u64);
        if (found != parked_.end()) event.connection = take(found);
    }
    return event;
}

void ConnectionPark::listen() {
    if (!watch(EPOLL_CTL_MOD, listeningSocket_, EPOLLIN | EPOLLONESHOT, kListeningSocket)) throwErrno("epoll_ctl");
}

void ConnectionPark::forgetStop() {
    watch(EPOLL_CTL_DEL, stopEvent_, 0, kStopEvent);
    watch(EPOLL_CTL_DEL, listeningSocket_, 0, kListeningSocket);
}

void ConnectionPark::park(std::unique_ptr<FcgiConnection> connection, WaitFor what) {
    FcgiConnection& parked = *connection;
    // epoll is told with the mutex held: nobody may close the descriptor in between, and let another one have its
    // number.
    const std::lock_guard lock(mutex_);
    const auto place = parked_.emplace(parked.number(), std::move(connection)).first;
    const int how = parked.isRegistered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    parked.isRegistered = true;
    if (!watch(how, parked.socket(), eventsOf(what) | EPOLLONESHOT, parked.number())) {
        const int error = errno;
        parked_.erase(place);
        throw std::system_error(error, std::generic_category(), "epoll_ctl");
    }
    if (!isTimerSet_) setTimer();
}

std::unique_ptr<FcgiConnection> ConnectionPark::take(Map::iterator found) {
    auto connection = std::move(found->second);
    parked_.erase(found);
    return connection;
}

std::unique_ptr<FcgiConnection> ConnectionPark::makeRoom() {
    const std::lock_guard lock(mutex_);
    if (parked_.size() < limit_) return nullptr;
    const auto mayWait = [](const auto& entry) {
        return std::pair(!entry.second->isIdle(), entry.second->deadline);  // idle ones come first
    };
    return take(std::min_element(parked_.begin(), parked_.end(), [&mayWait](const auto& one, const auto& other) {
        return mayWait(one) < mayWait(other);
    }));
}

ConnectionPark::Connections ConnectionPark::takeLate() {
    const auto now = std::chrono::steady_clock::now();
    Connections late;
    const std::lock_guard lock(mutex_);
    for (auto entry = parked_.begin(); entry != parked_.end();) {
        const auto next = std::next(entry);
        if (entry->second->deadline <= now) late.push_back(take(entry));
        entry = next;
    }
    isTimerSet_ = false;
    if (!parked_.empty()) setTimer();
    return late;
}

ConnectionPark::Connections ConnectionPark::takeIdle() {
    Connections idle;
    const std::lock_guard lock(mutex_);
    for (auto entry = parked_.begin(); entry != parked_.end();) {
        const auto next = std::next(entry);
        if (entry->second->isIdle()) idle.push_back(take(entry));
        entry = next;
    }
    return idle;
}

void ConnectionPark::hurry(FcgiConnection::SteadyTime deadline) {
    const std::lock_guard lock(mutex_);
    for (auto& [number, connection] : parked_) connection->deadline = std::min(connection->deadline, deadline);
}

bool ConnectionPark::isEmpty() const {
    const std::lock_guard lock(mutex_);
    return parked_.empty();
}

void ConnectionPark::setTimer() {
    itimerspec tick{};
    tick.it_value.tv_sec = kTickSeconds;
    isTimerSet_ = timerfd_settime(timer_.get(), 0, &tick, nullptr) == 0;
}

}  // namespace otpgate::http
