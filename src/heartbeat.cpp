#include "heartbeat.h"

#include <utility>

namespace otpgate {

namespace {

// Of the time after which silence means that we hang: one late answer is not the end.
constexpr int kBeats = 4;

}  // namespace

Heartbeat::Heartbeat(Overseer& overseer, std::function<bool(std::chrono::milliseconds patience)> answers)
    : overseer_(overseer),
      answers_(std::move(answers)) {
    const auto patience = overseer.patience();
    if (patience) thread_ = std::thread([this, every = *patience / kBeats] { run(every); });
}

Heartbeat::~Heartbeat() {
    {
        const std::lock_guard lock(mutex_);
        isStopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void Heartbeat::run(std::chrono::milliseconds every) {
    std::unique_lock lock(mutex_);
    while (!isStopping_) {
        lock.unlock();
        if (answers_(every)) overseer_.alive();
        lock.lock();
        wake_.wait_for(lock, every, [this] { return isStopping_; });
    }
}

}  // namespace otpgate
