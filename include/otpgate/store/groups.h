// What the threads of a process do together: requests for codes, guesses at them, refreshes, the ends of messages and
// sign-ins at applications that wait at the same time are one transaction. Outlives the stores that use it; any thread.
#pragma once

#include "otpgate/db/connection.h"

#include <memory>

namespace otpgate::store {

class Groups {
public:
    explicit Groups(db::Database& database);
    ~Groups();
    Groups(const Groups&) = delete;
    Groups& operator=(const Groups&) = delete;

    // How the stores use it: store/group_queue.h.
    class Queue;
    Queue& queue() { return *queue_; }

private:
    std::unique_ptr<Queue> queue_;
};

}  // namespace otpgate::store
