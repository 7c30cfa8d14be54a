#include "db/writer_queue.h"

namespace otpgate::db {

WriterQueue::Turn WriterQueue::enter(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    if (!taken_) {
        taken_ = true;
        return Turn{this};
    }
    Waiting self;
    waiting_.push_back(&self);
    if (self.called.wait_for(lock, limit, [&] { return self.isNext; })) return Turn{this};
    std::erase(waiting_, &self);
    return nullptr;
}

std::size_t WriterQueue::waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size();
}

void WriterQueue::leave() {
    const std::lock_guard lock(mutex_);
    if (waiting_.empty()) {
        taken_ = false;
        return;
    }
    // Handed over, not released: a thread that comes just now cannot get in between.
    Waiting& next = *waiting_.front();
    waiting_.pop_front();
    next.isNext = true;
    next.called.notify_one();  // under the lock, for `next` lives on the stack of the thread that it wakes
}

}  // namespace otpgate::db
