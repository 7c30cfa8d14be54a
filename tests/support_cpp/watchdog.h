// Ends a test program that hangs in a test, so that a run says which test it was and goes on to the next program. One
// thread; begin() and end() are called by the thread that runs the tests.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace otpgate::test {

class Watchdog {
public:
    // A test may take `limit`; then `onExpiry` gets its name, once, in the watchdog's thread.
    Watchdog(std::chrono::milliseconds limit, std::function<void(const std::string&)> onExpiry)
        : limit_(limit),
          onExpiry_(std::move(onExpiry)),
          thread_([this] { watch(); }) {}
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;
    ~Watchdog() {
        {
            const std::lock_guard lock(mutex_);
            isOver_ = true;
        }
        changed_.notify_one();
        thread_.join();
    }

    void begin(std::string test) {
        {
            const std::lock_guard lock(mutex_);
            running_ = std::move(test);
            endsAt_ = std::chrono::steady_clock::now() + limit_;
        }
        changed_.notify_one();
    }
    void end() {
        const std::lock_guard lock(mutex_);
        running_.reset();
    }

private:
    void watch() {
        std::unique_lock lock(mutex_);
        while (!isOver_) {
            if (!running_) {
                changed_.wait(lock, [this] { return isOver_ || running_; });
            } else if (std::chrono::steady_clock::now() >= endsAt_) {
                const std::string test = *std::exchange(running_, std::nullopt);
                lock.unlock();
                onExpiry_(test);
                lock.lock();
            } else {
                changed_.wait_until(lock, endsAt_);
            }
        }
    }

    const std::chrono::milliseconds limit_;
    const std::function<void(const std::string&)> onExpiry_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<std::string> running_;
    std::chrono::steady_clock::time_point endsAt_;
    bool isOver_ = false;
    std::thread thread_;
};

}  // namespace otpgate::test
