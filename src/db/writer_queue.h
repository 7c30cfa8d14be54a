// The turn to write to the SQLite file, in order of arrival. SQLite's own busy handler has no order: under load a
// thread can be overtaken for seconds. Safe to use from any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>

namespace otpgate::db {

class WriterQueue {
public:
    struct Leave {
        void operator()(WriterQueue* queue) const { queue->leave(); }
    };
    using Turn = std::unique_ptr<WriterQueue, Leave>;

    // Waits until all who came before have left; empty when that takes longer than `limit`.
    Turn enter(std::chrono::milliseconds limit);
    std::size_t waiting() const;

private:
    struct Waiting {
        std::condition_variable called;
        bool isNext = false;
    };
    void leave();

    mutable std::mutex mutex_;
    bool taken_ = false;
    std::deque<Waiting*> waiting_;
};

}  // namespace otpgate::db
