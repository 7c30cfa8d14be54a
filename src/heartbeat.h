// Tells the overseer of a process that it answers, as often as he wants to hear it, and only while it does. A thread of
// its own.
#pragma once

#include "overseer.h"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace otpgate {

class Heartbeat {
public:
    // `answers` is asked from this thread, and says whether there was an answer within that time. Where nobody listens
    // it is never asked.
    Heartbeat(Overseer& overseer, std::function<bool(std::chrono::milliseconds patience)> answers);
    ~Heartbeat();
    Heartbeat(const Heartbeat&) = delete;
    Heartbeat& operator=(const Heartbeat&) = delete;

private:
    void run(std::chrono::milliseconds every);

    Overseer& overseer_;
    const std::function<bool(std::chrono::milliseconds patience)> answers_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool isStopping_ = false;
    std::thread thread_;
};

}  // namespace otpgate
