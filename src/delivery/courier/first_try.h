// What came of the first sending of a message, for a worker that waits for it. Told by a sender, once.
#pragma once

#include "otpgate/domain/messenger.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>

namespace otpgate::delivery {

class FirstTry {
public:
    void tell(domain::Delivery delivery) {
        {
            const std::lock_guard lock(mutex_);
            if (!delivery_) delivery_ = delivery;
        }
        told_.notify_one();
    }
    domain::Delivery wait() {
        std::unique_lock lock(mutex_);
        told_.wait(lock, [this] { return delivery_.has_value(); });
        return *delivery_;
    }
    std::optional<domain::Delivery> waitUntil(std::chrono::steady_clock::time_point end) {
        std::unique_lock lock(mutex_);
        told_.wait_until(lock, end, [this] { return delivery_.has_value(); });
        return delivery_;
    }

private:
    std::mutex mutex_;
    std::condition_variable told_;
    std::optional<domain::Delivery> delivery_;
};

}  // namespace otpgate::delivery
