// Calls of one procedure by many threads, made together by a thread of its own over a connection of its own: while one
// group is under way the next one gathers, so that a busy server shares round trips and commits, and an idle one waits
// for nothing.
#pragma once

#include "otpgate/db/connection.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>
#include <vector>

namespace otpgate::db {

// No procedure takes more calls at once. More would hold locks for longer and gain little.
constexpr std::size_t kMaxGroup = 32;

class GroupedCalls {
public:
    // Makes the calls, packed one after another; the answer to the n-th is the row that says n in its first column.
    using Execute = std::function<std::vector<Row>(std::string_view calls)>;

    // As many groups are under way at once as there are threads. Each makes its own Execute.
    GroupedCalls(unsigned threads, const std::function<Execute()>& makeExecute);
    // No call may be under way.
    ~GroupedCalls();
    GroupedCalls(const GroupedCalls&) = delete;
    GroupedCalls& operator=(const GroupedCalls&) = delete;

    // The answer to `call`. Any thread. Where a group fails, each of its calls is made by `executeAlone`, on the thread
    // that wants it: what is wrong with one must not fail the others. So is a call without an answer, which the
    // database found to clash with another. But a database that has gone has gone for all: that DbError is thrown to
    // the group and to everyone who waits, because each would find out as slowly.
    Row call(const GroupedCall& call, const Execute& executeAlone);

    // Calls that are in no group yet.
    std::size_t waiting() const;

private:
    struct Member;
    using Group = std::vector<std::shared_ptr<Member>>;

    void run(const Execute& execute);
    Group takeGroup();
    void answer(const Group& group, const Execute& execute);
    void failWaiting(const std::exception_ptr& error);
    static void settle(const Group& group, std::unique_lock<std::mutex> lock);

    mutable std::mutex mutex_;
    std::condition_variable arrival_;
    std::deque<std::shared_ptr<Member>> waiting_;
    bool isStopping_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace otpgate::db
